/** Mirrors of a snapshot as folders: what apt reads by `file:`, and what travels on a medium. */
import { createWriteStream } from 'node:fs';
import { chmod, link, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import { readManifest } from '../store/manifest.ts';
import type { ObjectStore, Sha256 } from '../store/types.ts';

/** Each file is a hard link to its object, which is never written to; a copy where the file system has no more links. */
export async function makeView(
  objects: ObjectStore,
  root: Sha256,
  { folder, signal }: { readonly folder: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const made = new Set<string>();
  try {
    for await (const { path, sha256 } of readManifest(objects, root)) {
      if (signal?.aborted) throw new KubedosError('cancelled', 'bake: stopped');
      const place = join(folder, path);
      const parent = dirname(place);
      if (!made.has(parent)) await mkdir(parent, { recursive: true });
      made.add(parent);
      await layOut(objects, sha256, place);
    }
  } catch (error) {
    throw storageError(`lay out packages in ${folder}`, error);
  }
}

/** One file: a hard link to its object, or a copy. The folder is there. */
export async function layOut(objects: ObjectStore, sha256: Sha256, to: string): Promise<void> {
  const file = objects.localPath?.(sha256);
  try {
    if (file !== undefined) return await link(file, to);
  } catch (error) {
    if (!['EMLINK', 'EXDEV', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
  }
  const stream = await objects.open(sha256);
  if (stream === undefined) throw new KubedosError('store.corrupt', `lay out ${to}: object ${sha256} is not there`);
  await pipeline(stream, createWriteStream(to));
  // As objects are, whatever the umask is.
  await chmod(to, 0o444);
}
