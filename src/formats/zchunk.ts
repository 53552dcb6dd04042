/** zchunk (zchunk_format.txt of https://github.com/zchunk/zchunk): zstd in chunks, with an index before them. */
import { createHash, type Hash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import type { ByteSource } from './byte-source.ts';
import { unzstd } from './zstd.ts';

/** Of preface, index and signatures: filelists of the largest distributions have some 2 MB. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;
/** The tool cuts at 10 MB at the latest. A chunk and what it expands to are held. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

const MAGIC = Buffer.from('\0ZCK1');
const DETACHED = Buffer.from('\0ZHR1');
/** Of the whole, by number. */
const WHOLE_SUMS = ['sha1', 'sha256'] as const;
/** Of chunks; the last is the half of a SHA-512 that stands first. */
const CHUNK_SUMS = [
  { algorithm: 'sha1', bytes: 20 },
  { algorithm: 'sha256', bytes: 32 },
  { algorithm: 'sha512', bytes: 64 },
  { algorithm: 'sha512', bytes: 16 },
] as const;
const STREAMS = 1;
const ELEMENTS = 2;
const SOURCED = 4;
const UNCOMPRESSED = 0;
const ZSTD = 2;

interface Chunk {
  /** 1 is the data. */
  readonly stream: number;
  readonly sum: Buffer;
  readonly packedBytes: number;
  readonly bytes: number;
}

interface Header {
  readonly dataSum: Buffer | undefined;
  readonly dataHash: Hash;
  readonly compression: number;
  readonly chunkSum: (typeof CHUNK_SUMS)[number];
  /** The first is the dictionary, perhaps of no bytes. */
  readonly chunks: readonly Chunk[];
}

/** All checksums of it are checked. `format.limit` for chunks beyond the bounds above. */
export async function* unzck(source: ByteSource, origin: string): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source, origin);
  try {
    const header = await readHeader(reader, origin);
    let dictionary: Buffer | undefined;
    for (const [at, chunk] of header.chunks.entries()) {
      const packed = await reader.read(chunk.packedBytes);
      header.dataHash.update(packed);
      if (chunk.packedBytes === 0) continue;
      const content = await expand(packed, chunk, { header, dictionary, origin });
      if (at === 0) dictionary = content;
      else if (chunk.stream === 1) yield content;
    }
    if (header.dataSum !== undefined && !header.dataHash.digest().equals(header.dataSum))
      throw damaged(origin, 'the sum of its data is another');
    if (!(await reader.ended())) throw damaged(origin, 'there is more than its index lists');
  } finally {
    await reader.close();
  }
}

async function expand(
  packed: Buffer,
  chunk: Chunk,
  of: { readonly header: Header; readonly dictionary: Buffer | undefined; readonly origin: string },
): Promise<Buffer> {
  const { header, dictionary, origin } = of;
  const { algorithm, bytes } = header.chunkSum;
  const plain = header.dataSum === undefined && chunk.sum.every((byte) => byte === 0);
  if (!plain && !createHash(algorithm).update(packed).digest().subarray(0, bytes).equals(chunk.sum))
    throw damaged(origin, 'the sum of a chunk is another');
  if (plain || header.compression === UNCOMPRESSED) {
    if (packed.length !== chunk.bytes) throw damaged(origin, 'a chunk has another size than its index says');
    return packed;
  }
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of unzstd([packed], origin, dictionary)) {
    length += piece.length;
    if (length > chunk.bytes) break;
    pieces.push(piece);
  }
  if (length !== chunk.bytes) throw damaged(origin, 'a chunk expands to another size than its index says');
  return Buffer.concat(pieces);
}

async function readHeader(reader: ByteReader, origin: string): Promise<Header> {
  const magic = await reader.read(MAGIC.length);
  if (magic.equals(DETACHED)) throw damaged(origin, 'it is a header without its data');
  if (!magic.equals(MAGIC)) throw damaged(origin, 'there is no zchunk');
  const lead = [magic];
  const number = async (): Promise<number> => {
    const bytes: Buffer[] = [];
    do bytes.push(await reader.read(1));
    while (((bytes.at(-1)?.[0] ?? 0) & 0x80) === 0 && bytes.length < 10);
    lead.push(...bytes);
    return new Fields(Buffer.concat(bytes), origin).number();
  };
  const algorithm = WHOLE_SUMS[await number()];
  const size = await number();
  if (algorithm === undefined) throw damaged(origin, 'a kind of checksum that is not known');
  if (size > MAX_HEADER_BYTES)
    throw new KubedosError(
      'format.limit',
      `decompress ${origin}: a header of ${size} bytes, at most ${MAX_HEADER_BYTES} are read`,
    );
  const dataHash = createHash(algorithm);
  const sumBytes = createHash(algorithm).digest().length;
  const sum = await reader.read(sumBytes);
  const rest = await reader.read(size);
  if (
    !createHash(algorithm)
      .update(Buffer.concat([...lead, rest]))
      .digest()
      .equals(sum)
  )
    throw damaged(origin, 'the sum of its header is another');
  return { ...readIndex(new Fields(rest, origin), sumBytes, origin), dataHash };
}

function readIndex(fields: Fields, sumBytes: number, origin: string): Omit<Header, 'dataHash'> {
  const dataSum = fields.bytes(sumBytes);
  const flags = fields.number();
  if ((flags & ~(STREAMS | ELEMENTS | SOURCED)) !== 0) throw damaged(origin, 'a flag that is not known');
  const compression = fields.number();
  if (compression !== UNCOMPRESSED && compression !== ZSTD) throw damaged(origin, 'a compression that is not known');
  if ((flags & ELEMENTS) !== 0)
    for (let count = fields.number(); count > 0; count--) {
      fields.number();
      fields.bytes(fields.number());
    }
  const end = fields.number() + fields.at;
  const chunkSum = CHUNK_SUMS[fields.number()];
  const count = fields.number();
  if (chunkSum === undefined || count < 1) throw damaged(origin, 'an index that is not sound');
  const chunks: Chunk[] = [];
  for (let i = 0; i < count; i++) {
    const stream = (flags & STREAMS) === 0 ? 1 : fields.number();
    const sum = fields.bytes(chunkSum.bytes);
    if ((flags & SOURCED) !== 0) fields.bytes(chunkSum.bytes);
    const chunk = { stream, sum, packedBytes: fields.number(), bytes: fields.number() };
    if (Math.max(chunk.packedBytes, chunk.bytes) > MAX_CHUNK_BYTES)
      throw new KubedosError('format.limit', `decompress ${origin}: a chunk is larger than ${MAX_CHUNK_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (fields.at !== end) throw damaged(origin, 'an index of another size than it says');
  // An uncompressed source may be patched to this file: then there is no sum over the whole.
  return { dataSum: (flags & SOURCED) === 0 ? dataSum : undefined, compression, chunkSum, chunks };
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
