/** apt-get and apt-cache with a configuration of their own. */
import { runForText, type ToolAnswer } from './run.ts';

/** apt's own statuses: 0, and 100 for what it refuses, which is an answer here. */
const STATUSES = [0, 100];

export async function runApt(
  tool: 'apt-get' | 'apt-cache',
  args: readonly string[],
  options: { readonly configFile: string; readonly signal?: AbortSignal | undefined },
): Promise<ToolAnswer> {
  return runForText([tool, ...args], {
    // LC_ALL=C keeps apt's words, which are parsed, in English.
    env: { APT_CONFIG: options.configFile, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 10 * 60 * 1000,
    maxOutputBytes: 256 * 1024 * 1024,
    signal: options.signal,
    statuses: STATUSES,
    debianPackage: 'apt',
  });
}
