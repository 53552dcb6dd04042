import { hash } from 'node:crypto';

/** A UUID of version 8 (RFC 9562 §5.8): the same for the same key. */
export function uuidOf(key: string, what: string): string {
  const bytes = Buffer.from(hash('sha256', `${key} ${what}`), 'hex').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
