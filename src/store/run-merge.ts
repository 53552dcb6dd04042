import { open } from 'node:fs/promises';
import { storageError } from '../errors.ts';
import { type LineTable, parseLines } from './line-table.ts';
import { entryAt } from './manifest-format.ts';
import type { ManifestEntry } from './types.ts';

/** Read from each run at a time. Longer than the longest line. */
const BLOCK_BYTES = 128 * 1024;
const NEWLINE = 0x0a;

export interface EntryConflict {
  readonly path: string;
  readonly kept: ManifestEntry;
  readonly dropped: ManifestEntry;
}

export interface MergedLine {
  readonly table: LineTable;
  readonly line: number;
}

/**
 * Merges files of sorted lines; of lines with one path that of the earliest run stays. What is yielded is good until
 * the next one is asked for.
 */
export async function* mergeRuns(
  runs: readonly string[],
  onConflict: (conflict: EntryConflict) => void,
): AsyncGenerator<MergedLine> {
  const heap: RunCursor[] = [];
  const cursors = runs.map((file, age) => new RunCursor(readTables(file), age));
  try {
    for (const cursor of cursors) if (await cursor.advance()) push(heap, cursor);
    let kept: MergedLine | undefined;
    for (let top = heap[0]; top; top = heap[0]) {
      const { table, line } = top;
      if (kept && kept.table.comparePaths(kept.line, table, line) === 0) {
        if (!kept.table.sameLine(kept.line, table, line)) {
          const entry = entryAt(kept.table, kept.line);
          onConflict({ path: entry.path, kept: entry, dropped: entryAt(table, line) });
        }
      } else {
        kept = { table, line };
        yield kept;
      }
      if (top.step() || (await top.advance())) sink(heap);
      else pop(heap);
    }
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

class RunCursor {
  readonly age: number;
  readonly #tables: AsyncGenerator<LineTable>;
  #table: LineTable | undefined;
  line = 0;

  constructor(tables: AsyncGenerator<LineTable>, age: number) {
    this.#tables = tables;
    this.age = age;
  }

  get table(): LineTable {
    if (this.#table) return this.#table;
    throw new RangeError('a cursor is asked for its line before it was advanced');
  }

  step(): boolean {
    this.line += 1;
    return this.line < this.table.count;
  }

  async advance(): Promise<boolean> {
    const next = await this.#tables.next();
    if (next.done) return false;
    this.#table = next.value;
    this.line = 0;
    return true;
  }

  async close(): Promise<void> {
    await this.#tables.return(undefined);
  }

  isBefore(other: RunCursor): boolean {
    const order = this.table.comparePaths(this.line, other.table, other.line);
    return order === 0 ? this.age < other.age : order < 0;
  }
}

/** The run in tables of whole lines. */
async function* readTables(file: string): AsyncGenerator<LineTable> {
  const handle = await open(file, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const block = Buffer.allocUnsafe(rest.length + BLOCK_BYTES);
      rest.copy(block);
      const { bytesRead } = await handle.read(block, rest.length, BLOCK_BYTES);
      if (bytesRead === 0) return;
      const filled = block.subarray(0, rest.length + bytesRead);
      const end = filled.lastIndexOf(NEWLINE) + 1;
      rest = filled.subarray(end);
      if (end > 0) yield parseLines(filled.subarray(0, end), { at: 0, numbers: 1, what: `run ${file}` });
    }
  } catch (error) {
    throw storageError(`sort: read ${file}`, error);
  } finally {
    await handle.close();
  }
}

function push(heap: RunCursor[], cursor: RunCursor): void {
  heap.push(cursor);
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!swapIfBefore(heap, at, parent)) return;
    at = parent;
  }
}

function pop(heap: RunCursor[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  heap[0] = last;
  sink(heap);
}

/** Restores the order after the top has moved on. */
function sink(heap: RunCursor[]): void {
  for (let at = 0; ; ) {
    const left = 2 * at + 1;
    const right = left + 1;
    const leftCursor = heap[left];
    if (!leftCursor) return;
    const least = heap[right]?.isBefore(leftCursor) ? right : left;
    if (!swapIfBefore(heap, least, at)) return;
    at = least;
  }
}

function swapIfBefore(heap: RunCursor[], child: number, parent: number): boolean {
  const below = heap[child];
  const above = heap[parent];
  if (!below || !above || !below.isBefore(above)) return false;
  heap[child] = above;
  heap[parent] = below;
  return true;
}
