import type { ByteRange } from '../store/types.ts';

/** More ranges than this, and the header is ignored, as RFC 9110 §14.2 allows: a defence, not a service. */
export const MAX_RANGES = 64;

/**
 * Reads a Range header against a size (RFC 9110 §14.1.2). `undefined`: no range asked for in a form that counts, send
 * everything. An empty list: not satisfiable (416). Ranges that overlap or touch are joined where the client asked
 * for them in ascending order, so that no request makes us send more than the file.
 */
export function parseRange(header: string | undefined, sizeBytes: number): readonly ByteRange[] | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(.*)$/i.exec(header.trim());
  if (match === null || header.length > 4096) return undefined;
  const specs = (match[1] ?? '').split(',', MAX_RANGES * 2);
  const ranges: ByteRange[] = [];
  let asked = 0;
  for (const spec of specs) {
    const text = spec.trim();
    // Empty list elements are legal and mean nothing (RFC 9110 §5.6.1.2).
    if (text === '') continue;
    const range = parseOne(text, sizeBytes);
    if (range === 'invalid') return undefined;
    asked++;
    if (range !== undefined) ranges.push(range);
  }
  if (asked === 0 || asked > MAX_RANGES) return undefined;
  const joined = join(ranges);
  // Repeats and overlaps in other than ascending order would multiply what is sent.
  if (total(joined) > sizeBytes) return undefined;
  return joined;
}

/** `0-9`, `10-`, `-5`; undefined where it lies beyond the end. */
function parseOne(text: string, sizeBytes: number): ByteRange | 'invalid' | undefined {
  const match = /^(\d{0,16})-(\d{0,16})$/.exec(text);
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return 'invalid';
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? undefined : { start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'invalid';
  if (start >= sizeBytes) return undefined;
  return { start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

function join(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const joined: ByteRange[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && range.start >= last.start && range.start <= last.end)
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    else joined.push(range);
  }
  return joined;
}

function total(ranges: readonly ByteRange[]): number {
  let sum = 0;
  for (const range of ranges) sum += range.end - range.start;
  return sum;
}

/** Framing of multipart/byteranges (RFC 9110 §14.6): what goes before each range and after the last. */
export function multipartFrames(
  ranges: readonly ByteRange[],
  facts: { readonly boundary: string; readonly contentType: string; readonly sizeBytes: number },
): { readonly heads: readonly Buffer[]; readonly tail: Buffer; readonly totalBytes: number } {
  const heads = ranges.map(({ start, end }) =>
    Buffer.from(
      `\r\n--${facts.boundary}\r\nContent-Type: ${facts.contentType}\r\n` +
        `Content-Range: bytes ${start}-${end - 1}/${facts.sizeBytes}\r\n\r\n`,
      'latin1',
    ),
  );
  const tail = Buffer.from(`\r\n--${facts.boundary}--\r\n`, 'latin1');
  const framing = heads.reduce((sum, head) => sum + head.length, tail.length);
  return { heads, tail, totalBytes: framing + total(ranges) };
}
