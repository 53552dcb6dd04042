/** Contents indexes: which package holds which file (https://wiki.debian.org/DebianRepository/Format#A.22Contents.22_indices). */
import type { ByteSource } from '../byte-source.ts';
import { lineBatches } from '../lines.ts';
import { quoted, syntaxError } from './syntax.ts';

/** Longest line: in Contents-source, `debian/rules` names every source package, which is about 1 MB. */
export const MAX_CONTENTS_LINE_BYTES = 8 * 1024 * 1024;
/** Old files begin with prose, ended by a line "FILE LOCATION" within so many lines. */
const MAX_PREFACE_LINES = 100;
/** Column of the second word in Debian's files. */
const PATH_WIDTH = 55;

export interface ContentsLine {
  /** To the byte, without the newline: paths need not be UTF-8. */
  readonly raw: Buffer;
  /** Without a leading slash; may hold blanks. */
  readonly path: string;
  /** `section/package`, or `area/section/package`; see `packageOfLocation`. */
  readonly locations: readonly string[];
}

/** The entries in order, without a preface; `format.syntax` with origin:line for a line of one word. */
export async function* parseContents(source: ByteSource, origin: string): AsyncGenerator<ContentsLine> {
  let preface: Buffer[] | undefined = [];
  let number = 0;
  const limits = { origin, maxLineBytes: MAX_CONTENTS_LINE_BYTES };
  for await (const batch of lineBatches(source, limits)) {
    let lines: readonly Buffer[] = batch;
    if (preface !== undefined) {
      lines = preface.concat(batch);
      const heading = lines.slice(0, MAX_PREFACE_LINES).findIndex(isHeading);
      if (heading < 0 && lines.length < MAX_PREFACE_LINES) {
        preface = [...lines];
        continue;
      }
      number = heading + 1;
      lines = lines.slice(number);
      preface = undefined;
    }
    for (const line of lines) yield parseLine(line, origin, ++number);
  }
  for (const line of preface ?? []) yield parseLine(line, origin, ++number);
}

function isHeading(line: Buffer): boolean {
  return /^FILE[ \t]+LOCATION[ \t]*$/.test(line.toString('latin1', 0, 200));
}

/** The bytes of an index. */
export function* writeContents(entries: Iterable<ContentsLine>): Generator<Buffer> {
  for (const { raw } of entries) yield Buffer.concat([raw, NEWLINE]);
}

/** A new entry in the layout of Debian's files. */
export function contentsLine(path: string, locations: readonly string[]): ContentsLine {
  const raw = Buffer.from(`${path.padEnd(PATH_WIDTH)} ${locations.join(',')}`);
  return parseLine(raw, 'a new Contents line', 1);
}

/** `non-free/libs/foo` is of package `foo`. */
export function packageOfLocation(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}

const NEWLINE = Buffer.from('\n');
const [SPACE, TAB, CR] = [32, 9, 13];

function parseLine(raw: Buffer, origin: string, number: number): ContentsLine {
  let end = raw.length;
  while (end > 0 && isBlank(raw[end - 1])) end--;
  let start = end;
  while (start > 0 && !isBlank(raw[start - 1])) start--;
  let pathEnd = start;
  while (pathEnd > 0 && isBlank(raw[pathEnd - 1])) pathEnd--;
  if (pathEnd === 0)
    throw syntaxError(origin, number, `expected "path section/package", got ${quoted(raw.toString('utf8', 0, 200))}`);
  const locations = raw
    .toString('utf8', start, end)
    .split(',')
    .filter((location) => location !== '');
  return { raw, path: raw.toString('utf8', 0, pathEnd), locations };
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === CR;
}
