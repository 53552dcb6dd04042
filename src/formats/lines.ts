import { KubedosError } from '../errors.ts';
import { asBuffer, type ByteSource } from './byte-source.ts';

const LF = 10;

/**
 * The lines of a file without their newline, as many at once as a chunk completes (a turn of the event loop for each line
 * would cost more than all else). `format.limit` for one beyond `maxLineBytes`. Linear whatever the chunks.
 */
export async function* lineBatches(
  source: ByteSource,
  options: { readonly origin: string; readonly maxLineBytes: number },
): AsyncGenerator<Buffer[]> {
  const { origin, maxLineBytes } = options;
  let parts: Buffer[] = [];
  let length = 0;
  let count = 0;
  const refuseTooLong = (bytes: number, line: number) => {
    if (bytes > maxLineBytes)
      throw new KubedosError('format.limit', `parse ${origin}:${line}: a line is longer than ${maxLineBytes} bytes`);
  };
  for await (const bytes of source) {
    const chunk = asBuffer(bytes);
    const batch: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      refuseTooLong(length + end - start, count + 1);
      const line = chunk.subarray(start, end);
      batch.push(parts.length === 0 ? line : Buffer.concat([...parts, line]));
      parts = [];
      length = 0;
      count++;
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
    length += chunk.length - start;
    refuseTooLong(length, count + 1);
    if (batch.length > 0) yield batch;
  }
  if (length > 0) yield [Buffer.concat(parts)];
}
