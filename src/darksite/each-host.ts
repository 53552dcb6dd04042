/** What the checks of hosts of all kinds have in common. */
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { DarksiteReport, HostResult, MissingVersion } from './types.ts';

/** One after the other, in the order given. */
export async function checkEach<Host>(
  hosts: readonly Host[],
  { signal, onEvent }: Run,
  check: (host: Host) => Promise<HostResult>,
): Promise<DarksiteReport> {
  const results: HostResult[] = [];
  onEvent?.({ type: 'phase', phase: 'check hosts', files: hosts.length });
  for (const host of hosts) {
    if (signal?.aborted) throw new KubedosError('cancelled', 'check hosts: stopped');
    results.push(await check(host));
    onEvent?.({ type: 'advance', files: results.length, bytes: 0 });
  }
  return { resolves: results.every(({ resolves }) => resolves), hosts: results };
}

export function byName(a: MissingVersion, b: MissingVersion): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

const MAX_LINES = 6;

/** Of what a tool said, the end. */
export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-MAX_LINES).join('; ');
}
