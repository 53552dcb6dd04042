/** The header structure, which holds both a package's signatures and what is known of it (docs/manual/format_header.md). */
import { isUtf8 } from 'node:buffer';
import { KubedosError } from '../../errors.ts';
import type { ByteReader } from '../byte-reader.ts';

/** As rpm bounds them: HEADER_TAGS_MAX, HEADER_DATA_MAX. */
const MAX_TAGS = 0xffff;
const MAX_DATA_BYTES = 0x0fffffff;

/** What a header may hold at most; of signatures rpm takes less. */
export interface HeaderLimits {
  readonly tags: number;
  readonly dataBytes: number;
}
export const MAIN_HEADER: HeaderLimits = { tags: MAX_TAGS, dataBytes: MAX_DATA_BYTES };
export const SIGNATURE_HEADER: HeaderLimits = { tags: 32, dataBytes: 64 * 1024 * 1024 };

const MAGIC = Buffer.from('8eade80100000000', 'hex');
const INTRO_BYTES = 16;
const ENTRY_BYTES = 16;

const INT8 = 2;
const INT16 = 3;
const INT32 = 4;
const INT64 = 5;
const STRING = 6;
const BINARY = 7;
const STRING_ARRAY = 8;
const I18N_STRING = 9;
/** Bytes of one value; of strings it is the least. */
const WIDTHS: Readonly<Record<number, number>> = {
  1: 1,
  [INT8]: 1,
  [INT16]: 2,
  [INT32]: 4,
  [INT64]: 8,
  [STRING]: 1,
  [BINARY]: 1,
  [STRING_ARRAY]: 1,
  [I18N_STRING]: 1,
};

interface Entry {
  readonly type: number;
  /** In the data. */
  readonly offset: number;
  readonly count: number;
}

/** Values of an absent tag, or of one of another type, are `undefined` or none. */
export class RpmHeader {
  /** As it is in the file, magic included: what signatures and digests of the header are made over. */
  readonly bytes: Buffer;
  readonly #entries: ReadonlyMap<number, Entry>;
  readonly #data: Buffer;
  readonly #origin: string;

  constructor(bytes: Buffer, count: number, origin: string) {
    this.bytes = bytes;
    this.#origin = origin;
    this.#data = bytes.subarray(INTRO_BYTES + count * ENTRY_BYTES);
    const entries = new Map<number, Entry>();
    for (let i = 0; i < count; i++) {
      const at = INTRO_BYTES + i * ENTRY_BYTES;
      const tag = bytes.readInt32BE(at);
      const entry = {
        type: bytes.readInt32BE(at + 4),
        offset: bytes.readInt32BE(at + 8),
        count: bytes.readInt32BE(at + 12),
      };
      this.#check(tag, entry);
      // rpm takes the first; two that differ would let readers disagree.
      if (entries.has(tag)) throw refusal(origin, `tag ${tag} is there twice`);
      entries.set(tag, entry);
    }
    this.#entries = entries;
  }

  has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  /** Of int8 to int64; an int64 beyond 2^53 is `format.limit`. */
  numbers(tag: number): number[] {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return [];
    const { type, offset, count } = entry;
    const data = this.#data;
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      if (type === INT8) values.push(data.readUInt8(offset + i));
      else if (type === INT16) values.push(data.readUInt16BE(offset + 2 * i));
      else if (type === INT32) values.push(data.readUInt32BE(offset + 4 * i));
      else if (type === INT64) values.push(this.#safe(data.readBigUInt64BE(offset + 8 * i), tag));
      else return [];
    }
    return values;
  }

  number(tag: number): number | undefined {
    return this.numbers(tag)[0];
  }

  /** Each as its bytes: texts of old packages are not always UTF-8. */
  strings(tag: number): Buffer[] {
    const entry = this.#entries.get(tag);
    if (entry === undefined || ![STRING, STRING_ARRAY, I18N_STRING].includes(entry.type)) return [];
    const values: Buffer[] = [];
    let at = entry.offset;
    for (let i = 0; i < entry.count; i++) {
      const end = this.#data.indexOf(0, at);
      if (end < 0) throw refusal(this.#origin, `a text of tag ${tag} does not end`);
      values.push(this.#data.subarray(at, end));
      at = end + 1;
    }
    return values;
  }

  /** The first, as UTF-8; of a translated one that is the untranslated. */
  text(tag: number): string | undefined {
    return this.strings(tag)[0]?.toString();
  }

  binary(tag: number): Buffer | undefined {
    const entry = this.#entries.get(tag);
    return entry?.type === BINARY ? this.#data.subarray(entry.offset, entry.offset + entry.count) : undefined;
  }

  /** True if the region of that tag takes in every entry: nothing in the header is outside of what is signed. */
  isWholeRegion(tag: number): boolean {
    const region = this.#entries.get(tag);
    const first = this.bytes.length > INTRO_BYTES ? this.bytes.readInt32BE(INTRO_BYTES) : 0;
    if (region?.type !== BINARY || region.count !== ENTRY_BYTES || first !== tag) return false;
    const trailer = this.#data.subarray(region.offset, region.offset + ENTRY_BYTES);
    // A trailer is an entry whose offset counts back over the region's own entries.
    return (
      trailer.readInt32BE(0) === tag &&
      trailer.readInt32BE(4) === BINARY &&
      -trailer.readInt32BE(8) === this.#entries.size * ENTRY_BYTES &&
      region.offset + ENTRY_BYTES === this.#data.length
    );
  }

  #check(tag: number, { type, offset, count }: Entry): void {
    const width = WIDTHS[type];
    if (width === undefined) throw refusal(this.#origin, `tag ${tag} has the unknown type ${type}`);
    if (count < 1 || offset < 0 || offset + count * width > this.#data.length)
      throw refusal(this.#origin, `tag ${tag} points out of the header`);
    if (type === STRING && count !== 1) throw refusal(this.#origin, `tag ${tag} is one text and counts ${count}`);
  }

  #safe(value: bigint, tag: number): number {
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw new KubedosError('format.limit', `read ${this.#origin}: tag ${tag} is larger than 2^53`);
  }
}

/**
 * UTF-8 where it is that. Otherwise as if it were ISO 8859-1, without its control characters (128 to 191, as createrepo_c
 * has it: those are signs of some other encoding).
 */
export function readable(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  return Buffer.from(bytes.filter((byte) => byte < 128 || byte >= 192)).toString('latin1');
}

/** The header that begins where the reader is. `format.syntax`, and `format.limit` before any memory is taken. */
export async function readHeader(reader: ByteReader, limits: HeaderLimits, origin: string): Promise<RpmHeader> {
  const intro = await reader.read(INTRO_BYTES);
  if (!intro.subarray(0, 8).equals(MAGIC)) throw refusal(origin, 'there is no header where one should be');
  const [count, dataBytes] = [intro.readUInt32BE(8), intro.readUInt32BE(12)];
  if (count < 1) throw refusal(origin, 'the header is empty');
  if (count > limits.tags || dataBytes > limits.dataBytes)
    throw new KubedosError(
      'format.limit',
      `read ${origin}: a header of ${count} tags and ${dataBytes} bytes, at most ${limits.tags} and ${limits.dataBytes} are read`,
    );
  const rest = await reader.read(count * ENTRY_BYTES + dataBytes);
  return new RpmHeader(Buffer.concat([intro, rest]), count, origin);
}

function refusal(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `read package ${origin}: ${why}`);
}
