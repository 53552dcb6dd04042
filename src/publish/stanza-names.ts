/** Names of packages within blocks of stanzas, without a string or a Buffer for each: an index has 63,000 or a million. */
import { KubedosError } from '../errors.ts';

/** Ends a stanza and parts it from the next. */
export const BLANK_LINE = Buffer.from('\n\n');

/** Bytes `start` to `end` (exclusive). */
export interface NameAt {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

const LF = 10;
const FIELD = 'package:';

/** The value of Package of the stanza at `from`. It stands first in what archives write; else it is searched for. */
export function nameOf(bytes: Buffer, from: number, to: number, origin: string): NameAt {
  for (let line = from; line < to && line >= 0; line = bytes.indexOf(LF, line) + 1 || -1) {
    if (!startsWithField(bytes, line)) continue;
    let start = line + FIELD.length;
    while (start < to && bytes[start] !== LF && (bytes[start] as number) <= 32) start++;
    let end = start;
    while (end < to && (bytes[end] as number) > 32) end++;
    if (end > start) return { bytes, start, end };
  }
  const text = JSON.stringify(bytes.toString('utf8', from, Math.min(to, from + 80)));
  throw new KubedosError('internal.bug', `publish ${origin}: a stanza has no Package: ${text}`);
}

export function compareNames(a: NameAt, b: NameAt): number {
  const length = Math.min(a.end - a.start, b.end - b.start);
  for (let i = 0; i < length; i++) {
    const difference = (a.bytes[a.start + i] as number) - (b.bytes[b.start + i] as number);
    if (difference !== 0) return difference;
  }
  return a.end - a.start - (b.end - b.start);
}

/** For comparison with names in blocks. */
export function nameFrom(text: string): NameAt {
  const bytes = Buffer.from(text);
  return { bytes, start: 0, end: bytes.length };
}

function startsWithField(bytes: Buffer, line: number): boolean {
  for (let i = 0; i < FIELD.length; i++) {
    const byte = bytes[line + i] as number;
    if (byte !== FIELD.charCodeAt(i) && (byte | 32) !== FIELD.charCodeAt(i)) return false;
  }
  return true;
}
