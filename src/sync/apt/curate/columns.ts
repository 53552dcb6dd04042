/** Growing columns of numbers: what the package table is made of. */

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

/** What tells packages apart, as numbers. */
export interface Identity {
  readonly name: number;
  readonly version: number;
  readonly architecture: number;
  /** 32 bits of the strongest digest: enough to tell packages of one name, version and architecture apart. */
  readonly digest: number;
}

export interface ColumnValues extends Identity {
  readonly source: number;
  readonly section: number;
  readonly flags: number;
  readonly index: number;
  /** Byte in the stanza file: beyond 4 GiB for the largest. */
  readonly place: number;
  readonly length: number;
}

/** The columns of the package table: 34 bytes a row. */
export class PackageColumns {
  count = 0;
  readonly name = new Column(Uint32Array);
  readonly version = new Column(Uint32Array);
  readonly architecture = new Column(Uint8Array);
  readonly digest = new Column(Uint32Array);
  readonly source = new Column(Uint32Array);
  readonly section = new Column(Uint16Array);
  readonly flags = new Column(Uint8Array);
  readonly index = new Column(Uint16Array);
  readonly place = new Column(Float64Array);
  readonly length = new Column(Uint32Array);

  add(values: ColumnValues): number {
    const row = this.count++;
    this.name.set(row, values.name);
    this.version.set(row, values.version);
    this.architecture.set(row, values.architecture);
    this.digest.set(row, values.digest);
    this.source.set(row, values.source);
    this.section.set(row, values.section);
    this.flags.set(row, values.flags);
    this.index.set(row, values.index);
    this.place.set(row, values.place);
    this.length.set(row, values.length);
    return row;
  }

  holds(row: number, { name, version, architecture, digest }: Identity): boolean {
    return (
      this.version.get(row) === version &&
      this.digest.get(row) === digest &&
      this.architecture.get(row) === architecture &&
      this.name.get(row) === name
    );
  }
}
