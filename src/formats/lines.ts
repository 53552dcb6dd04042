import { KubedosError } from '../errors.ts';
import { asBuffer, type ByteSource } from './byte-source.ts';

const LF = 10;

/** The lines of a file without their newline; `format.limit` for one beyond `maxLineBytes`. Linear whatever the chunks. */
export async function* lines(
  source: ByteSource,
  options: { readonly origin: string; readonly maxLineBytes: number },
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  let count = 0;
  const take = (part: Buffer): Buffer => {
    const line = parts.length === 0 ? part : Buffer.concat([...parts, part]);
    parts = [];
    length = 0;
    count++;
    return line;
  };
  const refuseTooLong = (bytes: number) => {
    if (bytes > options.maxLineBytes)
      throw new KubedosError(
        'format.limit',
        `parse ${options.origin}:${count + 1}: a line is longer than ${options.maxLineBytes} bytes`,
      );
  };
  for await (const bytes of source) {
    const chunk = asBuffer(bytes);
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      refuseTooLong(length + end - start);
      yield take(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    refuseTooLong(length);
  }
  if (length > 0) yield take(Buffer.alloc(0));
}
