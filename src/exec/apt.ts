/** apt-get and apt-cache with a configuration of their own. */
import { run } from './run.ts';

export interface AptAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** apt's own statuses: 0, and 100 for what it refuses, which is an answer here. */
const STATUSES = [0, 100];

export async function runApt(
  tool: 'apt-get' | 'apt-cache',
  args: readonly string[],
  options: { readonly configFile: string; readonly signal?: AbortSignal | undefined },
): Promise<AptAnswer> {
  const { status, stdout, stderr } = await run([tool, ...args], {
    // LC_ALL=C keeps apt's words, which are parsed, in English.
    env: { APT_CONFIG: options.configFile, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 10 * 60 * 1000,
    maxOutputBytes: 256 * 1024 * 1024,
    signal: options.signal,
    statuses: STATUSES,
    debianPackage: 'apt',
  });
  return { status, stdout: stdout.toString('utf8'), stderr };
}
