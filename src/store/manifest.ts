/** Sorted lists of files as objects: writing, reading, looking up, comparing. The bytes: manifest-format.ts. */
import { createHash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { comparePaths } from '../formats/path.ts';
import {
  beginsChunk,
  checkManifestPath,
  entryAt,
  formatEntry,
  formatRoot,
  loadChunk,
  loadRoot,
  MAX_CHUNK_FILES,
  type ManifestRoot,
} from './manifest-format.ts';
import { SHA256 } from './names.ts';
import type { ManifestEntry, ManifestRef, ObjectRef, ObjectStore, Sha256 } from './types.ts';

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
  const totals = { files: 0, bytes: 0 };
  const rootLines: string[] = [];
  let lines: string[] = [];
  let first = '';
  let bytes = 0;
  let previous: string | undefined;

  const endChunk = async () => {
    if (lines.length === 0) return;
    const chunk = await putBytes(objects, lines.join(''));
    rootLines.push(`${chunk.sha256} ${chunk.sizeBytes} ${lines.length} ${bytes} ${first}\n`);
    totals.files += lines.length;
    totals.bytes += bytes;
    lines = [];
    bytes = 0;
  };

  for await (const entry of entries) {
    checkEntry(entry, previous);
    previous = entry.path;
    if (lines.length >= MAX_CHUNK_FILES || beginsChunk(entry.path)) await endChunk();
    if (lines.length === 0) first = entry.path;
    lines.push(formatEntry(entry));
    bytes += entry.sizeBytes;
  }
  await endChunk();
  if (!Number.isSafeInteger(totals.bytes)) {
    throw new KubedosError('format.limit', `write manifest: its sizes add up to more than ${Number.MAX_SAFE_INTEGER}`);
  }
  const root = await putBytes(objects, formatRoot(totals, rootLines));
  return { root: root.sha256, ...totals };
}

/** With its hash, so that what is there already is not written again. */
function putBytes(objects: ObjectStore, text: string): Promise<ObjectRef> {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return objects.put([bytes], { sha256, sizeBytes: bytes.length });
}

function checkEntry({ path, sha256, sizeBytes }: ManifestEntry, previous: string | undefined): void {
  checkManifestPath(path, 'write manifest');
  if (previous !== undefined && comparePaths(previous, path) >= 0) {
    const why = previous === path ? 'is there twice' : `comes after ${JSON.stringify(previous)}`;
    throw new KubedosError('internal.bug', `write manifest: path ${JSON.stringify(path)} ${why}`);
  }
  if (!SHA256.test(sha256) || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new KubedosError('internal.bug', `write manifest: ${path} has hash ${sha256} and size ${sizeBytes}`);
  }
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
