/** Reading back what was written, past the page cache: the cache would answer for a medium that lost the bytes. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, KubedosError, storageError } from '../errors.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;
/** Media want memory that begins at a multiple of this. */
const ALIGNMENT = 4096;
/** malloc gives no finer alignment than this, so it is the step of the search. */
const STEP = 16;

export interface ReadBack {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** False where the file system knows no O_DIRECT and the page cache may have answered. */
  readonly direct: boolean;
}

export interface ReadBackOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of a device, which is larger than what was written: so much of it. */
  readonly sizeBytes?: number | undefined;
  readonly onBytes?: ((done: number) => void) | undefined;
}

export async function readBack(file: string, options: ReadBackOptions = {}): Promise<ReadBack> {
  const { signal, sizeBytes: wanted = Number.POSITIVE_INFINITY, onBytes } = options;
  try {
    const direct = await openDirect(file);
    const handle = direct?.handle ?? (await open(file, 'r'));
    const block = direct?.block ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    try {
      const digest = createHash('sha256');
      let sizeBytes = 0;
      while (sizeBytes < wanted) {
        if (signal?.aborted) throw new KubedosError('cancelled', `read back ${file}: stopped`);
        const { bytesRead } = await handle.read(block, 0, block.length, sizeBytes);
        if (bytesRead === 0) break;
        const piece = block.subarray(0, Math.min(bytesRead, wanted - sizeBytes));
        digest.update(piece);
        sizeBytes += piece.length;
        onBytes?.(sizeBytes);
        // Only the end of a file leaves a position that O_DIRECT would refuse.
        if (bytesRead < block.length && bytesRead % 512 !== 0) break;
      }
      return { sha256: digest.digest('hex'), sizeBytes, direct: direct !== undefined };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw storageError(`read back ${file}`, error);
  }
}

/**
 * The file opened with O_DIRECT, and a buffer at an address that it takes. Node does not tell addresses: offsets are
 * tried until a read goes through. `undefined` where none does.
 */
async function openDirect(file: string): Promise<{ handle: FileHandle; block: Buffer } | undefined> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_DIRECT ?? 0)).catch((error: unknown) => {
    if (errnoOf(error) === 'EINVAL') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  const room = Buffer.allocUnsafeSlow(BLOCK_BYTES + ALIGNMENT);
  for (let offset = 0; offset < ALIGNMENT; offset += STEP) {
    const block = room.subarray(offset, offset + BLOCK_BYTES);
    try {
      await handle.read(block, 0, ALIGNMENT, 0);
      return { handle, block };
    } catch (error) {
      if (errnoOf(error) !== 'EINVAL') {
        await handle.close();
        throw error;
      }
    }
  }
  await handle.close();
  return undefined;
}
