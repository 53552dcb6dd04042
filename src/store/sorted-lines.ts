/** Sorting more entries than memory holds: sorted runs on disk, merged at the end. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { KubedosError, storageError } from '../errors.ts';
import { comparePaths } from '../formats/path.ts';
import { parseLines } from './line-table.ts';
import { checkManifestPath, entryAt, formatEntry } from './manifest-format.ts';
import { type EntryConflict, mergeRuns } from './run-merge.ts';
import type { ManifestEntry } from './types.ts';

export type { EntryConflict } from './run-merge.ts';

/** Lines kept in memory before a run is written; sorting needs about as much again. */
const SORTER_MEMORY_BYTES = 16 * 1024 * 1024;
/** More runs than this are merged into one: each that is read costs a descriptor and a buffer. */
const MAX_RUNS = 64;
const WRITE_BYTES = 256 * 1024;
const SURROGATE = /[\ud800-\udfff]/;

export interface EntrySorterOptions {
  /** Where runs may be written, a folder of its own inside: `store.file('tmp')`. Made when the first run is. */
  readonly folder: string;
  readonly memoryBytes?: number;
  /** The same path with another hash or size: the entry that was added first stays. Default: throws `repo.conflict`. */
  readonly onConflict?: (conflict: EntryConflict) => void;
}

/**
 * Takes entries in any order and gives them back by path, each path once. Entries that are equal are merged. Up to
 * some 100,000 entries never touch the disk.
 */
export class EntrySorter {
  readonly #folder: string;
  readonly #memoryBytes: number;
  readonly #onConflict: (conflict: EntryConflict) => void;
  /** Lines in the form of a manifest, in the order of arrival. */
  #lines: Buffer;
  #used = 0;
  #starts: number[] = [];
  #paths: string[] = [];
  #plain = true;
  #runs: string[] = [];
  #runCount = 0;

  constructor({ folder, memoryBytes = SORTER_MEMORY_BYTES, onConflict = refuseConflict }: EntrySorterOptions) {
    this.#folder = join(folder, `sort-${process.pid}-${randomUUID()}`);
    this.#memoryBytes = memoryBytes;
    this.#onConflict = onConflict;
    this.#lines = Buffer.allocUnsafe(Math.min(memoryBytes, 1024 * 1024));
  }

  /** Refuses paths that are not canonical (`format.path`). */
  async add(entry: ManifestEntry): Promise<void> {
    checkManifestPath(entry.path, 'sort entries');
    const line = formatEntry(entry);
    const most = line.length * 3;
    if (this.#used > 0 && this.#used + most > this.#memoryBytes) await this.#spill();
    if (this.#used + most > this.#lines.length) this.#grow(most);
    const end = this.#used + this.#lines.write(line, this.#used);
    this.#starts.push(this.#used);
    // Read back from the buffer: a path cut out of a long text would keep all of that text in memory.
    const pathBytes = Buffer.byteLength(entry.path);
    this.#paths.push(this.#lines.toString('utf8', end - 1 - pathBytes, end - 1));
    this.#plain &&= pathBytes === entry.path.length || !SURROGATE.test(entry.path);
    this.#used = end;
  }

  /** The entries by path. May be read once; the runs on disk go when it ends, also early. */
  async *sorted(): AsyncGenerator<ManifestEntry> {
    try {
      if (this.#runs.length === 0) {
        yield* this.#fromMemory();
        return;
      }
      if (this.#used > 0) await this.#spill();
      for await (const { table, line } of mergeRuns(this.#runs, this.#onConflict)) yield entryAt(table, line);
    } finally {
      await this.dispose();
    }
  }

  /** Lets go of what is on disk; for a sorter that is given up before `sorted`. */
  async dispose(): Promise<void> {
    this.#reset();
    if (this.#runCount > 0) await rm(this.#folder, { recursive: true, force: true });
    this.#runs = [];
  }

  *#fromMemory(): Generator<ManifestEntry> {
    for (const block of this.#sortedBlocks()) {
      const table = parseLines(block, { at: 0, numbers: 1, what: 'entries that were sorted' });
      for (let line = 0; line < table.count; line++) yield entryAt(table, line);
    }
  }

  /** Indexes by path, then by arrival; repeats of a path left out and conflicts reported. */
  #order(): number[] {
    const paths = this.#paths;
    const path = (index: number) => paths[index] ?? '';
    const compare = this.#plain
      ? (a: number, b: number) => (path(a) < path(b) ? -1 : path(a) > path(b) ? 1 : a - b)
      : (a: number, b: number) => comparePaths(path(a), path(b)) || a - b;
    const order = Array.from(paths, (_, index) => index).sort(compare);
    let kept = -1;
    return order.filter((index) => {
      if (kept >= 0 && path(kept) === path(index)) {
        if (!this.#line(kept).equals(this.#line(index))) this.#report(kept, index);
        return false;
      }
      kept = index;
      return true;
    });
  }

  #report(kept: number, dropped: number): void {
    const entry = (index: number) =>
      entryAt(parseLines(this.#line(index), { at: 0, numbers: 1, what: 'an entry to sort' }), 0);
    this.#onConflict({ path: this.#paths[kept] ?? '', kept: entry(kept), dropped: entry(dropped) });
  }

  #line(index: number): Buffer {
    return this.#lines.subarray(this.#starts[index], this.#starts[index + 1] ?? this.#used);
  }

  async #spill(): Promise<void> {
    await this.#writeRun(this.#sortedBlocks());
    this.#reset();
    if (this.#runs.length < MAX_RUNS) return;
    const merged = this.#runs;
    this.#runs = [];
    await this.#writeRun(mergedBlocks(merged, this.#onConflict));
    await Promise.all(merged.map((run) => rm(run)));
  }

  async #writeRun(blocks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      this.#runCount += 1;
      const file = join(this.#folder, String(this.#runCount));
      await pipeline(blocks, createWriteStream(file));
      this.#runs.push(file);
    } catch (error) {
      throw storageError(`sort in ${this.#folder}`, error);
    }
  }

  *#sortedBlocks(): Generator<Buffer> {
    const gather = new Gatherer();
    for (const index of this.#order()) {
      const full = gather.add(this.#line(index));
      if (full) yield full;
    }
    yield gather.rest();
  }

  #grow(most: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#used + most, this.#lines.length * 2));
    this.#lines.copy(grown, 0, 0, this.#used);
    this.#lines = grown;
  }

  #reset(): void {
    this.#used = 0;
    this.#starts = [];
    this.#paths = [];
    this.#plain = true;
  }
}

async function* mergedBlocks(
  runs: readonly string[],
  onConflict: (conflict: EntryConflict) => void,
): AsyncGenerator<Buffer> {
  const gather = new Gatherer();
  for await (const { table, line } of mergeRuns(runs, onConflict)) {
    const full = gather.add(table.lineBytes(line));
    if (full) yield full;
  }
  yield gather.rest();
}

/** Lines into blocks that are worth a write. */
class Gatherer {
  #block = Buffer.allocUnsafe(WRITE_BYTES);
  #used = 0;

  /** A full block, if the line did not fit into it any more. */
  add(line: Buffer): Buffer | undefined {
    const full = this.#used + line.length > this.#block.length ? this.rest() : undefined;
    if (full) this.#block = Buffer.allocUnsafe(Math.max(WRITE_BYTES, line.length));
    line.copy(this.#block, this.#used);
    this.#used += line.length;
    return full;
  }

  rest(): Buffer {
    const block = this.#block.subarray(0, this.#used);
    this.#used = 0;
    return block;
  }
}

function refuseConflict({ path, kept, dropped }: EntryConflict): never {
  throw new KubedosError(
    'repo.conflict',
    `list ${path}: named with SHA-256 ${kept.sha256} (${kept.sizeBytes} bytes) and ${dropped.sha256} (${dropped.sizeBytes} bytes)`,
  );
}
