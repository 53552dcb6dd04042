import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteSource } from './byte-source.ts';

/**
 * Pulls `source` through a transform with back-pressure. What the source throws comes out as it is; what the transform
 * throws goes through `explain`. Leaving the loop early destroys the transform and closes the source.
 */
export async function* through(
  source: ByteSource,
  transform: Transform,
  explain: (cause: unknown) => Error,
): AsyncGenerator<Buffer> {
  let failure: { readonly cause: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    let handing = false;
    try {
      for await (const chunk of source) {
        handing = true;
        yield chunk;
        handing = false;
      }
    } catch (cause) {
      // What is thrown in while a chunk is handed on is the transform's.
      if (!handing) failure = { cause };
      throw cause;
    }
  }
  // Its outcome is the transform's, which the loop below sees; after an early leave it is of no interest.
  const feeding = pipeline(Readable.from(watched(), { objectMode: true, highWaterMark: 1 }), transform).catch(() => {});
  try {
    for await (const chunk of transform) yield chunk as Buffer;
  } catch (cause) {
    throw failure === undefined ? explain(cause) : failure.cause;
  } finally {
    transform.destroy();
    await feeding;
  }
}
