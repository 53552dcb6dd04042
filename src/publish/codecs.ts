/** How pieces of an index are compressed, and how the compressed pieces become one file. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { decompress as unzstd, compress as zstd } from 'zstd-napi';
import { KubedosError } from '../errors.ts';
import type { IndexCompression } from '../formats/apt/publication.ts';
import { lzma } from '../formats/xz.ts';
import { joinXz } from './xz-blocks.ts';

export interface Codec {
  readonly extension: IndexCompression;
  /** Another one wherever the bytes may be others; part of the name of a kept piece. */
  readonly id: string;
  /** One gzip member, one zstd frame, one .xz file of one block. */
  compress(content: Buffer): Promise<Buffer>;
  /** One file that unpacks to all contents in order. */
  join(members: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
}

const GZIP_LEVEL = 6;
const ZSTD_LEVEL = 9;
const XZ_PRESET = 6;

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

const gz: Codec = {
  extension: 'gz',
  id: `gz-${GZIP_LEVEL}-${process.versions.zlib}`,
  // Runs on the thread pool, beside zstd on this thread. Node writes neither a time nor a name into the header.
  compress: (content) => gzipAsync(content, { level: GZIP_LEVEL }),
  join: (members) => strung(members, gz),
};

const zst: Codec = {
  extension: 'zst',
  // The package pins the library that it compiles.
  id: `zst-${ZSTD_LEVEL}-zstd-napi-0.0.13`,
  compress: async (content) => zstd(content, { compressionLevel: ZSTD_LEVEL, checksumFlag: true }),
  join: (members) => strung(members, zst),
};

const xz: Codec = {
  extension: 'xz',
  get id() {
    return `xz-${XZ_PRESET}-${lzma().versionString()}`;
  },
  compress: compressXz,
  join: joinXz,
};

/** What `compress` of gz or zst made of so many bytes; throws where it is something else. On the thread pool where it can. */
export async function expand(member: Buffer, compression: 'gz' | 'zst', plainBytes: number): Promise<Buffer> {
  // One block of memory with room to spare: a full one would be looked into for more.
  const options = { chunkSize: plainBytes + 64, maxOutputLength: plainBytes };
  const plain = compression === 'gz' ? await gunzipAsync(member, options) : unzstd(member);
  if (plain.length !== plainBytes) throw new RangeError(`expected ${plainBytes} bytes, got ${plain.length}`);
  return plain;
}

const CODECS: Readonly<Record<IndexCompression, Codec>> = { gz, zst, xz };

export function codecOf(compression: IndexCompression): Codec {
  return CODECS[compression];
}

/** Members one after the other; nothing at all would be no valid file, so an empty index is one empty member. */
async function* strung(members: AsyncIterable<Buffer>, codec: Codec): AsyncGenerator<Buffer> {
  let empty = true;
  for await (const member of members) {
    empty = false;
    yield member;
  }
  if (empty) yield await codec.compress(Buffer.alloc(0));
}

/** On the thread pool. */
async function compressXz(content: Buffer): Promise<Buffer> {
  const stream = lzma().createStream('easyEncoder', { preset: XZ_PRESET });
  const chunks: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', resolve);
    stream.once('error', (cause: unknown) =>
      reject(new KubedosError('internal.bug', `compress a piece by xz: ${String(cause)}`, { cause })),
    );
  });
  stream.end(content);
  await done;
  return Buffer.concat(chunks);
}
