/** Repositories of own packages: no upstream, one suite each, signed by this store. */
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { MirrorHead } from '../store/types.ts';
import { type NewPackage, takeInDeb } from './deb-intake.ts';
import type { Addition, Removal } from './merge-index.ts';
import type { RepoReport } from './repo-outcome.ts';
import { type LocalRepoDeps, publishRepo } from './repo-publication.ts';
import { type NewRepo, type RepoSettings, repoMemory, repoSettings } from './repo-settings.ts';

export type { NewPackage } from './deb-intake.ts';
export type { Removal } from './merge-index.ts';
export type { ChangedPackage, RepoReport } from './repo-outcome.ts';
export type { LocalRepoDeps } from './repo-publication.ts';
export type { NewRepo, RepoSettings } from './repo-settings.ts';

export interface RepoChange {
  readonly add?: AsyncIterable<NewPackage> | Iterable<NewPackage> | undefined;
  readonly remove?: readonly Removal[] | undefined;
  /** Packages of same name, version and architecture with other bytes are replaced. */
  readonly force?: boolean | undefined;
}

/** Publishes an empty repository under that name; `store.exists` if there is a mirror of that name. */
export async function createRepo(
  deps: LocalRepoDeps,
  mirror: string,
  wanted: NewRepo,
  run: Run = {},
): Promise<RepoReport> {
  const repo = repoSettings(mirror, wanted);
  return deps.store.withWriter('repo create', async () => {
    if ((await deps.store.heads.read(mirror)) !== undefined)
      throw new KubedosError('store.exists', `create repository ${mirror}: there is a mirror of that name`);
    const state = { mirror, repo, previous: undefined, additions: [], removals: [], force: false };
    return publishRepo(deps, state, run);
  });
}

/**
 * Adds and removes as one step: the new state is published whole or not at all, also when one package of many is
 * refused (`repo.conflict` shows both hashes). Removals come first, so a package can be replaced in one step. Costs a
 * pass over the indexes and the compression of the pieces that changed. Memory holds the control data of what is added.
 */
export async function changeRepo(
  deps: LocalRepoDeps,
  mirror: string,
  change: RepoChange,
  run: Run = {},
): Promise<RepoReport> {
  const { store } = deps;
  const { repo } = repoMemory(await requireHead(deps, mirror));
  const additions: Addition[] = [];
  // Before the lock: uploads may be slow, and nobody is to wait for them.
  for await (const wanted of change.add ?? []) {
    if (run.signal?.aborted) throw new KubedosError('cancelled', `change ${mirror}: stopped`);
    additions.push(await takeInDeb(store.objects, { ...wanted, component: componentOf(wanted, repo, mirror) }));
  }
  return store.withWriter('repo change', async () => {
    const head = await requireHead(deps, mirror);
    const memory = repoMemory(head);
    const state = {
      mirror,
      repo: withArchitectures(memory.repo, additions),
      previous: { head, memory },
      additions,
      removals: change.remove ?? [],
      force: change.force ?? false,
    };
    return publishRepo(deps, state, run);
  });
}

async function requireHead({ store }: LocalRepoDeps, mirror: string): Promise<MirrorHead> {
  const head = await store.heads.read(mirror);
  if (head !== undefined) return head;
  throw new KubedosError('store.not-found', `change ${mirror}: there is no such repository`, {
    hint: `make it with \`kubedos repo create ${mirror}\``,
  });
}

function componentOf(wanted: NewPackage, { components }: RepoSettings, mirror: string): string {
  const component = wanted.component ?? (components[0] as string);
  if (components.includes(component)) return component;
  throw new KubedosError(
    'usage.argument',
    `add ${wanted.origin} to ${mirror}: component ${component} is not one of ${components.join(', ')}`,
  );
}

/** A package of an architecture that is new to the repository brings it in. */
function withArchitectures(repo: RepoSettings, additions: readonly Addition[]): RepoSettings {
  const found = additions.map(({ architecture }) => architecture).filter((architecture) => architecture !== 'all');
  return { ...repo, architectures: [...new Set([...repo.architectures, ...found])] };
}
