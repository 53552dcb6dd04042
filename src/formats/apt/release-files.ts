import { canonicalPath } from '../path.ts';
import type { Stanza } from './deb822.ts';
import { type Checksums, type DigestAlgorithm, parseHex } from './digest.ts';
import { parseDecimal, quoted, syntaxError } from './syntax.ts';

/** The lists of a Release in the order in which they are written. Any of them may be absent. */
export const FILE_LIST_FIELDS = [
  ['MD5Sum', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA512', 'sha512'],
] as const satisfies readonly (readonly [string, DigestAlgorithm])[];

/** Column width of sizes in the Releases of Debian. */
const SIZE_WIDTH = 8;

export interface FileLine {
  readonly hex: string;
  readonly sizeBytes: number;
  /** All that follows the size: a path, or "section priority name" in a .changes. */
  readonly rest: string;
  readonly line: number;
}

/** The lines "checksum size name" of a field. */
export function* fileLines(
  stanza: Stanza,
  field: string,
  place: { readonly origin: string; readonly algorithm: DigestAlgorithm },
): Generator<FileLine> {
  const value = stanza.get(field);
  if (value === undefined) return;
  let line = stanza.lineOf(field);
  for (let at = 0; at < value.length; line++) {
    const newline = value.indexOf('\n', at);
    const end = newline < 0 ? value.length : newline;
    const text = value.slice(at, end).trim();
    at = end + 1;
    if (text === '') continue;
    const [hexEnd, sizeStart] = gap(text, 0);
    const [sizeEnd, restStart] = gap(text, sizeStart);
    const hex = parseHex(text.slice(0, hexEnd), place.algorithm);
    const sizeBytes = parseDecimal(text.slice(sizeStart, sizeEnd));
    if (hex === undefined || sizeBytes === undefined || restStart >= text.length)
      throw syntaxError(place.origin, line, `expected "${place.algorithm} size name" in ${field}, got ${quoted(text)}`);
    yield { hex, sizeBytes, rest: text.slice(restStart), line };
  }
}

/** Start and end of the next run of blanks. */
function gap(text: string, from: number): [start: number, end: number] {
  let start = from;
  while (start < text.length && !isBlank(text.charCodeAt(start))) start++;
  let end = start;
  while (end < text.length && isBlank(text.charCodeAt(end))) end++;
  return [start, end];
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** Collects the checksums of one name over several lists; lists that contradict each other are refused. */
export class FileTable {
  readonly files = new Map<string, Checksums>();
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  add(path: string, algorithm: DigestAlgorithm, entry: FileLine): void {
    const known = this.files.get(path);
    if (known !== undefined && known.sizeBytes !== entry.sizeBytes)
      throw this.#contradiction(path, entry, `${known.sizeBytes} bytes and ${entry.sizeBytes} bytes`);
    const before = known?.[algorithm];
    if (before !== undefined && before !== entry.hex)
      throw this.#contradiction(path, entry, `${algorithm} ${before} and ${entry.hex}`);
    this.files.set(path, { ...known, sizeBytes: entry.sizeBytes, [algorithm]: entry.hex });
  }

  #contradiction(path: string, entry: FileLine, both: string): Error {
    return syntaxError(this.#origin, entry.line, `${quoted(path)} is listed with ${both}`);
  }
}

export function readFileLists(stanza: Stanza, origin: string): ReadonlyMap<string, Checksums> {
  const table = new FileTable(origin);
  for (const [field, algorithm] of FILE_LIST_FIELDS)
    for (const entry of fileLines(stanza, field, { origin, algorithm }))
      table.add(canonicalPath(entry.rest, `${origin}:${entry.line}`), algorithm, entry);
  return table.files;
}

/** The value of one list, in the order of the map; `undefined` where no file has such a checksum. */
export function renderFileList(files: ReadonlyMap<string, Checksums>, algorithm: DigestAlgorithm): string | undefined {
  const lines: string[] = [];
  for (const [path, sums] of files) {
    const hex = sums[algorithm];
    if (hex !== undefined) lines.push(`\n ${hex} ${String(sums.sizeBytes).padStart(SIZE_WIDTH)} ${path}`);
  }
  return lines.length === 0 ? undefined : lines.join('');
}
