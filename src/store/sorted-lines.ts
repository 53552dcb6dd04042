/** Sorting more entries than memory holds: sorted runs on disk, merged at the end. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError, storageError } from '../errors.ts';
import { parseLines } from './line-table.ts';
import { checkManifestPath, entryAt, formatEntry } from './manifest-format.ts';
import { type EntryConflict, mergeRuns } from './run-merge.ts';
import type { ManifestEntry } from './types.ts';

export type { EntryConflict } from './run-merge.ts';

/** Lines kept in memory before a run is written; sorting needs some bytes a line beside them. */
const SORTER_MEMORY_BYTES = 16 * 1024 * 1024;
/** More runs than this are merged into one: each that is read costs a descriptor and a buffer. */
const MAX_RUNS = 64;
const WRITE_BYTES = 256 * 1024;

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
  /** Lines in the form of a manifest, in the order of arrival: no string of any of them is kept. */
  #lines: Buffer;
  #used = 0;
  #starts: number[] = [];
  /** Where the path of each line begins. */
  #paths: number[] = [];
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
    this.#paths.push(end - 1 - Buffer.byteLength(entry.path));
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
  #order(): Uint32Array {
    const order = Uint32Array.from(this.#starts.keys()).sort((a, b) => this.#compare(a, b) || a - b);
    let kept = -1;
    return order.filter((index) => {
      if (kept >= 0 && this.#compare(kept, index) === 0) {
        if (!this.#line(kept).equals(this.#line(index))) this.#report(kept, index);
        return false;
      }
      kept = index;
      return true;
    });
  }

  #compare(a: number, b: number): number {
    const end = (index: number): number => (this.#starts[index + 1] ?? this.#used) - 1;
    return this.#lines.compare(this.#lines, this.#paths[b], end(b), this.#paths[a], end(a));
  }

  #report(index: number, other: number): void {
    const entry = (at: number) =>
      entryAt(parseLines(this.#line(at), { at: 0, numbers: 1, what: 'an entry to sort' }), 0);
    const [kept, dropped] = [entry(index), entry(other)];
    this.#onConflict({ path: kept.path, kept, dropped });
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
      const handle = await open(file, 'wx');
      try {
        for await (const block of blocks) await handle.appendFile(block);
      } finally {
        await handle.close();
      }
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

/** Lines into blocks that are worth a write; a block is good until the next one. No line is as long as a block. */
class Gatherer {
  #block = Buffer.allocUnsafe(WRITE_BYTES);
  #other = Buffer.allocUnsafe(WRITE_BYTES);
  #used = 0;

  /** A full block, if the line did not fit into it any more. */
  add(line: Buffer): Buffer | undefined {
    const full = this.#used + line.length > this.#block.length ? this.rest() : undefined;
    if (full) [this.#block, this.#other] = [this.#other, this.#block];
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
