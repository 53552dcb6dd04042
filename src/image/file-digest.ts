import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { throwIfStopped } from '../store/stop.ts';
import type { ObjectRef } from '../store/types.ts';

const BLOCK_BYTES = 1024 * 1024;

/** What the store would call a file. */
export async function fileDigest(file: string, signal?: AbortSignal): Promise<ObjectRef> {
  const { digest, sizeBytes } = await digestFile('sha256', file, signal);
  return { sha256: digest, sizeBytes };
}

/** A block is read while the one before it is hashed. New memory for each would cost more than the reading. */
export async function digestFile(
  algorithm: 'md5' | 'sha256',
  file: string,
  signal?: AbortSignal,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const handle = await open(file);
  try {
    const hash = createHash(algorithm);
    let [full, free] = [Buffer.allocUnsafeSlow(BLOCK_BYTES), Buffer.allocUnsafeSlow(BLOCK_BYTES)];
    let sizeBytes = 0;
    let { bytesRead } = await handle.read(full);
    while (bytesRead > 0) {
      throwIfStopped(signal, `hash ${file}`);
      const next = handle.read(free);
      hash.update(full.subarray(0, bytesRead));
      sizeBytes += bytesRead;
      [full, free] = [free, full];
      ({ bytesRead } = await next);
    }
    return { digest: hash.digest('hex'), sizeBytes };
  } finally {
    await handle.close();
  }
}
