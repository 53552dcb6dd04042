/**
 * Strings .xz files of one block each into one .xz stream of many blocks (https://tukaani.org/xz/xz-file-format.txt,
 * sections 2 to 4). Several streams one after the other will not do: apt stops after the first, silently.
 */
import { crc32 } from 'node:zlib';
import { KubedosError } from '../errors.ts';

const MAGIC = Buffer.from('fd377a585a00', 'hex');
const FOOTER_MAGIC = 'YZ';
/** Stream header and stream footer have the same size. */
const HEADER_BYTES = 12;
const NO_CHECK_FLAGS = Buffer.from([0, 1]);

interface Block {
  readonly bytes: Buffer;
  /** Record of the index: unpadded size, uncompressed size. */
  readonly record: Buffer;
  readonly flags: Buffer;
}

/** All members must use the same integrity check. No member: the .xz of nothing. */
export async function* joinXz(members: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const records: Buffer[] = [];
  let flags: Buffer | undefined;
  for await (const member of members) {
    const block = singleBlock(member);
    if (flags === undefined) yield streamHeader(block.flags);
    else if (!flags.equals(block.flags)) throw bug('members differ in their integrity check');
    flags = block.flags;
    records.push(block.record);
    yield block.bytes;
  }
  if (flags === undefined) yield streamHeader(NO_CHECK_FLAGS);
  const index = indexOf(records);
  yield index;
  yield streamFooter(flags ?? NO_CHECK_FLAGS, index.length);
}

/** Takes a stream of one block apart, by its footer and index. */
function singleBlock(xz: Buffer): Block {
  const footer = xz.length - HEADER_BYTES;
  if (footer < HEADER_BYTES || !xz.subarray(0, MAGIC.length).equals(MAGIC)) throw bug('a member is no .xz file');
  const indexBytes = (xz.readUInt32LE(footer + 4) + 1) * 4;
  const index = footer - indexBytes;
  const count = readInteger(xz, index + 1);
  if (xz[index] !== 0 || count.value !== 1) throw bug(`a member has ${count.value} blocks, expected 1`);
  const unpadded = readInteger(xz, count.end);
  const uncompressed = readInteger(xz, unpadded.end);
  const blockEnd = HEADER_BYTES + padded(unpadded.value);
  if (blockEnd !== index) throw bug('the block of a member does not end where its index begins');
  return {
    bytes: xz.subarray(HEADER_BYTES, blockEnd),
    record: xz.subarray(count.end, uncompressed.end),
    flags: xz.subarray(MAGIC.length, MAGIC.length + 2),
  };
}

function streamHeader(flags: Buffer): Buffer {
  return Buffer.concat([MAGIC, flags, uint32(crc32(flags))]);
}

function indexOf(records: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from([0]), writeInteger(records.length), ...records]);
  const filled = Buffer.concat([body, Buffer.alloc(padded(body.length) - body.length)]);
  return Buffer.concat([filled, uint32(crc32(filled))]);
}

function streamFooter(flags: Buffer, indexBytes: number): Buffer {
  const body = Buffer.concat([uint32(indexBytes / 4 - 1), flags]);
  return Buffer.concat([uint32(crc32(body)), body, Buffer.from(FOOTER_MAGIC)]);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Multibyte integer, section 1.2: seven bits a byte, least significant first. Pieces stay far below 2^53. */
function readInteger(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 7; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  throw bug('a member has a number that is too large');
}

function writeInteger(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function bug(why: string): KubedosError {
  return new KubedosError('internal.bug', `join xz blocks: ${why}`);
}
