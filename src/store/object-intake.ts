/** How bytes get into a temporary file: hashed on the way, in few large writes. */
import { createHash } from 'node:crypto';
import { KubedosError, storageError } from '../errors.ts';
import { type FileSystem, writeAll } from './file-system.ts';
import type { ByteSource, ObjectRef } from './types.ts';

/** Small chunks are gathered up to this before they are written: generators of index text yield a stanza at a time. */
const GATHER_BYTES = 128 * 1024;

/** Drains the source, hashing; refuses (`store.hash-mismatch`) what is not as expected, at the first byte too many. */
export async function hashInto(
  source: ByteSource,
  expected: Partial<ObjectRef>,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<ObjectRef> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.length;
    if (expected.sizeBytes !== undefined && sizeBytes > expected.sizeBytes) {
      throw mismatch(expected, `more than ${expected.sizeBytes} bytes`);
    }
    hash.update(chunk);
    await write(chunk);
  }
  const sha256 = hash.digest('hex');
  if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes)
    throw mismatch(expected, `${sizeBytes} bytes`);
  if (expected.sha256 !== undefined && sha256 !== expected.sha256)
    throw mismatch(expected, `SHA-256 ${sha256}`, sha256);
  return { sha256, sizeBytes };
}

/** Writes the source into a new file of mode 0444. On any failure the file is gone again. */
export async function writeTemporary(
  files: FileSystem,
  file: string,
  fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<ObjectRef>,
): Promise<ObjectRef> {
  const storage = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw storageError(`store an object in ${file}`, error);
    }
  };
  // The mode counts for later openings only: this descriptor may write.
  const fd = await storage(files.open(file, 'wx', 0o444));
  let parts: Buffer[] = [];
  let gathered = 0;
  const drain = async () => {
    if (gathered === 0) return;
    const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, gathered);
    parts = [];
    gathered = 0;
    await storage(writeAll(files, fd, bytes));
  };
  try {
    try {
      const ref = await fill(async (chunk) => {
        if (gathered + chunk.length < GATHER_BYTES) {
          // A copy: the source may use its buffer again once we ask for the next chunk.
          parts.push(Buffer.from(chunk));
          gathered += chunk.length;
          return;
        }
        await drain();
        await storage(writeAll(files, fd, chunk));
      });
      await drain();
      return ref;
    } finally {
      await storage(files.close(fd));
    }
  } catch (error) {
    await files.unlink(file).catch(() => undefined);
    throw error;
  }
}

function mismatch(expected: Partial<ObjectRef>, got: string, sha256?: string): KubedosError {
  const wanted = [
    expected.sha256 === undefined ? '' : `SHA-256 ${expected.sha256}`,
    expected.sizeBytes === undefined ? '' : `${expected.sizeBytes} bytes`,
  ];
  return new KubedosError(
    'store.hash-mismatch',
    `store an object: got ${got}, expected ${wanted.filter((part) => part !== '').join(', ')}`,
    { details: { expected, ...(sha256 === undefined ? {} : { sha256 }) } },
  );
}
