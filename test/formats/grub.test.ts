import { expect, test } from 'vitest';
import { bootCode, coreImage } from '../../src/formats/grub.ts';

test('the first sector names where the core image begins, and has no partition table', () => {
  const code = bootCode(Buffer.alloc(512, 0xee), 2048);
  expect(code).toHaveLength(440);
  expect(code.readBigUInt64LE(0x5c)).toBe(2048n);
  expect(code.readUInt16LE(0x66)).toBe(0x9090);
  expect(() => bootCode(Buffer.alloc(500), 2048)).toThrow(/boot.img/);
});

test('the core image names its further sectors', () => {
  const image = Buffer.alloc(1300, 0xee);
  const placed = coreImage(image, 2048, 1024 * 1024);
  expect(placed.readBigUInt64LE(500)).toBe(2049n);
  expect(placed.readUInt16LE(508)).toBe(2);
  expect(placed.readUInt16LE(510)).toBe(0x820);
  expect(placed.subarray(512)).toEqual(image.subarray(512));
  expect(() => coreImage(image, 2048, 1024)).toThrow(/core.img/);
});
