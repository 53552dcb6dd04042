import { KubedosError } from '../../errors.ts';
import { Column } from './columns.ts';

const BLOCK_BITS = 18;
const BLOCK_BYTES = 1 << BLOCK_BITS;
/** Longest string, in bytes: names and versions are short, and each must fit into a block. */
const MAX_STRING_BYTES = 16 * 1024;

/**
 * Distinct strings as small numbers. A million names take 50 MB here and 120 MB as a Map of strings: their bytes lie in
 * blocks and are found through a table of slots (open addressing, at most half full).
 */
export class StringPool {
  readonly #blocks: Buffer[] = [];
  /** Places of the first byte and of the one after the last, counted over all blocks. */
  readonly #starts = new Column(Uint32Array);
  readonly #ends = new Column(Uint32Array);
  #count = 0;
  #free = 0;
  /** id + 1, or 0 for a free slot. */
  #slots = new Uint32Array(4096);
  /** Where the last search ended: the slot it looked at, and the place of the text that it wrote. */
  #slot = 0;
  #start = 0;
  #end = 0;

  get count(): number {
    return this.#count;
  }

  /** The number of the string; a new one for a new string. Numbers count up from 0. `format.limit` for a monstrous one. */
  intern(text: string): number {
    const known = this.#search(text);
    if (known >= 0) return known;
    const id = this.#count++;
    this.#starts.set(id, this.#start);
    this.#ends.set(id, this.#end);
    this.#free = this.#end;
    this.#slots[this.#slot] = id + 1;
    if (this.#count * 2 > this.#slots.length) this.#widenSlots();
    return id;
  }

  /** The number of the string, or -1. */
  find(text: string): number {
    return this.#search(text);
  }

  get(id: number): string {
    const start = this.#starts.get(id);
    const from = start & (BLOCK_BYTES - 1);
    return this.#block(start).toString('utf8', from, from + this.#ends.get(id) - start);
  }

  /** Order of the strings by their bytes. */
  compare(a: number, b: number): number {
    if (a === b) return 0;
    const [startA, startB] = [this.#starts.get(a), this.#starts.get(b)];
    const [blockA, blockB] = [this.#block(startA), this.#block(startB)];
    const [fromA, fromB] = [startA & (BLOCK_BYTES - 1), startB & (BLOCK_BYTES - 1)];
    const [lengthA, lengthB] = [this.#ends.get(a) - startA, this.#ends.get(b) - startB];
    for (let at = 0; at < lengthA && at < lengthB; at++) {
      const difference = (blockA[fromA + at] as number) - (blockB[fromB + at] as number);
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }

  /** Writes the text behind the last string, where it stays if it turns out to be new. */
  #search(text: string): number {
    const most = text.length * 3;
    if (most > MAX_STRING_BYTES)
      throw new KubedosError('format.limit', `read a name or version: longer than ${MAX_STRING_BYTES / 3} characters`);
    const start = (this.#free & (BLOCK_BYTES - 1)) + most > BLOCK_BYTES ? this.#nextBlock() : this.#free;
    const block = this.#block(start);
    const from = start & (BLOCK_BYTES - 1);
    const to = from + block.write(text, from);
    const mask = this.#slots.length - 1;
    let slot = hash(block, from, to) & mask;
    for (;;) {
      const id = (this.#slots[slot] as number) - 1;
      if (id < 0 || this.#holds(id, block, from, to)) {
        this.#slot = slot;
        this.#start = start;
        this.#end = start + to - from;
        return id;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** By hand: the strings are short, and a native comparison costs more than it saves. */
  #holds(id: number, block: Buffer, from: number, to: number): boolean {
    const start = this.#starts.get(id);
    if (this.#ends.get(id) - start !== to - from) return false;
    const other = this.#block(start);
    let at = start & (BLOCK_BYTES - 1);
    for (let own = from; own < to; own++) if (other[at++] !== block[own]) return false;
    return true;
  }

  #nextBlock(): number {
    return (Math.floor(this.#free / BLOCK_BYTES) + 1) * BLOCK_BYTES;
  }

  #block(place: number): Buffer {
    const number = place >>> BLOCK_BITS;
    while (this.#blocks.length <= number) this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES));
    return this.#blocks[number] as Buffer;
  }

  #widenSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#count; id++) {
      const start = this.#starts.get(id);
      const from = start & (BLOCK_BYTES - 1);
      let slot = hash(this.#block(start), from, from + this.#ends.get(id) - start) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }
}

/** FNV-1a, its high bits folded in, since only low ones choose the slot. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ (bytes[at] as number), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
