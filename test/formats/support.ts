import { KubedosError } from '../../src/errors.ts';

/** The bytes in pieces of a size, as a socket might hand them on. */
export function chunked(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** The KubedosError that `run` throws. Anything else it throws, and nothing, fails the test. */
export function thrown(run: () => unknown): KubedosError {
  try {
    run();
  } catch (error) {
    if (error instanceof KubedosError) return error;
    throw error;
  }
  throw new Error('expected it to throw');
}

/** All bytes of a stream. */
export async function joined(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
