/** Finds one file in a tar archive (POSIX.1 ustar, GNU and pax forms), reading the whole and holding that file alone. */
import { KubedosError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import type { ByteSource } from './byte-source.ts';

const BLOCK_BYTES = 512;
/** Old tar writes a NUL for a regular file. */
const REGULAR_FILE = new Set(['0', '\0', '7']);
/** GNU long name, and pax headers of one file and of all: they say something of the next header. */
const LONG_NAME = 'L';
const PAX = new Set(['x', 'g']);
const MAX_EXTENSION_BYTES = 1024 * 1024;

interface TarHeader {
  readonly name: string;
  readonly type: string;
  readonly sizeBytes: number;
}

/**
 * The content of the regular file `name` (with or without `./`). `undefined` where there is none; `format.syntax` where
 * readers would differ on what it is (it is there twice, pax records rename or resize it) or the archive is damaged;
 * `format.limit` beyond `maxBytes`.
 */
export async function fileOfTar(
  source: ByteSource,
  wanted: { readonly name: string; readonly maxBytes: number },
  origin: string,
): Promise<Buffer | undefined> {
  const reader = new ByteReader(source, origin);
  const refuse = (why: string) => new KubedosError('format.syntax', `read ${origin}: ${wanted.name} ${why}`);
  const limit = (what: string, bytes: number) =>
    new KubedosError('format.limit', `read ${origin}: ${what} is larger than ${bytes} bytes`);
  const isWanted = (name: string) => name.replace(/^\.\//, '') === wanted.name;
  let found: Buffer | undefined;
  let longName: string | undefined;
  let pax = new Map<string, string>();
  try {
    while (!(await reader.ended())) {
      const header = parseHeader(await reader.read(BLOCK_BYTES), origin);
      if (header === undefined) break;
      const { type, sizeBytes } = header;
      const padding = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
      if (type === LONG_NAME || PAX.has(type)) {
        if (sizeBytes > MAX_EXTENSION_BYTES) throw limit('an extended header', MAX_EXTENSION_BYTES);
        const content = await reader.read(sizeBytes);
        if (type === LONG_NAME) longName = text(content, 0, content.length);
        else pax = new Map([...pax, ...paxRecords(content, origin)]);
        await reader.skip(padding);
        continue;
      }
      const plain = isWanted(longName ?? header.name);
      const renamed = pax.get('path');
      // dpkg does not read pax headers, tar does.
      if (renamed !== undefined && isWanted(renamed) !== plain) throw refuse('is renamed by a pax header');
      if (plain) {
        if (found !== undefined) throw refuse('is there twice');
        if (!REGULAR_FILE.has(type)) throw refuse('is not a regular file');
        if (pax.has('size')) throw refuse('is resized by a pax header');
        if (sizeBytes > wanted.maxBytes) throw limit(wanted.name, wanted.maxBytes);
        found = await reader.read(sizeBytes);
      } else {
        await reader.skip(sizeBytes);
      }
      longName = undefined;
      pax = new Map();
      await reader.skip(padding);
    }
    // To the end of the source, so that the checksum of a compression is looked at.
    await reader.skipToEnd();
  } finally {
    await reader.close();
  }
  return found;
}

/** Records of pax headers: each is "length key=value\n", the length being that of the whole record. */
function* paxRecords(content: Buffer, origin: string): Generator<[key: string, value: string]> {
  for (let at = 0; at < content.length; ) {
    const digits = /^([1-9]\d{0,6}) /.exec(content.toString('latin1', at, at + 8))?.[1] ?? '';
    const blank = at + digits.length;
    const equals = content.indexOf(61, blank);
    const end = at + Number(digits);
    if (digits === '' || equals < blank || equals >= end - 1 || content[end - 1] !== 10)
      throw new KubedosError('format.syntax', `read ${origin}: damaged tar: pax header`);
    yield [content.toString('utf8', blank + 1, equals), content.toString('utf8', equals + 1, end - 1)];
    at = end;
  }
}

/** `undefined` for the block of zeros that ends an archive. */
function parseHeader(block: Buffer, origin: string): TarHeader | undefined {
  const refuse = (why: string) => new KubedosError('format.syntax', `read ${origin}: damaged tar: ${why}`);
  // The checksum is taken with its own eight bytes as blanks.
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK_BYTES; i++) if (i < 148 || i >= 156) sum += block[i] as number;
  if (sum === 8 * 32) return undefined;
  if (octal(block, 148, 8) !== sum) throw refuse('checksum of a header');
  const sizeBytes = octal(block, 124, 12);
  if (sizeBytes === undefined) throw refuse('size in a header');
  return { name: text(block, 0, 100), type: String.fromCharCode(block[156] as number), sizeBytes };
}

function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start);
  return block.toString('latin1', start, end < 0 ? start + length : Math.min(end, start + length));
}

/** Sizes above 8 GiB are written in another way, which no control archive needs. */
function octal(block: Buffer, start: number, length: number): number | undefined {
  const digits = text(block, start, length).trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}
