import { createRequire } from 'node:module';
import type * as Zstd from 'zstd-napi/binding.js';
import { KubedosError } from '../errors.ts';
import { asBuffer, type ByteSource } from './byte-source.ts';

// CommonJS whose names an ESM import does not see.
const binding = createRequire(import.meta.url)('zstd-napi/binding.js') as typeof Zstd;

const CHUNK_BYTES = 128 * 1024;
/** Largest window that is decoded: 128 MiB, the limit of the zstd tool. */
const MAX_WINDOW_LOG = 27;

/** Reads all frames (RFC 8878 §3). By the binding itself: the package's stream expands a whole chunk before it lets go. */
export async function* unzstd(source: ByteSource, origin: string, dictionary?: Buffer): AsyncGenerator<Buffer> {
  const context = new binding.DCtx();
  if (dictionary !== undefined) step(() => context.loadDictionary(dictionary), origin);
  context.setParameter(binding.DParameter.windowLogMax, MAX_WINDOW_LOG);
  // At the start too: an empty file is no zstd.
  let inFrame = true;
  for await (const chunk of source) {
    let rest = chunk;
    let filled = false;
    while (rest.length > 0 || filled) {
      const output = Buffer.allocUnsafe(CHUNK_BYTES);
      const [wanted, produced, consumed] = step(() => context.decompressStream(output, rest), origin);
      inFrame = wanted !== 0;
      rest = rest.subarray(consumed);
      // A full output may have more behind it, unless the frame has ended.
      filled = produced === output.length && inFrame;
      if (produced > 0) yield output.subarray(0, produced);
    }
  }
  if (inFrame) throw new KubedosError('format.syntax', `decompress ${origin}: zstd ends within a frame`);
}

/** One frame with a checksum. */
export async function* zstd(source: ByteSource, level: number): AsyncGenerator<Buffer> {
  const context = new binding.CCtx();
  context.setParameter(binding.CParameter.compressionLevel, level);
  context.setParameter(binding.CParameter.checksumFlag, 1);
  const { continue: more, end } = binding.EndDirective;
  for await (const chunk of source) {
    let rest: Uint8Array = asBuffer(chunk);
    while (rest.length > 0) {
      const output = Buffer.allocUnsafe(CHUNK_BYTES);
      const [, produced, consumed] = context.compressStream2(output, rest, more);
      rest = rest.subarray(consumed);
      if (produced > 0) yield output.subarray(0, produced);
    }
  }
  for (;;) {
    const output = Buffer.allocUnsafe(CHUNK_BYTES);
    const [left, produced] = context.compressStream2(output, new Uint8Array(0), end);
    if (produced > 0) yield output.subarray(0, produced);
    if (left === 0) return;
  }
}

function step<T>(run: () => T, origin: string): T {
  try {
    return run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const code = /too much memory/i.test(reason) ? 'format.limit' : 'format.syntax';
    throw new KubedosError(code, `decompress ${origin}: damaged zstd: ${reason}`, { cause });
  }
}
