/** Growing columns of numbers: what tables of packages are made of. */

/** A row of a table: small, valid for the life of the table. */
export type Row = number;

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

const CHUNK_BITS = 14;
const CHUNK_LENGTH = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_LENGTH - 1;

/**
 * A column that grows by chunks: nothing is copied, and neither spare room nor the garbage of old copies counts, which
 * for a million rows was a third of the memory. Places that were never set read as 0.
 */
export class Column {
  readonly #chunks: Numbers[] = [];
  readonly #type: new (
    length: number,
  ) => Numbers;

  constructor(type: new (length: number) => Numbers) {
    this.#type = type;
  }

  get(at: number): number {
    const chunk = this.#chunks[at >>> CHUNK_BITS];
    return chunk === undefined ? 0 : (chunk[at & CHUNK_MASK] as number);
  }

  set(at: number, value: number): void {
    const number = at >>> CHUNK_BITS;
    while (this.#chunks.length <= number) this.#chunks.push(new this.#type(CHUNK_LENGTH));
    (this.#chunks[number] as Numbers)[at & CHUNK_MASK] = value;
  }
}

/** Lists of entries by key, both small numbers; an entry is in one list at most. The entry added last comes first. */
export class EntryLists {
  /** Entry + 1, or 0 at the end of a list. */
  readonly #first = new Column(Uint32Array);
  readonly #next = new Column(Uint32Array);

  add(key: number, entry: number): void {
    this.#next.set(entry, this.#first.get(key));
    this.#first.set(key, entry + 1);
  }

  /** First entry of a key, or -1; then `next`. */
  first(key: number): number {
    return this.#first.get(key) - 1;
  }

  next(entry: number): number {
    return this.#next.get(entry) - 1;
  }
}
