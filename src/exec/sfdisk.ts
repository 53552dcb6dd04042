/** sfdisk(8): writes partition tables, to files as well. */
import { run } from './run.ts';

/** `script`: as sfdisk reads it on its standard input. */
export async function partition(file: string, script: string, signal?: AbortSignal): Promise<void> {
  await run(['sfdisk', '--quiet', '--no-reread', '--no-tell-kernel', file], {
    input: script,
    timeoutMs: 60_000,
    maxOutputBytes: 1024 * 1024,
    signal,
    debianPackage: 'fdisk',
  });
}
