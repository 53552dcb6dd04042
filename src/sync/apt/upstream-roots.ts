/** Resolves `url: system` of a spec. */
import { KubedosError } from '../../errors.ts';
import { type AptUpstream, isFlatSuite } from '../../spec/apt-spec.ts';
import type { SyncDeps } from '../types.ts';
import { aptSources, rootsOfSuites } from './system-sources.ts';

/** The roots in order of preference; `system` is replaced by what this host's apt uses for all suites of the upstream. */
export async function upstreamRoots(upstream: AptUpstream, deps: Pick<SyncDeps, 'systemSources'>): Promise<string[]> {
  const roots: string[] = [];
  for (const url of upstream.url) {
    if (url !== 'system') roots.push(url);
    else roots.push(...(await (deps.systemSources ?? hostSources)(upstream.suites)));
  }
  const unique = [...new Set(roots.map((root) => root.replace(/\/+$/, '')))];
  if (unique.length > 0) return unique;
  throw new KubedosError(
    'spec.invalid',
    `resolve \`url: system\`: no apt source of this host has ${upstream.suites.join(', ')}`,
    {
      hint: 'name another url: beside `system`, or instead of it',
    },
  );
}

async function hostSources(suites: readonly string[]): Promise<string[]> {
  if (suites.some(isFlatSuite)) return [];
  return rootsOfSuites(await aptSources('/etc/apt'), suites);
}
