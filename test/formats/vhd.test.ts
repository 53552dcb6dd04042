import { expect, test } from 'vitest';
import { FOOTER_BYTES, footerSize, sealedFooter } from '../../src/formats/vhd.ts';

/** As the specification fills it in, of a disk of 2 GiB. */
function footer(): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  bytes.write('conectix', 0, 'latin1');
  bytes.writeUInt32BE(2, 8);
  bytes.writeBigUInt64BE(2n ** 31n, 40);
  bytes.writeBigUInt64BE(2n ** 31n, 48);
  bytes.writeUInt32BE(2, 60);
  return bytes;
}

test('gets a time, an identity and the checksum of both', () => {
  const sealed = sealedFooter(footer(), { time: 946_684_800 + 86_400, id: Buffer.alloc(32, 7) });
  expect(sealed.readUInt32BE(24)).toBe(86_400);
  expect(sealed.subarray(68, 84)).toEqual(Buffer.alloc(16, 7));
  expect(footerSize(sealed)).toBe(2 ** 31);
  sealed.writeUInt8(1, 100);
  expect(() => footerSize(sealed)).toThrow(/checksum/);
});

test('what is no footer is refused', () => {
  expect(() => sealedFooter(Buffer.alloc(FOOTER_BYTES), { time: 0, id: Buffer.alloc(16) })).toThrow(/no footer/);
});
