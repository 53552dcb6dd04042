/** What is yum's own in a sync. */

import { KEYS_FILE } from '../../formats/rpm/layout.ts';
import type { Family, UpstreamPlace } from '../family.ts';
import type { SyncInput } from '../session.ts';
import type { UpstreamRoot } from '../upstream-root.ts';
import { findMirrors } from './mirror-list.ts';
import { remotePath, repositoryRequests } from './repositories.ts';
import { repositoryRoot } from './repository-root.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

export const YUM: Family<YumKind> = {
  roots,
  isDue: () => false,
  sync: async (opening) => (await import('./sync-verbatim.ts')).syncVerbatim(opening),
  async *places(spec, path, deps): AsyncGenerator<UpstreamPlace> {
    const all = repositoryRequests(spec);
    const own = all.filter(({ folder }) => folder === '' || path.startsWith(`${folder}/`));
    // A package may lie beside its repository: `..` in an href.
    for (const request of [...own, ...all])
      yield { urls: (await findMirrors(request, deps)).urls, path: remotePath(request, path) };
  },
  isOurs: (_, path) => path === KEYS_FILE,
};

async function roots({ deps, spec, run }: SyncInput<YumKind>): Promise<UpstreamRoot<RepositoryState>[]> {
  const keyrings = new Map<number, ReturnType<typeof deps.loadKeys>>();
  const requests = repositoryRequests(spec).map(async (request) => {
    const loadKeyring = () => {
      const keyring = keyrings.get(request.upstreamIndex) ?? deps.loadKeys(request.upstream.keys);
      keyrings.set(request.upstreamIndex, keyring);
      return keyring;
    };
    const from = { fetcher: deps.fetcher, signal: run.signal };
    return repositoryRoot(request, { ...from, mirrors: await findMirrors(request, from), loadKeyring });
  });
  return Promise.all(requests);
}
