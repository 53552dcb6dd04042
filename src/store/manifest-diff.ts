import type { LineTable } from './line-table.ts';
import { entryAt, loadChunk, loadRoot, type ManifestRoot } from './manifest-format.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from './types.ts';

export interface ManifestChange {
  readonly path: string;
  /** Absent: the path is new. */
  readonly before?: ManifestEntry;
  /** Absent: the path is gone. */
  readonly after?: ManifestEntry;
}

/**
 * What differs between two lists, in the order of paths. Chunks that both have are not read: it costs two roots and
 * the changed chunks.
 */
export async function* diffManifests(
  objects: ObjectStore,
  before: Sha256,
  after: Sha256,
): AsyncGenerator<ManifestChange> {
  if (before === after) return;
  const old = new Position(objects, await loadRoot(objects, before));
  const now = new Position(objects, await loadRoot(objects, after));
  while (!old.done || !now.done) {
    if (old.skipsEqualChunk(now) || old.skipsEqualLine(now)) continue;
    const order = old.done ? 1 : now.done ? -1 : old.compare(now);
    if (order < 0) {
      const entry = await old.take();
      yield { path: entry.path, before: entry };
    } else if (order > 0) {
      const entry = await now.take();
      yield { path: entry.path, after: entry };
    } else {
      // The same path in chunks that differ: read both, unless the line is the same after all.
      await Promise.all([old.load(), now.load()]);
      if (old.skipsEqualLine(now)) continue;
      const entry = await now.take();
      yield { path: entry.path, before: await old.take(), after: entry };
    }
  }
}

/** A place in a list. A chunk is read only once more than its first path, which the root has too, is asked for. */
class Position {
  readonly #objects: ObjectStore;
  readonly #root: ManifestRoot;
  #index = 0;
  chunk: LineTable | undefined;
  line = 0;

  constructor(objects: ObjectStore, root: ManifestRoot) {
    this.#objects = objects;
    this.#root = root;
  }

  get done(): boolean {
    return this.#index >= this.#root.table.count;
  }

  compare(other: Position): number {
    const otherTable = other.chunk ?? other.#root.table;
    const otherLine = other.chunk ? other.line : other.#index;
    return (this.chunk ?? this.#root.table).comparePaths(this.chunk ? this.line : this.#index, otherTable, otherLine);
  }

  /** Where both stand at the beginning of the same chunk: moves both behind it. */
  skipsEqualChunk(other: Position): boolean {
    if (this.done || other.done || this.line !== 0 || other.line !== 0) return false;
    if (this.#root.table.sha256(this.#index) !== other.#root.table.sha256(other.#index)) return false;
    this.#nextChunk();
    other.#nextChunk();
    return true;
  }

  /** Where both stand at the same line of chunks that were read: moves both behind it. */
  skipsEqualLine(other: Position): boolean {
    if (!this.chunk || !other.chunk || !this.chunk.sameLine(this.line, other.chunk, other.line)) return false;
    this.step();
    other.step();
    return true;
  }

  async load(): Promise<LineTable> {
    this.chunk ??= await loadChunk(this.#objects, this.#root, this.#index);
    return this.chunk;
  }

  async take(): Promise<ManifestEntry> {
    const entry = entryAt(this.chunk ?? (await this.load()), this.line);
    this.step();
    return entry;
  }

  step(): void {
    this.line += 1;
    if (this.chunk && this.line >= this.chunk.count) this.#nextChunk();
  }

  #nextChunk(): void {
    this.#index += 1;
    this.chunk = undefined;
    this.line = 0;
  }
}
