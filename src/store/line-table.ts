import { isUtf8 } from 'node:buffer';
import { KubedosError } from '../errors.ts';
import { MAX_PATH_BYTES } from '../formats/path.ts';
import type { Sha256 } from './types.ts';

const HASH_LENGTH = 64;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const DELETE = 0x7f;

export interface LineForm {
  /** Where the first line begins. */
  readonly at: number;
  /** How many numbers stand between hash and path. */
  readonly numbers: number;
  /** For messages: "chunk 3f2a… of manifest …". */
  readonly what: string;
}

/**
 * Lines `<sha256> <number>… <path>\n`, ascending by the bytes of the path, over the buffer that they were read in:
 * no object a line, so that a server can keep many of them and look up in microseconds.
 */
export class LineTable {
  readonly bytes: Buffer;
  readonly count: number;
  /** Where each line begins; one more, at the end, where the next would. */
  readonly #lines: Uint32Array;
  readonly #paths: Uint32Array;

  constructor(bytes: Buffer, lines: Uint32Array, paths: Uint32Array) {
    this.bytes = bytes;
    this.count = paths.length;
    this.#lines = lines;
    this.#paths = paths;
  }

  /** What it holds in memory, for bounded caches. */
  get memoryBytes(): number {
    return this.bytes.length + this.#lines.byteLength + this.#paths.byteLength + 200;
  }

  sha256(index: number): Sha256 {
    const start = this.#line(index);
    return this.bytes.toString('latin1', start, start + HASH_LENGTH);
  }

  /** The `which`th number (from 0) of a line. */
  number(index: number, which: number): number {
    let at = this.#line(index) + HASH_LENGTH + 1;
    for (let skip = which; skip > 0; at++) if (this.bytes[at] === SPACE) skip--;
    let value = 0;
    for (let byte = this.bytes[at] ?? SPACE; byte !== SPACE; byte = this.bytes[++at] ?? SPACE) {
      value = value * 10 + (byte - 0x30);
    }
    return value;
  }

  path(index: number): string {
    return this.bytes.toString('utf8', this.#path(index), this.#pathEnd(index));
  }

  /** The whole line with its newline. */
  lineBytes(index: number): Buffer {
    return this.bytes.subarray(this.#line(index), this.#line(index + 1));
  }

  /** Negative where the path of line `index` sorts before `path`. */
  compareTo(index: number, path: Uint8Array): number {
    return this.bytes.compare(path, 0, path.length, this.#path(index), this.#pathEnd(index));
  }

  /** Negative where the path of line `index` sorts before that of line `other` in `table`. */
  comparePaths(index: number, table: LineTable, other: number): number {
    const end = table.#pathEnd(other);
    return this.bytes.compare(table.bytes, table.#path(other), end, this.#path(index), this.#pathEnd(index));
  }

  sameLine(index: number, table: LineTable, other: number): boolean {
    const start = table.#line(other);
    return this.bytes.compare(table.bytes, start, table.#pathEnd(other), this.#line(index), this.#pathEnd(index)) === 0;
  }

  /** The first line whose path is not before `path`; `count` if there is none. */
  seek(path: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareTo(middle, path) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #line(index: number): number {
    return this.#lines[index] ?? this.bytes.length;
  }

  #path(index: number): number {
    return this.#paths[index] ?? this.bytes.length;
  }

  #pathEnd(index: number): number {
    return this.#line(index + 1) - 1;
  }
}

/** Reads and checks every byte; `store.corrupt` with the number of the line where form or order is broken. */
export function parseLines(bytes: Buffer, { at: from, numbers, what }: LineForm): LineTable {
  // The shortest line has a hash, one-digit numbers and a path of one byte.
  const most = Math.ceil((bytes.length - from) / (HASH_LENGTH + 2 * numbers + 3)) + 1;
  const lines = new Uint32Array(most + 1);
  const paths = new Uint32Array(most);
  let count = 0;
  let previous = -1;
  let previousEnd = -1;
  const refuse = (why: string) => new KubedosError('store.corrupt', `read ${what}: line ${count + 1}: ${why}`);
  if (!isUtf8(bytes)) throw new KubedosError('store.corrupt', `read ${what}: it is not UTF-8`);
  for (let at = from; at < bytes.length; count++) {
    lines[count] = at;
    const start = skipNumbers(bytes, skipHash(bytes, at), numbers);
    if (start < 0) throw refuse('expected a SHA-256, numbers and a path, one space between them');
    const end = pathEnd(bytes, start);
    if (end < 0) throw refuse('the path is not canonical, or the line is cut off');
    if (previous >= 0 && bytes.compare(bytes, previous, previousEnd, start, end) <= 0) {
      throw refuse('the path does not sort after the one before it');
    }
    paths[count] = start;
    previous = start;
    previousEnd = end;
    at = end + 1;
  }
  lines[count] = bytes.length;
  return new LineTable(bytes, lines.slice(0, count + 1), paths.slice(0, count));
}

/** Behind the hash and its space, or -1. */
function skipHash(bytes: Buffer, from: number): number {
  const end = from + HASH_LENGTH;
  for (let at = from; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return -1;
  }
  return bytes[end] === SPACE ? end + 1 : -1;
}

/** Behind that many decimal numbers, each with its space, or -1. */
function skipNumbers(bytes: Buffer, from: number, numbers: number): number {
  let at = from;
  for (let left = numbers; left > 0 && at >= 0; left--) {
    const start = at;
    let value = 0;
    for (let byte = bytes[at] ?? 0; byte >= 0x30 && byte <= 0x39; byte = bytes[++at] ?? 0) {
      value = value * 10 + (byte - 0x30);
    }
    const padded = at - start > 1 && bytes[start] === 0x30;
    at = at === start || padded || value > Number.MAX_SAFE_INTEGER || bytes[at] !== SPACE ? -1 : at + 1;
  }
  return at;
}

/** The newline behind a canonical path that begins at `start`, or -1. See formats/path.ts for what is canonical. */
function pathEnd(bytes: Buffer, start: number): number {
  let segment = start;
  let at = start;
  for (; ; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SLASH || byte === NEWLINE) {
      const length = at - segment;
      if (length === 0) return -1;
      if (length <= 2 && bytes[segment] === DOT && bytes[at - 1] === DOT) return -1;
      if (byte === NEWLINE) break;
      segment = at + 1;
    } else if (byte < SPACE || byte === DELETE || byte === BACKSLASH) {
      return -1;
    }
  }
  return at - start <= MAX_PATH_BYTES ? at : -1;
}
