import type { HostList } from '../types.ts';

export interface HostArchitectures {
  readonly native: string;
  /** Others that the list names, sorted. */
  readonly foreign: readonly string[];
}

/** A host's own architecture is the one that most of its packages have; `all` says nothing. */
export function architecturesOf(host: HostList, fallback: string): HostArchitectures {
  const counts = new Map<string, number>();
  for (const { architecture } of host.packages)
    if (architecture !== undefined) counts.set(architecture, (counts.get(architecture) ?? 0) + 1);
  const named = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([architecture]) => architecture);
  const native = host.architecture ?? named[0] ?? fallback;
  return { native, foreign: named.filter((architecture) => architecture !== native).sort() };
}
