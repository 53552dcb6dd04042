import { release } from 'node:os';
import { KubedosError } from '../errors.ts';
import { run } from './run.ts';

/** Before Linux 5.8 syncfs(2) did not tell of bytes that could not be written. */
const TELLS_OF_ERRORS = { major: 5, minor: 8 };

/** As long as a disk may take to write what all programs have left to it. */
const TIMEOUT_MS = 30 * 60_000;

/** Makes durable what was written to the file system of a folder, by sync(1). Fails where that cannot be relied upon. */
export async function syncFileSystem(folder: string): Promise<void> {
  if (process.platform !== 'linux' || !tellsOfErrors(release())) {
    throw new KubedosError(
      'exec.failed',
      `sync ${folder}: this kernel would not tell of bytes that it could not write`,
    );
  }
  await run(['sync', '--file-system', folder], { timeoutMs: TIMEOUT_MS, maxOutputBytes: 0 });
}

function tellsOfErrors(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return major > TELLS_OF_ERRORS.major || (major === TELLS_OF_ERRORS.major && minor >= TELLS_OF_ERRORS.minor);
}
