/** Sorted lists of files as objects: writing, reading, looking up, comparing. The bytes: manifest-format.ts. */
import { KubedosError } from '../errors.ts';
import { comparePaths } from '../formats/path.ts';
import { ChunkWriter, checkEntry } from './chunk-writer.ts';
import { entryAt, loadChunk, loadRoot, type ManifestRoot } from './manifest-format.ts';
import type { ManifestEntry, ManifestRef, ObjectStore, Sha256 } from './types.ts';

export { diffManifests, type ManifestChange } from './manifest-diff.ts';
export { type DirectoryEntry, ManifestReader } from './manifest-reader.ts';

/**
 * Writes the list, which must be strictly ascending by path (see EntrySorter), and returns its root. Chunks that are
 * in the store already are not written again. Memory holds one chunk and a line for each chunk. Not durable before
 * `objects.flush()`, which every write of a head or snapshot does.
 */
export async function writeManifest(
  objects: ObjectStore,
  entries: AsyncIterable<ManifestEntry> | Iterable<ManifestEntry>,
): Promise<ManifestRef> {
  const writer = new ChunkWriter(objects);
  let previous: string | undefined;
  for await (const entry of entries) {
    checkEntry(entry, 'write manifest');
    if (previous !== undefined && comparePaths(previous, entry.path) >= 0) throw misplaced(entry.path, previous);
    previous = entry.path;
    await writer.add(entry);
  }
  return writer.finish();
}

function misplaced(path: string, previous: string): KubedosError {
  const why = previous === path ? 'is there twice' : `comes after ${JSON.stringify(previous)}`;
  return new KubedosError('internal.bug', `write manifest: path ${JSON.stringify(path)} ${why}`);
}

/** Where reading begins, and whose paths it gives; both compare bytes. */
export interface ManifestRange {
  /** First path, inclusive. */
  readonly from?: string | undefined;
  /** Only paths that begin with this: `dists/bookworm/`. */
  readonly prefix?: string | undefined;
}

/** The entries in order; reads only the chunks that can hold them. */
export async function* readManifest(
  objects: ObjectStore,
  root: Sha256,
  { from = '', prefix = '' }: ManifestRange = {},
): AsyncGenerator<ManifestEntry> {
  const list = await loadRoot(objects, root);
  const start = Buffer.from(comparePaths(from, prefix) > 0 ? from : prefix);
  for (let index = Math.max(0, list.indexFor(start)); index < list.table.count; index++) {
    const chunk = await loadChunk(objects, list, index);
    for (let line = chunk.seek(start); line < chunk.count; line++) {
      const entry = entryAt(chunk, line);
      if (!entry.path.startsWith(prefix)) return;
      yield entry;
    }
  }
}

/** For one look. A server keeps a ManifestReader. */
export async function lookupPath(objects: ObjectStore, root: Sha256, path: string): Promise<ManifestEntry | undefined> {
  const list: ManifestRoot = await loadRoot(objects, root);
  const wanted = Buffer.from(path);
  const index = list.indexFor(wanted);
  if (index < 0) return undefined;
  const chunk = await loadChunk(objects, list, index);
  const line = chunk.seek(wanted);
  return line < chunk.count && chunk.compareTo(line, wanted) === 0 ? entryAt(chunk, line) : undefined;
}
