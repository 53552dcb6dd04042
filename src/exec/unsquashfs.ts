/** unsquashfs(1): reads a squashfs without a mount. */
import { run } from './run.ts';

/** unsquashfs(1): what was asked for is not there. */
const NOT_THERE = 2;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The bytes of one file within; `undefined` where there is none of that path. */
export async function readSquashed(file: string, path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const { status, stdout } = await run(['unsquashfs', '-cat', file, path], {
    timeoutMs: 60_000,
    maxOutputBytes: MAX_FILE_BYTES,
    statuses: [0, NOT_THERE],
    signal,
    debianPackage: 'squashfs-tools',
  });
  return status === 0 ? stdout : undefined;
}
