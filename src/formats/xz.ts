import { createRequire } from 'node:module';
import type Lzma from 'lzma-native';
import { KubedosError } from '../errors.ts';
import { asBuffer, type ByteSource } from './byte-source.ts';
import { through } from './transform.ts';

/** Loaded when there is something of it: it brings streams of its own, and most repositories need none of it. */
export const lzma = (): typeof Lzma => createRequire(import.meta.url)('lzma-native') as typeof Lzma;

/** What a decoder may take: `xz -9` needs 65 MiB. Headers may ask for 4 GiB. */
const MAX_DECODER_BYTES = 128 * 1024 * 1024;
/**
 * The decoder hands on all that a piece of input expands to (at most some 7,000 times) before it takes the next one: small
 * pieces bound what a bomb can make it hold, to below 60 MB.
 */
const PIECE_BYTES = 8 * 1024;
/** lzma_check of liblzma. The package wants the number, its types a name. */
const CHECK_CRC64 = 4 as unknown as Lzma.Check;

/** Reads all streams (https://tukaani.org/xz/xz-file-format.txt §2). */
export function unxz(source: ByteSource, origin: string): AsyncGenerator<Buffer> {
  const decoder = lzma().createStream('streamDecoder', { memlimit: MAX_DECODER_BYTES });
  return through(pieces(source), decoder, (cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const code = /memory/i.test(reason) ? 'format.limit' : 'format.syntax';
    // liblzma words an early end as "No progress is possible".
    return new KubedosError(code, `decompress ${origin}: damaged or cut off xz: ${reason}`, { cause });
  });
}

/** One stream with CRC64, as the xz tool writes it. */
export function xz(source: ByteSource, level: number): AsyncGenerator<Buffer> {
  const preset = Math.min(9, Math.max(0, Math.trunc(level))) as Lzma.Preset;
  const encoder = lzma().createStream('easyEncoder', { preset, check: CHECK_CRC64 });
  return through(source, encoder, (cause) => new KubedosError('internal.bug', 'compress as xz failed', { cause }));
}

async function* pieces(source: ByteSource): AsyncGenerator<Buffer> {
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield asBuffer(chunk).subarray(at, at + PIECE_BYTES);
}
