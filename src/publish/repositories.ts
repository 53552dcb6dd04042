/** Local repositories of either kind, by name: what the command line and the server call. */
import type { PublishRpm } from '../formats/rpm/publication.ts';
import type { Run } from '../progress.ts';
import type { Store } from '../store/types.ts';
import type { LocalRepoDeps, RepoChange, RepoReport } from './local-repo.ts';
import type { RpmRepoDeps } from './yum/local-repo.ts';
import type { PackageSigning } from './yum/package-signing.ts';

export interface RepoDeps extends LocalRepoDeps {
  readonly store: LocalRepoDeps['store'] & Pick<Store, 'file'>;
  readonly publishRpm: PublishRpm;
  readonly pieces: RpmRepoDeps['pieces'];
  readonly signing: PackageSigning;
}

/** Adds and removes packages of the kind that the repository is of, as one step. */
export async function changeRepository(
  deps: RepoDeps,
  mirror: string,
  change: RepoChange,
  run: Run = {},
): Promise<RepoReport> {
  const head = await deps.store.heads.read(mirror);
  if (head?.form !== 'local' || head.kind !== 'yum') {
    const { changeRepo } = await import('./local-repo.ts');
    return changeRepo(deps, mirror, change, run);
  }
  const { changeRpmRepo } = await import('./yum/local-repo.ts');
  return changeRpmRepo({ ...deps, publish: deps.publishRpm }, mirror, change, run);
}
