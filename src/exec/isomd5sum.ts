/** implantisomd5(1): the checksum within an ISO that Anaconda's media check reads. */
import { run } from './run.ts';

/** In place of one that is there. */
export async function implantChecksum(iso: string, signal?: AbortSignal): Promise<void> {
  await run(['implantisomd5', '--force', iso], {
    timeoutMs: 60 * 60 * 1000,
    maxOutputBytes: 1024 * 1024,
    signal,
    debianPackage: 'isomd5sum',
    offline: true,
  });
}
