/** An artifact as a file: sparse where it is zero, and there as a whole or not at all. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KubedosError, storageError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { fsyncFolder, nodeFileSystem } from '../store/file-system.ts';
import type { ManifestEntry, ObjectStore } from '../store/types.ts';

const STEP_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(STEP_BYTES);

/** Replaces what is there. */
export async function exportFile(
  objects: ObjectStore,
  { path, sha256, sizeBytes }: ManifestEntry,
  to: string,
  run: Run = {},
): Promise<void> {
  const partial = join(dirname(to), `.${basename(to)}.${process.pid}.partial`);
  run.onEvent?.({ type: 'phase', phase: `write ${to}`, bytes: sizeBytes });
  try {
    const handle = await open(partial, 'wx');
    try {
      await handle.truncate(sizeBytes);
      const digest = createHash('sha256');
      let at = 0;
      for await (const chunk of blocksOf(await openArtifact(objects, { path, sha256 }), run)) {
        digest.update(chunk);
        await writeSparse(handle, chunk, at);
        at += chunk.length;
        run.onEvent?.({ type: 'advance', files: 0, bytes: at });
      }
      checkDigest(digest.digest('hex'), { path, sha256 });
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, to);
    await fsyncFolder(nodeFileSystem, dirname(to));
  } catch (error) {
    await rm(partial, { force: true });
    throw storageError(`export ${path} to ${to}`, error);
  }
}

export async function openArtifact(
  objects: ObjectStore,
  { path, sha256 }: Pick<ManifestEntry, 'path' | 'sha256'>,
): Promise<AsyncIterable<Buffer>> {
  const stream = await objects.open(sha256);
  if (stream !== undefined) return stream;
  throw new KubedosError('store.not-found', `export ${path}: object ${sha256} is missing`, {
    hint: 'bake the image again, or import the bundle that brought it',
  });
}

/** What comes, until somebody stops it. */
export async function* blocksOf(source: AsyncIterable<Buffer>, { signal }: Run): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    if (signal?.aborted) throw new KubedosError('cancelled', 'export: stopped');
    yield chunk;
  }
}

export function checkDigest(got: string, { path, sha256 }: Pick<ManifestEntry, 'path' | 'sha256'>): void {
  if (got === sha256) return;
  throw new KubedosError('store.bad-object', `export ${path}: its bytes hash to ${got}, expected ${sha256}`, {
    hint: 'the store is damaged: `kubedos store scrub` says how far; bake the image again',
  });
}

async function writeSparse(handle: FileHandle, chunk: Buffer, at: number): Promise<void> {
  for (let offset = 0; offset < chunk.length; offset += STEP_BYTES) {
    const piece = chunk.subarray(offset, offset + STEP_BYTES);
    if (!piece.equals(ZEROS.subarray(0, piece.length))) await writeAt(handle, piece, at + offset);
  }
}

/** Whatever the kernel takes at once. */
export async function writeAt(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}
