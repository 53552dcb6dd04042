/**
 * bzip2 (https://sourceware.org/bzip2/; the format is what bzip2 1.0.8 reads). Repositories of before 2010 have it; no
 * package for it that streams, checks the sums and is kept up was found.
 */
import { KubedosError } from '../errors.ts';
import { Bits } from './bits.ts';
import { ByteReader } from './byte-reader.ts';
import type { ByteSource } from './byte-source.ts';
import { crcOf, unrun, unsort } from './bz2-block.ts';

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
const BLOCK_UNIT_BYTES = 100_000;
const MAX_CODE_BITS = 20;
const GROUP_SYMBOLS = 50;

/** Reads all streams, one behind the other. Memory: a block, at most some 10 MB. */
export async function* bunzip2(source: ByteSource, origin: string): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source, origin);
  try {
    yield* streams(new Bits(reader.rest(), () => damaged(origin, 'it ends early')), origin);
  } finally {
    await reader.close();
  }
}

async function* streams(bits: Bits, origin: string): AsyncGenerator<Buffer> {
  for (let first = true; first || !(await bits.ended()); first = false) {
    const magic = (await bits.read(24)) * 256 + (await bits.read(8));
    const level = (magic & 0xff) - 0x30;
    if (Math.floor(magic / 256) !== 0x425a68 || level < 1 || level > 9) throw damaged(origin, 'there is no bzip2');
    let combined = 0;
    for (;;) {
      const kind = (await bits.read(24)) * 2 ** 24 + (await bits.read(24));
      const sum = (await bits.read(16)) * 65536 + (await bits.read(16));
      if (kind === END_MAGIC) {
        if (sum !== combined) throw damaged(origin, 'the sum of the whole is another');
        bits.align();
        break;
      }
      if (kind !== BLOCK_MAGIC) throw damaged(origin, 'there is no block where one should be');
      const block = await readBlock(bits, level * BLOCK_UNIT_BYTES, origin);
      let crc = 0xffffffff;
      for (const piece of block) {
        crc = crcOf(piece, crc);
        yield piece;
      }
      if (~crc >>> 0 !== sum) throw damaged(origin, 'the sum of a block is another');
      combined = (((combined << 1) | (combined >>> 31)) ^ sum) >>> 0;
    }
  }
}

/** The pieces that a block expands to; runs may make it some fifty times as large as it is packed. */
async function readBlock(bits: Bits, capacity: number, origin: string): Promise<Iterable<Buffer>> {
  // Randomised blocks were last written in 1998.
  if ((await bits.read(1)) !== 0) throw damaged(origin, 'a randomised block');
  const start = await bits.read(24);
  const symbols = await readSymbols(bits);
  const groups = await bits.read(3);
  const selectorCount = await bits.read(15);
  if (symbols.length === 0 || groups < 2 || groups > 6 || selectorCount < 1)
    throw damaged(origin, 'a block is not sound');
  const order = Array.from({ length: groups }, (_, i) => i);
  const selectors = new Uint8Array(selectorCount);
  for (let i = 0; i < selectorCount; i++) {
    let at = 0;
    while ((await bits.read(1)) === 1) if (++at >= groups) throw damaged(origin, 'a table is chosen that is not there');
    const [chosen = 0] = order.splice(at, 1);
    order.unshift(chosen);
    selectors[i] = chosen;
  }
  const tables: Table[] = [];
  for (let i = 0; i < groups; i++) tables.push(await readTable(bits, symbols.length + 2, origin));
  const { counts, links, length } = await readMoves(bits, { symbols, selectors, tables, capacity, origin });
  if (start >= length) throw damaged(origin, 'a block begins outside of itself');
  return unrun(unsort(links, counts, { start, length }));
}

/** Which bytes occur. */
async function readSymbols(bits: Bits): Promise<number[]> {
  const used = await bits.read(16);
  const symbols: number[] = [];
  for (let i = 0; i < 16; i++) {
    if ((used & (0x8000 >> i)) === 0) continue;
    const row = await bits.read(16);
    for (let j = 0; j < 16; j++) if ((row & (0x8000 >> j)) !== 0) symbols.push(i * 16 + j);
  }
  return symbols;
}

/** A canonical Huffman code: for each length its last code, and where its symbols begin. */
interface Table {
  readonly shortest: number;
  readonly limits: Int32Array;
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
}

async function readTable(bits: Bits, size: number, origin: string): Promise<Table> {
  const lengths = new Uint8Array(size);
  let length = await bits.read(5);
  for (let i = 0; i < size; i++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_BITS) throw damaged(origin, 'a code has no length');
      if ((await bits.read(1)) === 0) break;
      length += (await bits.read(1)) === 0 ? 1 : -1;
    }
    lengths[i] = length;
  }
  const shortest = Math.min(...lengths);
  const limits = new Int32Array(MAX_CODE_BITS + 2).fill(-1);
  const bases = new Int32Array(MAX_CODE_BITS + 2);
  const symbols = new Uint16Array(size);
  let code = 0;
  let count = 0;
  for (let bitsUsed = shortest; bitsUsed <= MAX_CODE_BITS; bitsUsed++) {
    bases[bitsUsed] = count - code;
    for (let symbol = 0; symbol < size; symbol++) {
      if (lengths[symbol] !== bitsUsed) continue;
      symbols[count++] = symbol;
      code++;
    }
    limits[bitsUsed] = code - 1;
    code <<= 1;
  }
  return { shortest, limits, bases, symbols };
}

interface Moves {
  readonly symbols: readonly number[];
  readonly selectors: Uint8Array;
  readonly tables: readonly Table[];
  readonly capacity: number;
  readonly origin: string;
}

/** Huffman, runs of the front symbol, move-to-front: the last column of the sorted block. */
async function readMoves(bits: Bits, of: Moves) {
  const { symbols, selectors, tables, capacity, origin } = of;
  const front = Uint8Array.from(symbols);
  const end = symbols.length + 1;
  const links = new Uint32Array(capacity);
  const counts = new Uint32Array(256);
  let length = 0;
  let run = 0;
  let weight = 1;
  const flush = (): void => {
    if (length + run > capacity) throw damaged(origin, 'a block is larger than it may be');
    const byte = front[0] as number;
    counts[byte] = (counts[byte] as number) + run;
    links.fill(byte, length, length + run);
    length += run;
    run = 0;
    weight = 1;
  };
  for (let group = 0; ; group++) {
    const table = tables[selectors[group] ?? -1];
    if (table === undefined) throw damaged(origin, 'a block has no end');
    // So many symbols need no more bits than this: one wait for all.
    await bits.need(GROUP_SYMBOLS * MAX_CODE_BITS);
    for (let i = 0; i < GROUP_SYMBOLS; i++) {
      const symbol = decodeSymbol(bits, table, origin);
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > capacity) throw damaged(origin, 'a run is larger than a block');
        continue;
      }
      if (run > 0) flush();
      weight = 1;
      if (symbol === end) return { links, counts, length };
      if (length >= capacity) throw damaged(origin, 'a block is larger than it may be');
      const byte = front[symbol - 1] as number;
      front.copyWithin(1, 0, symbol - 1);
      front[0] = byte;
      counts[byte] = (counts[byte] as number) + 1;
      links[length++] = byte;
    }
  }
}

function decodeSymbol(bits: Bits, { shortest, limits, bases, symbols }: Table, origin: string): number {
  let code = bits.take(shortest);
  for (let length = shortest; length <= MAX_CODE_BITS; length++) {
    if (code <= (limits[length] as number)) {
      const symbol = symbols[code + (bases[length] as number)];
      if (symbol !== undefined) return symbol;
      break;
    }
    code = (code << 1) | bits.take(1);
  }
  throw damaged(origin, 'a code that is not there');
}

function damaged(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `decompress ${origin}: damaged bzip2: ${why}`);
}
