/** Compressed streams as repositories use them: in and out in bounded memory, however much they expand. */
import { KubedosError } from '../errors.ts';
import { asBuffer, type ByteSource } from './byte-source.ts';
import { bunzip2 } from './bz2.ts';
import { gunzip, gzip } from './gzip.ts';
import { unxz, xz } from './xz.ts';
import { unzck } from './zchunk.ts';
import { unzstd, zstd } from './zstd.ts';

export type Compression = 'none' | 'gz' | 'xz' | 'zst' | 'bz2' | 'zck';

/** What a path's ending says: `Packages.xz` is xz, `Packages` is none. */
export function compressionOf(path: string): Compression {
  if (path.endsWith('.gz')) return 'gz';
  if (path.endsWith('.xz')) return 'xz';
  if (path.endsWith('.zst')) return 'zst';
  if (path.endsWith('.bz2')) return 'bz2';
  if (path.endsWith('.zck')) return 'zck';
  return 'none';
}

/**
 * The bytes that were compressed. Several gzip members, zstd frames or xz streams one after the other are read as one.
 * Throws `format.limit` before it has given more than `maxBytes`, `format.syntax` for damage and for an end before the end;
 * errors of the source pass through as they are.
 */
export async function* decompress(
  source: ByteSource,
  compression: Compression,
  options: { readonly origin: string; readonly maxBytes: number },
): AsyncGenerator<Buffer> {
  const { origin, maxBytes } = options;
  let total = 0;
  for await (const chunk of expanded(source, compression, origin)) {
    total += chunk.length;
    if (total > maxBytes)
      throw new KubedosError('format.limit', `decompress ${origin}: expands to more than ${maxBytes} bytes`);
    yield chunk;
  }
}

/** The same bytes give the same bytes. `level` is that of the format; defaults: gz 6, zst 9, xz 6. */
export async function* compress(
  source: ByteSource,
  compression: Compression,
  options: { readonly level?: number | undefined } = {},
): AsyncGenerator<Buffer> {
  switch (compression) {
    case 'none':
      for await (const chunk of source) yield asBuffer(chunk);
      return;
    case 'gz':
      return yield* gzip(source, options.level ?? 6);
    case 'zst':
      return yield* zstd(source, options.level ?? 9);
    case 'xz':
      return yield* xz(source, options.level ?? 6);
    case 'bz2':
    case 'zck':
      throw new KubedosError('internal.bug', `compress: ${compression} is read, and not written`);
  }
}

function expanded(source: ByteSource, compression: Compression, origin: string): AsyncIterable<Buffer> {
  switch (compression) {
    case 'none':
      return compress(source, 'none');
    case 'gz':
      return gunzip(source, origin);
    case 'zst':
      return unzstd(source, origin);
    case 'xz':
      return unxz(source, origin);
    case 'bz2':
      return bunzip2(source, origin);
    case 'zck':
      return unzck(source, origin);
  }
}
