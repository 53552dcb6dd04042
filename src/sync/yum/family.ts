/** What is yum's own in a sync. */

import { inFolder, KEYS_FILE } from '../../formats/rpm/layout.ts';
import type { YumSpec } from '../../spec/yum-spec.ts';
import type { Family, UpstreamPlace } from '../family.ts';
import type { SyncInput } from '../session.ts';
import type { UpstreamRoot } from '../upstream-root.ts';
import { findMirrors } from './mirror-list.ts';
import { architecturesOf, type RepositoryRequest, remotePath, repositoryRequests } from './repositories.ts';
import { repositoryRoot } from './repository-root.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

export const YUM: Family<YumKind> = {
  roots,
  isDue: () => false,
  async sync(opening) {
    if (opening.session.spec.form === 'verbatim') return (await import('./sync-verbatim.ts')).syncVerbatim(opening);
    return (await import('./sync-curated.ts')).syncCurated(opening);
  },
  async *places(spec, path, deps): AsyncGenerator<UpstreamPlace> {
    const all = repositoryRequests(spec);
    if (spec.form === 'curated') {
      for (const { request, remote } of curatedPlaces(spec, all, path))
        yield { urls: (await findMirrors(request, deps)).urls, path: remotePath(request, remote) };
      return;
    }
    const own = all.filter(({ folder }) => folder === '' || path.startsWith(`${folder}/`));
    // A package may lie beside its repository: `..` in an href.
    for (const request of [...own, ...all])
      yield { urls: (await findMirrors(request, deps)).urls, path: remotePath(request, path) };
  },
  isOurs: ({ form }, path) => path === KEYS_FILE || (form === 'curated' && /^(?:[^/]+\/)?repodata\//.test(path)),
};

/** Where a package of a curated mirror may come from: see publishParts. */
function* curatedPlaces(
  spec: YumSpec,
  requests: readonly RepositoryRequest[],
  path: string,
): Generator<{ readonly request: RepositoryRequest; readonly remote: string }> {
  const basearch = architecturesOf(spec).find((each) => path.startsWith(`${each}/`));
  const own = basearch === undefined ? path : path.slice(basearch.length + 1);
  const [, number, rest] = /^upstream-(\d+)\/(.+)$/.exec(own) ?? [];
  for (const [at, request] of requests.entries()) {
    if (request.basearch !== undefined && request.basearch !== basearch) continue;
    if (Number(number) - 1 === at && rest !== undefined) yield { request, remote: inFolder(request.folder, rest) };
    yield { request, remote: inFolder(request.folder, own) };
  }
}

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
