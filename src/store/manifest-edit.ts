/** A list with changes, at the cost of the changes: chunks that no change touches are neither read nor written. */
import { comparePaths } from '../formats/path.ts';
import { ChunkWriter, checkEntry } from './chunk-writer.ts';
import { entryAt, loadChunk, loadRoot, MAX_CHUNK_FILES, type ManifestRoot } from './manifest-format.ts';
import type { ManifestEntry, ManifestRef, ObjectStore, Sha256 } from './types.ts';

export interface ManifestEdit {
  /** New, or in place of what is there under the same path. In any order; of one path the last counts. */
  readonly set?: Iterable<ManifestEntry> | undefined;
  /** Paths that go, if they are there; one that is also set stays set. */
  readonly remove?: Iterable<string> | undefined;
}

/** A change of one path; `undefined`: it goes. */
type Change = readonly [path: string, entry: ManifestEntry | undefined];

/** The same list as writing all of it anew gives, to the byte. Holds the changes in memory. Durable after `flush`. */
export async function editManifest(objects: ObjectStore, base: Sha256, edit: ManifestEdit): Promise<ManifestRef> {
  const changes = sortedChanges(edit);
  const root = await loadRoot(objects, base);
  const byChunk = groupByChunk(root, changes);
  const writer = new ChunkWriter(objects);
  const chunks = root.table.count;
  for (let index = 0; index < chunks; index++) {
    if (isUntouched(root, index, byChunk) && (await writer.closeBefore(root.table.path(index)))) {
      writer.copy(root, index);
      continue;
    }
    const chunk = await loadChunk(objects, root, index);
    const old = Array.from({ length: chunk.count }, (_, line) => entryAt(chunk, line));
    for (const entry of merged(old, byChunk.get(index) ?? [])) await writer.add(entry);
  }
  if (chunks === 0) for (const [, entry] of changes) if (entry !== undefined) await writer.add(entry);
  return writer.finish();
}

function sortedChanges({ set = [], remove = [] }: ManifestEdit): Change[] {
  const changes = new Map<string, ManifestEntry | undefined>();
  for (const path of remove) changes.set(path, undefined);
  for (const entry of set) {
    checkEntry(entry, 'edit manifest');
    changes.set(entry.path, entry);
  }
  return [...changes].sort(([a], [b]) => comparePaths(a, b));
}

/** What sorts before all chunks belongs to the first. */
function groupByChunk(root: ManifestRoot, changes: readonly Change[]): Map<number, Change[]> {
  const groups = new Map<number, Change[]>();
  for (const change of changes) {
    const index = Math.max(0, root.indexFor(Buffer.from(change[0])));
    const group = groups.get(index);
    if (group === undefined) groups.set(index, [change]);
    else group.push(change);
  }
  return groups;
}

/** No change within it, and what follows it still begins a chunk of its own. */
function isUntouched(root: ManifestRoot, index: number, byChunk: ReadonlyMap<number, readonly Change[]>): boolean {
  if (byChunk.has(index)) return false;
  if (index + 1 === root.table.count || root.chunk(index).files >= MAX_CHUNK_FILES) return true;
  const next = root.table.path(index + 1);
  return !byChunk.get(index + 1)?.some(([path, entry]) => path === next && entry === undefined);
}

function* merged(old: readonly ManifestEntry[], changes: readonly Change[]): Generator<ManifestEntry> {
  let next = 0;
  for (const entry of old) {
    for (; next < changes.length; next++) {
      const [path, change] = changes[next] as Change;
      if (comparePaths(path, entry.path) >= 0) break;
      if (change !== undefined) yield change;
    }
    const [path, change] = changes[next] ?? [];
    if (path !== entry.path) yield entry;
    else {
      next += 1;
      if (change !== undefined) yield change;
    }
  }
  for (const [, change] of changes.slice(next)) if (change !== undefined) yield change;
}
