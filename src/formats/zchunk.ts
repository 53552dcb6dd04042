/** zchunk (zchunk_format.txt of https://github.com/zchunk/zchunk): zstd in chunks, with an index before them. */
import { createHash, type Hash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { type ByteSource, collect } from './byte-source.ts';
import { unzstd } from './zstd.ts';

/** Of preface, index and signatures; 45,000 chunks take 0.9 MB. What is made of it takes some ten times as much. */
const MAX_HEADER_BYTES = 8 * 1024 * 1024;
/** As it is packed, which is held, and expanded; the tool cuts at 10 MB at the latest. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

const MAGIC = Buffer.from('\0ZCK1');
const DETACHED = Buffer.from('\0ZHR1');
/** By number; the last is the half of a SHA-512 that stands first. */
const SUMS = [
  { algorithm: 'sha1', bytes: 20 },
  { algorithm: 'sha256', bytes: 32 },
  { algorithm: 'sha512', bytes: 64 },
  { algorithm: 'sha512', bytes: 16 },
] as const;
/** Of header and data; chunks may have any. */
const WHOLE_SUMS = SUMS.slice(0, 2);
const STREAMS = 1;
const ELEMENTS = 2;
const SOURCED = 4;
const UNCOMPRESSED = 0;
const ZSTD = 2;
/** Of seven bits each: what a number of JavaScript holds exactly, and some more, which is refused. */
const MAX_NUMBER_BYTES = 8;

type Sum = (typeof SUMS)[number];

interface Chunk {
  /** The dictionary, and what is of the stream of data, number 1. */
  readonly wanted: boolean;
  readonly sum: Buffer;
  readonly packedBytes: number;
  readonly bytes: number;
}

interface Index {
  readonly dataSum: Buffer | undefined;
  readonly compression: number;
  readonly chunkSum: Sum;
  readonly dictionary: Chunk | undefined;
  /** Those that are not empty. */
  readonly chunks: readonly Chunk[];
}

interface Header extends Index {
  readonly dataHash: Hash;
}

/** All checksums of it are checked. `format.limit` for chunks beyond the bounds above. */
export async function* unzck(source: ByteSource, origin: string): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source, origin);
  try {
    const header = await readHeader(reader, origin);
    const { dictionary, chunks } = header;
    const read = { reader, header, origin };
    const words = dictionary && (await collect(expand([dictionary], read), dictionary.bytes, origin));
    yield* expand(chunks, { ...read, dictionary: words });
    if (header.dataSum !== undefined && !header.dataHash.digest().equals(header.dataSum))
      throw damaged(origin, 'the sum of its data is another');
    if (!(await reader.ended())) throw damaged(origin, 'there is more than its index lists');
  } finally {
    await reader.close();
  }
}

interface Reading {
  readonly reader: ByteReader;
  readonly header: Header;
  readonly dictionary?: Buffer | undefined;
  readonly origin: string;
}

/**
 * By one decoder for all: one for each chunk takes ten times as long as a small chunk itself. It gives all of a chunk before
 * it takes the next one, so that each can be held against its size.
 */
async function* expand(chunks: readonly Chunk[], of: Reading): AsyncGenerator<Buffer> {
  if (chunks.length === 0) return;
  const { reader, header, dictionary, origin } = of;
  let [missing, wanted] = [0, false];
  async function* packed(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) {
      if (missing > 0) break;
      const bytes = await reader.read(chunk.packedBytes);
      header.dataHash.update(bytes);
      if (!sumOf(header.chunkSum, bytes).equals(chunk.sum)) throw damaged(origin, 'the sum of a chunk is another');
      missing = chunk.bytes;
      wanted = chunk.wanted;
      yield bytes;
    }
    if (missing > 0) throw damaged(origin, 'a chunk expands to less than its index says');
  }
  const pieces = header.compression === ZSTD ? unzstd(packed(), origin, dictionary) : packed();
  for await (const piece of pieces) {
    missing -= piece.length;
    if (missing < 0) throw damaged(origin, 'a chunk expands to more than its index says');
    // Who keeps a small piece shall not keep the large buffer behind it.
    if (wanted) yield piece.length * 2 < piece.buffer.byteLength ? Buffer.from(piece) : piece;
  }
}

async function readHeader(reader: ByteReader, origin: string): Promise<Header> {
  const { lead, sum, hex, size } = await readLead(reader, origin);
  const rest = await reader.read(size);
  if (!sumOf(sum, lead, rest).equals(hex)) throw damaged(origin, 'the sum of its header is another');
  return { ...readIndex(new Fields(rest, origin), sum.bytes, origin), dataHash: createHash(sum.algorithm) };
}

/** `lead` is what stands before the checksum `hex`; `size` is that of what follows it. */
async function readLead(reader: ByteReader, origin: string) {
  const magic = await reader.read(MAGIC.length);
  if (magic.equals(DETACHED)) throw damaged(origin, 'it is a header without its data');
  if (!magic.equals(MAGIC)) throw damaged(origin, 'there is no zchunk');
  const lead = [magic];
  const number = async (): Promise<number> => {
    const bytes: Buffer[] = [];
    do bytes.push(await reader.read(1));
    while (((bytes.at(-1)?.[0] ?? 0) & 0x80) === 0 && bytes.length < MAX_NUMBER_BYTES);
    lead.push(...bytes);
    return new Fields(Buffer.concat(bytes), origin).number();
  };
  const sum = WHOLE_SUMS[await number()];
  const size = await number();
  if (sum === undefined) throw damaged(origin, 'a kind of checksum that is not known');
  if (size > MAX_HEADER_BYTES)
    throw new KubedosError(
      'format.limit',
      `decompress ${origin}: a header of ${size} bytes, at most ${MAX_HEADER_BYTES} are read`,
    );
  return { lead: Buffer.concat(lead), sum, size, hex: await reader.read(sum.bytes) };
}

function sumOf({ algorithm, bytes }: Sum, ...parts: readonly Buffer[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest().subarray(0, bytes);
}

function readIndex(fields: Fields, sumBytes: number, origin: string): Index {
  const dataSum = fields.bytes(sumBytes);
  const flags = fields.number();
  if (flags > (STREAMS | ELEMENTS | SOURCED)) throw damaged(origin, 'a flag that is not known');
  const compression = fields.number();
  if (compression !== UNCOMPRESSED && compression !== ZSTD) throw damaged(origin, 'a compression that is not known');
  if ((flags & ELEMENTS) !== 0)
    for (let count = fields.number(); count > 0; count--) {
      fields.number();
      fields.bytes(fields.number());
    }
  const end = fields.number() + fields.at;
  const chunkSum = SUMS[fields.number()];
  const count = fields.number();
  if (chunkSum === undefined || count < 1) throw damaged(origin, 'an index that is not sound');
  let dictionary: Chunk | undefined;
  const chunks: Chunk[] = [];
  for (let i = 0; i < count; i++) {
    const stream = (flags & STREAMS) === 0 ? 1 : fields.number();
    const sum = fields.bytes(chunkSum.bytes);
    if ((flags & SOURCED) !== 0) fields.bytes(chunkSum.bytes);
    const chunk = { wanted: i === 0 || stream === 1, sum, packedBytes: fields.number(), bytes: fields.number() };
    if (Math.max(chunk.packedBytes, chunk.bytes) > MAX_CHUNK_BYTES)
      throw new KubedosError('format.limit', `decompress ${origin}: a chunk is larger than ${MAX_CHUNK_BYTES} bytes`);
    if (chunk.packedBytes === 0 && chunk.bytes > 0) throw damaged(origin, 'a chunk of no bytes expands to some');
    if (chunk.packedBytes === 0) continue;
    if (i === 0) dictionary = chunk;
    else chunks.push(chunk);
  }
  if (fields.at !== end) throw damaged(origin, 'an index of another size than it says');
  // A file that an uncompressed one may be patched to has no sum over the whole.
  return { dataSum: (flags & SOURCED) === 0 ? dataSum : undefined, compression, chunkSum, dictionary, chunks };
}

/** Fields of a header that is in memory. */
class Fields {
  at = 0;
  readonly #bytes: Buffer;
  readonly #origin: string;

  constructor(bytes: Buffer, origin: string) {
    this.#bytes = bytes;
    this.#origin = origin;
  }

  /** Seven bits a byte, the lowest first; the last byte has its high bit set. */
  number(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.bytes(1)[0] as number;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) break;
      if ((byte & 0x80) !== 0) return value;
    }
    throw damaged(this.#origin, 'a number that does not end');
  }

  bytes(count: number): Buffer {
    const taken = this.#bytes.subarray(this.at, this.at + count);
    if (taken.length < count) throw damaged(this.#origin, 'its header ends early');
    this.at += count;
    return taken;
  }
}

function damaged(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `decompress ${origin}: damaged zchunk: ${why}`);
}
