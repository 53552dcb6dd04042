import { KubedosError } from '../errors.ts';

const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----';
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----';
const END = '-----END PGP SIGNATURE-----';
const LF = 0x0a;
const DASH = 0x2d;

export interface Clearsigned {
  /** What was signed, with LF line ends, without trailing white space, ending in LF. */
  readonly content: Buffer;
  /** The same with CR LF, and none at the end: what is hashed (RFC 9580 §7.1). */
  readonly hashed: Buffer;
  /** The armoured signature block. */
  readonly signature: string;
}

/**
 * Takes a clearsigned document apart, by bytes and strictly: one block and nothing but white space around it. Lenient
 * parsers let an attacker put unsigned text beside signed text (CVE-2016-1252 and its kin in apt), so what could be
 * read in two ways is refused.
 */
export function parseClearsigned(bytes: Uint8Array, origin: string): Clearsigned {
  const lines = splitLines(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const ascii = (index: number): string => lines[index]?.toString('latin1') ?? '';
  const refuse = (code: 'trust.text-around' | 'trust.unsigned' | 'trust.bad-signature', what: string): KubedosError =>
    new KubedosError(code, `verify ${origin}: ${what}`);

  const begin = lines.findIndex((line) => line.length > 0);
  if (begin === -1 || !lines.some((line) => line.toString('latin1') === BEGIN)) {
    throw refuse('trust.unsigned', 'there is no signed block in it');
  }
  if (ascii(begin) !== BEGIN) throw refuse('trust.text-around', 'there is text before the signed block');

  let at = begin + 1;
  for (; at < lines.length && ascii(at) !== ''; at++) {
    if (!/^Hash: [A-Za-z0-9, -]+$/.test(ascii(at))) {
      throw refuse('trust.text-around', `line ${at + 1} is not a Hash header, where no other may stand`);
    }
  }
  const first = at + 1;
  for (at = first; at < lines.length && ascii(at) !== SIGNATURE; at++) {
    const line = lines[at] as Buffer;
    if (line[0] === DASH && line[1] !== 0x20 && line.length > 1) {
      throw refuse('trust.text-around', `line ${at + 1} begins with a dash that is not escaped`);
    }
    if (line.length === 1 && line[0] === DASH) {
      // "- " with nothing after it: an escaped empty line, its space trimmed as trailing.
      lines[at] = Buffer.alloc(0);
    } else if (line[0] === DASH) lines[at] = line.subarray(2);
  }
  if (at >= lines.length) throw refuse('trust.unsigned', 'the signed block has no signature');
  const signature = at;
  while (at < lines.length && ascii(at) !== END) at++;
  if (at >= lines.length) throw refuse('trust.bad-signature', 'the signature is cut off');
  const after = lines.findIndex((line, index) => index > at && line.length > 0);
  if (after !== -1) throw refuse('trust.text-around', `there is text after the signed block, in line ${after + 1}`);

  const text = lines.slice(first, signature);
  return {
    content: join(text, '\n', true),
    hashed: join(text, '\r\n', false),
    signature: `${lines
      .slice(signature, at + 1)
      .map((line) => line.toString('latin1'))
      .join('\n')}\n`,
  };
}

/** The text as it is hashed: LF (signers make CR LF of it), nothing trailing on its lines or after the last. */
export function signableText(text: string): string {
  return signableLines(text).join('\n');
}

/**
 * The writer beside the parser. Trailing white space is not signed, so it is not written either; a line that begins
 * with a dash, or with "From " (mail software mangles it), is dash-escaped.
 */
export function clearsignedDocument(text: string, armoredSignature: string, hashNames: string): string {
  const lines = signableLines(text).map((line) => (/^(?:-|From )/.test(line) ? `- ${line}` : line));
  return [BEGIN, `Hash: ${hashNames}`, '', ...lines, armoredSignature.trimEnd(), ''].join('\n');
}

function signableLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.slice(0, trimmedLength(line)));
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** Lines without their ends and without trailing space, tab and CR: none of these is signed. */
function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(LF, start);
    const end = found === -1 ? bytes.length : found;
    lines.push(trimEnd(bytes.subarray(start, end)));
    start = end + 1;
  }
  return lines;
}

function trimEnd(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && isBlank(line[end - 1])) end--;
  return line.subarray(0, end);
}

function trimmedLength(line: string): number {
  let end = line.length;
  while (end > 0 && isBlank(line.charCodeAt(end - 1))) end--;
  return end;
}

/** What RFC 9580 §7.1 leaves out of the hash at the end of a line, and the CR of the line's end. */
function isBlank(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09 || octet === 0x0d;
}

function join(lines: readonly Buffer[], separator: string, atEnd: boolean): Buffer {
  const parts: Buffer[] = [];
  const between = Buffer.from(separator);
  for (const [index, line] of lines.entries()) {
    parts.push(line);
    if (atEnd || index < lines.length - 1) parts.push(between);
  }
  return Buffer.concat(parts);
}
