/** A repository that upstream is asked for. */
import type { RootMemory } from '../memory.ts';
import type { FetchedRoot, UpstreamRoot } from '../upstream-root.ts';
import { findMirrors } from './mirror-list.ts';
import { fetchRepomd } from './repomd-source.ts';
import type { RepositoryRequest } from './repositories.ts';
import type { RepositoryDeps, RepositoryState } from './repository-state.ts';

export function repositoryRoot(request: RepositoryRequest, deps: RepositoryDeps): UpstreamRoot<RepositoryState> {
  let { mirrors } = deps;
  let asked = false;
  const fetch = async (known?: RootMemory): Promise<FetchedRoot> => {
    // Asked for once more, what the list of mirrors said may have changed, too.
    if (asked) mirrors = await findMirrors(request, deps);
    asked = true;
    return fetchRepomd(request, { ...deps, mirrors }, known);
  };
  return {
    key: request.key,
    source: request.source,
    fetch,
    /** What verifies and parses is loaded once there is something new. */
    async read(fetched, context) {
      const { readRepository } = await import('./repository-state.ts');
      return readRepository(request, fetched, { ...context, ...deps, mirrors, fetch });
    },
  };
}
