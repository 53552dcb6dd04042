/** The descriptor within a sparse VMDK (Virtual Disk Format 5.0): lines of text, filled up with zeros. */
import { KubedosError } from '../errors.ts';

const MAGIC = 'KDMV';
const SECTOR_BYTES = 512;
/** In the header, little-endian, sectors. */
const DESCRIPTOR_START_AT = 28;
const DESCRIPTOR_SIZE_AT = 36;

/**
 * `start`: the header and all of the descriptor at least. The same with this content id, eight hexadecimal digits; the id
 * before may have fewer, since qemu-img writes no zeros in front.
 */
export function withContentId(start: Buffer, id: string): Buffer {
  if (start.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new KubedosError('format.syntax', 'name the content of a VMDK: it has no header of a sparse one');
  const at = Number(start.readBigUInt64LE(DESCRIPTOR_START_AT)) * SECTOR_BYTES;
  const size = Number(start.readBigUInt64LE(DESCRIPTOR_SIZE_AT)) * SECTOR_BYTES;
  const text = start.toString('latin1', at, at + size).replace(/\0+$/, '');
  const named = text.replace(/^CID=[0-9a-f]{1,8}$/m, `CID=${id}`);
  if (named === text && !text.includes(`\nCID=${id}\n`))
    throw new KubedosError('format.syntax', 'name the content of a VMDK: its descriptor has no content id');
  if (at + size > start.length || named.length > size)
    throw new KubedosError('format.syntax', 'name the content of a VMDK: its descriptor has no room');
  const result = Buffer.from(start);
  result.fill(0, at, at + size).write(named, at, 'latin1');
  return result;
}
