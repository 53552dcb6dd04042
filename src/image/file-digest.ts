import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { KubedosError } from '../errors.ts';
import type { dataExtents, Extent } from '../exec/qemu-img.ts';
import { throwIfStopped } from '../store/stop.ts';
import type { ObjectRef } from '../store/types.ts';

const BLOCK_BYTES = 1024 * 1024;
/** Of `stat.blocks`. */
const UNIT_BYTES = 512;

export interface DigestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of a sparse file, in order. Its holes are not read then: the kernel would make pages of zeros of them. */
  readonly dataExtents?: typeof dataExtents | undefined;
}

/** What the store would call a file. */
export async function fileDigest(file: string, options: DigestOptions = {}): Promise<ObjectRef> {
  const { digest, sizeBytes } = await digestFile('sha256', file, options);
  return { sha256: digest, sizeBytes };
}

/** A block is read while the one before it is hashed. New memory for each would cost more than the reading. */
export async function digestFile(
  algorithm: 'md5' | 'sha256',
  file: string,
  { signal, dataExtents }: DigestOptions = {},
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const handle = await open(file);
  try {
    const { size, blocks } = await handle.stat();
    const sparse = dataExtents !== undefined && blocks * UNIT_BYTES < size;
    const pieces = piecesOf(size, sparse ? await dataExtents(file, signal) : [{ start: 0, length: size }]);
    const hash = createHash(algorithm);
    let [full, free] = [Buffer.allocUnsafeSlow(BLOCK_BYTES), Buffer.allocUnsafeSlow(BLOCK_BYTES)];
    const zeros = Buffer.alloc(sparse ? BLOCK_BYTES : 0);
    const take = ({ value }: IteratorResult<Piece>): Promise<Buffer> | Buffer | undefined => {
      if (value === undefined) return undefined;
      return value.data
        ? readWhole(handle, free.subarray(0, value.length), value.start)
        : zeros.subarray(0, value.length);
    };
    let piece = await take(pieces.next());
    while (piece !== undefined) {
      throwIfStopped(signal, `hash ${file}`);
      [full, free] = [free, full];
      const next = take(pieces.next());
      hash.update(piece);
      piece = await next;
    }
    return { digest: hash.digest('hex'), sizeBytes: size };
  } finally {
    await handle.close();
  }
}

interface Piece extends Extent {
  readonly data: boolean;
}

/** All of a file, in order, in pieces of a block at most. */
function* piecesOf(size: number, extents: readonly Extent[]): Generator<Piece, undefined> {
  let at = 0;
  for (const { start, length } of [...extents, { start: size, length: 0 }]) {
    yield* cut(at, start, false);
    const end = Math.min(start + length, size);
    yield* cut(start, end, true);
    at = end;
  }
}

function* cut(from: number, to: number, data: boolean): Generator<Piece> {
  for (let start = from; start < to; start += BLOCK_BYTES)
    yield { start, length: Math.min(BLOCK_BYTES, to - start), data };
}

async function readWhole(handle: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  for (let filled = 0; filled < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) throw new KubedosError('bake.failed', 'hash a file: it became shorter meanwhile');
    filled += bytesRead;
  }
  return buffer;
}
