/** What is apt's own in a sync. */

import type { Family, UpstreamPlace } from '../family.ts';
import type { SyncInput } from '../session.ts';
import type { UpstreamRoot } from '../upstream-root.ts';
import { publicationIsDue } from './curated-dates.ts';
import { upstreamPaths } from './curated-pool.ts';
import { type AptKind, type SuiteState, suiteRequest, suiteRoot } from './suite-state.ts';
import { upstreamRoots } from './upstream-roots.ts';

export const APT: Family<AptKind> = {
  roots,
  isDue: ({ spec, deps }, { curated }) => publicationIsDue(spec.curate, curated, deps.now()),
  /** What unpacks, sorts and selects is loaded once there is something to do: most syncs find nothing new. */
  async sync(opening) {
    if (opening.session.spec.form === 'verbatim') return (await import('./sync-verbatim.ts')).syncVerbatim(opening);
    return (await import('./sync-curated.ts')).syncCurated(opening);
  },
  async *places(spec, path, deps): AsyncGenerator<UpstreamPlace> {
    for (const place of upstreamPaths(spec, path)) {
      const upstream = spec.upstreams[place.upstreamIndex];
      if (upstream) yield { urls: await upstreamRoots(upstream, deps), path: place.path };
    }
  },
  isOurs: ({ form }, path) => form === 'curated' && path.startsWith('dists/'),
};

async function roots({ deps, spec, run }: SyncInput<AptKind>): Promise<UpstreamRoot<SuiteState>[]> {
  const found: UpstreamRoot<SuiteState>[] = [];
  for (const [upstreamIndex, upstream] of spec.upstreams.entries()) {
    const urls = await upstreamRoots(upstream, deps);
    let keyring: ReturnType<typeof deps.loadKeys> | undefined;
    const loadKeyring = () => (keyring ??= deps.loadKeys(upstream.keys));
    for (const suite of upstream.suites) {
      const at = { fetcher: deps.fetcher, urls, signal: run.signal };
      const request = suiteRequest(at, { suite, upstream, upstreamIndex, single: spec.form === 'verbatim' });
      found.push(suiteRoot(request, loadKeyring));
    }
  }
  return found;
}
