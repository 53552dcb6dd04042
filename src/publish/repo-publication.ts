/** The next state of a local repository: its indexes merged with a change, its list, its head. */

import type { PackageRow } from '../catalog/types.ts';
import { KubedosError } from '../errors.ts';
import { parseStanza } from '../formats/apt/deb822.ts';
import { packageEntry } from '../formats/apt/packages.ts';
import type { IndexInput, Publication, PublishApt, Published } from '../formats/apt/publication.ts';
import type { Run } from '../progress.ts';
import { lookupPath, readManifest, writeManifest } from '../store/manifest.ts';
import { editManifest } from '../store/manifest-edit.ts';
import { isoSeconds } from '../store/schemas.ts';
import type { ManifestEntry, ManifestRef, MirrorHead, ObjectStore, Store } from '../store/types.ts';
import { type Addition, type IndexChange, mergeIndex, type Removal } from './merge-index.ts';
import { packageRow } from './package-rows.ts';
import { indexPath } from './publish-apt.ts';
import { Outcome, type RepoReport } from './repo-outcome.ts';
import type { RepoMemory, RepoSettings } from './repo-settings.ts';
import { BLANK_LINE } from './stanza-names.ts';
import { storedIndex, storedStanzas } from './stored-file.ts';
import { type CatalogDeps, tellCatalog, unchanged } from './tell-catalog.ts';

/** By how quickly they unpack. */
const INDEX_ENDINGS = ['zst', 'gz', 'xz'];

export interface LocalRepoDeps extends CatalogDeps {
  readonly store: Pick<Store, 'objects' | 'heads' | 'withWriter'>;
  readonly publish: PublishApt;
  readonly now: () => Date;
}

export interface RepoState {
  readonly mirror: string;
  readonly repo: RepoSettings;
  /** Undefined: the repository is new. */
  readonly previous: { readonly head: MirrorHead; readonly memory: RepoMemory } | undefined;
  readonly additions: readonly Addition[];
  readonly removals: readonly Removal[];
  readonly force: boolean;
}

/** The caller holds the writer's lock. Throws `repo.conflict`; then nothing visible has changed. */
export async function publishRepo(deps: LocalRepoDeps, state: RepoState, run: Run): Promise<RepoReport> {
  const { objects, heads } = deps.store;
  const { mirror, previous } = state;
  const before = previous?.head.manifest;
  const outcome = new Outcome();
  const additions = await checkAdditions(deps, state, outcome);
  if (before !== undefined && additions.length === 0 && state.removals.length === 0)
    return unchanged(deps, { mirror, manifest: before, outcome }, run);

  const publication = publicationOf(deps, { ...state, additions }, outcome);
  const published = await deps.publish(publication, run);
  const added = additions.filter(({ path }) => !outcome.unchanged.has(path));
  if (before !== undefined && added.length === 0 && outcome.removed.size === 0)
    return unchanged(deps, { mirror, manifest: before, outcome }, run);

  for (const addition of added) outcome.added.set(addition.path, addition);
  const manifest = await nextManifest(objects, state, {
    set: [...published.entries, ...added.map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes }))],
    remove: [...outcome.removed.values()].map(({ path }) => path),
  });
  await heads.write(headOf(state, manifest, { date: publication.date, published }), before?.root);
  const change = {
    before: before?.root,
    root: manifest.root,
    added: added.map(rowOf),
    removed: [...outcome.removed.values()].map(({ sha256, path }) => ({ sha256, path })),
  };
  await tellCatalog(deps, mirror, change, run);
  return outcome.report(mirror, manifest, before);
}

function rowOf({ stanza, path, sha256 }: Addition): PackageRow {
  return { ...packageRow(packageEntry(parseStanza(stanza, path), path)), sha256 };
}

/** The list before with what changed; of the indexes, only what was published now stays. */
async function nextManifest(
  objects: ObjectStore,
  { previous, repo }: RepoState,
  { set, remove }: { readonly set: readonly ManifestEntry[]; readonly remove: readonly string[] },
): Promise<ManifestRef> {
  const base = previous?.head.manifest.root ?? (await writeManifest(objects, [])).root;
  const gone = [...remove];
  for await (const { path } of readManifest(objects, base, { prefix: `dists/${repo.suite}/` })) gone.push(path);
  return editManifest(objects, base, { set, remove: gone });
}

/** Those that are not there yet, each once: a repeated upload costs nothing. */
async function checkAdditions(
  { store: { objects } }: LocalRepoDeps,
  { previous, additions, removals }: RepoState,
  outcome: Outcome,
): Promise<Addition[]> {
  const missing = new Map<string, Addition>();
  const removed = new Set(removals.map(({ name }) => name));
  for (const addition of additions) {
    // They were stored before the lock was taken: a collection of garbage may have come between.
    if ((await objects.stat(addition.sha256)) === undefined) {
      throw new KubedosError('store.raced', `add ${addition.path}: its object was removed meanwhile`, {
        hint: 'add the package again',
        retryable: true,
      });
    }
    const there = previous && (await lookupPath(objects, previous.head.manifest.root, addition.path));
    if (there?.sha256 === addition.sha256 && !removed.has(addition.name)) outcome.keep(addition);
    else missing.set(`${addition.path} ${addition.sha256}`, addition);
  }
  return [...missing.values()];
}

function publicationOf({ store: { objects }, now }: LocalRepoDeps, state: RepoState, outcome: Outcome): Publication {
  const { repo, previous, mirror } = state;
  const removals = byName(state.removals);
  const indexes = repo.components.flatMap((component) =>
    repo.architectures.map((architecture): IndexInput => {
      const change: IndexChange = {
        component,
        // Those of other components as well: one identity has the same bytes in all of them.
        additions: byName(state.additions.filter((each) => ['all', architecture].includes(each.architecture))),
        removals,
        force: state.force,
        onRemoved: (entry) => outcome.remove(entry),
        onUnchanged: (addition) => outcome.keep(addition),
        origin: `${mirror} ${component} ${architecture}`,
      };
      const before = () => previousIndex(objects, state, { component, architecture });
      return { component, architecture, kind: 'Packages', stanzas: () => mergeIndex(before(), change) };
    }),
  );
  return {
    ...repo,
    indexes,
    date: nextDate(now(), previous?.memory.published),
    previous: previous?.memory.generations ?? [],
  };
}

/** Text of the index as it is; an architecture that is new takes over the packages of `all` from another. */
async function* previousIndex(
  objects: ObjectStore,
  { previous, repo }: RepoState,
  { component, architecture }: { readonly component: string; readonly architecture: string },
): AsyncGenerator<Buffer> {
  if (previous === undefined) return;
  const { root } = previous.head.manifest;
  const before = previous.memory.repo;
  const known = before.architectures.includes(architecture);
  const from = known ? architecture : before.architectures[0];
  const path = `dists/${repo.suite}/${indexPath({ component, kind: 'Packages', architecture: from as string })}`;
  for (const ending of INDEX_ENDINGS) {
    const entry = await lookupPath(objects, root, `${path}.${ending}`);
    if (entry === undefined) continue;
    if (known) yield* storedIndex(objects, entry);
    else
      for await (const stanza of storedStanzas(objects, entry))
        if (stanza.get('Architecture') === 'all') yield Buffer.concat([stanza.raw, BLANK_LINE.subarray(1)]);
    return;
  }
  throw new KubedosError('store.corrupt', `publish ${previous.head.name}: its list has no ${path}`);
}

/**
 * Whole seconds, not before the last one, not ahead of the clock: apt ignores an older Release and refuses one of the
 * future, but takes another Release of the same second (apt 2.6).
 */
function nextDate(now: Date, published: string | undefined): Date {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  return new Date(published === undefined ? second : Math.max(second, Date.parse(published)));
}

function headOf(
  { mirror, repo }: RepoState,
  manifest: ManifestRef,
  done: { date: Date; published: Published },
): MirrorHead {
  const date = isoSeconds(done.date);
  const memory: RepoMemory = { repo, published: date, generations: done.published.generations };
  return {
    format: 'kubedos-head/1',
    name: mirror,
    kind: 'apt',
    form: 'local',
    manifest,
    evidence: [],
    time: date,
    spec: null,
    memory: { ...memory },
  };
}

function byName<T extends { readonly name: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.name);
    if (group === undefined) groups.set(item.name, [item]);
    else group.push(item);
  }
  return groups;
}
