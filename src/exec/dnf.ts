/** dnf with a configuration of its own. */
import { runForText, type ToolAnswer } from './run.ts';

/** 0, and 1 for what it refuses or is told not to do, which is an answer here. */
const STATUSES = [0, 1];

export async function runDnf(
  args: readonly string[],
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ToolAnswer> {
  return runForText(['dnf', ...args], {
    // Its words are parsed.
    env: { LC_ALL: 'C.UTF-8' },
    timeoutMs: 10 * 60 * 1000,
    maxOutputBytes: 256 * 1024 * 1024,
    signal,
    statuses: STATUSES,
    debianPackage: 'dnf',
  });
}
