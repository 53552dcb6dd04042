/** The footer of a fixed VHD (Virtual Hard Disk Image Format Specification 1.0): the last 512 bytes of the file, big-endian. */
import { KubedosError } from '../errors.ts';

export const FOOTER_BYTES = 512;
const COOKIE = 'conectix';
const TIME_AT = 24;
const SIZE_AT = 48;
const CHECKSUM_AT = 64;
const ID_AT = 68;
/** Times count from here. */
const EPOCH_2000 = Date.UTC(2000, 0, 1) / 1000;

/** The same footer with this time (seconds since 1970) and identity (16 bytes). */
export function sealedFooter(footer: Buffer, of: { readonly time: number; readonly id: Buffer }): Buffer {
  if (footer.length !== FOOTER_BYTES || footer.toString('latin1', 0, COOKIE.length) !== COOKIE)
    throw new KubedosError('format.syntax', 'seal a VHD: there is no footer at its end');
  const sealed = Buffer.from(footer);
  sealed.writeUInt32BE(of.time - EPOCH_2000, TIME_AT);
  of.id.copy(sealed, ID_AT, 0, 16);
  sealed.writeUInt32BE(0, CHECKSUM_AT);
  sealed.writeUInt32BE(checksumOf(sealed), CHECKSUM_AT);
  return sealed;
}

/** Size of the disk, bytes, as the footer tells it; `format.syntax` where its checksum does not hold. */
export function footerSize(footer: Buffer): number {
  const plain = Buffer.from(footer);
  plain.writeUInt32BE(0, CHECKSUM_AT);
  if (footer.readUInt32BE(CHECKSUM_AT) !== checksumOf(plain))
    throw new KubedosError('format.syntax', 'read a VHD: the checksum of its footer does not hold');
  return Number(footer.readBigUInt64BE(SIZE_AT));
}

/** One's complement of the sum of all bytes. */
function checksumOf(footer: Buffer): number {
  let sum = 0;
  for (const byte of footer) sum += byte;
  return ~sum >>> 0;
}
