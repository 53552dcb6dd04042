import fc from 'fast-check';
import { expect, test } from 'vitest';
import { extentBytes, extentSizes, Layout, layoutLimits } from '../../src/bundle/layout.ts';
import { parityGeometry } from '../../src/bundle/parity-geometry.ts';
import { MAX_FILE_BYTES } from '../../src/bundle/types.ts';
import { memberBytes, TRAILER_BYTES } from '../../src/bundle/ustar.ts';

const KIB = 1024;

test('every member is in one pack, packs and volumes stay within their sizes, parity included', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 400 * KIB }), { maxLength: 120 });
  const limits = fc.record({
    volumeBytes: fc.integer({ min: 400 * KIB, max: 3000 * KIB }),
    packBytes: fc.integer({ min: 8 * KIB, max: 400 * KIB }),
    parityPercent: fc.constantFrom(0, 5, 10, 40),
    fixedBytes: fc.integer({ min: 0, max: 20 * KIB }),
  });
  fc.assert(
    fc.property(sizes, limits, (members, input) => {
      const bounds = layoutLimits(input);
      const layout = new Layout(bounds);
      const inPack = new Map<number, number>();
      for (const size of members) {
        for (const part of extentSizes(size, bounds.packBytes) ?? [size]) {
          const pack = layout.add(part, 1);
          inPack.set(pack, (inPack.get(pack) ?? TRAILER_BYTES) + memberBytes(part));
        }
      }
      const volumes = layout.finish();
      const packs = volumes.flat();
      expect(packs.map(({ sizeBytes }) => sizeBytes)).toEqual([...inPack.values()]);
      expect(packs.map(({ name }) => Number(name.slice(5, 9)))).toEqual(packs.map((_, index) => index + 1));
      for (const { sizeBytes } of packs) expect(sizeBytes).toBeLessThanOrEqual(bounds.packBytes);
      for (const [index, volume] of volumes.entries()) {
        const neighbour = volumes.at(index - 1) ?? [];
        const bytes = volume.reduce((sum, { sizeBytes }) => sum + sizeBytes, input.fixedBytes);
        const parity = neighbour.map(({ sizeBytes }) => parityGeometry(sizeBytes, input.parityPercent).boundBytes);
        expect(parity.reduce((sum, one) => sum + one, bytes)).toBeLessThanOrEqual(input.volumeBytes);
      }
    }),
  );
});

test('an object that fits no pack is cut, and its parts add up', () => {
  expect(extentSizes(1000, 4096)).toBeUndefined();
  const sizes = extentSizes(10_000, 4096) ?? [];
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_000);
  expect(new Set(sizes.slice(0, -1))).toEqual(new Set([extentBytes(4096)]));
});

test('no pack is larger than FAT32 holds', () => {
  const { packBytes } = layoutLimits({ volumeBytes: 2 ** 45, packBytes: 2 ** 40, parityPercent: 5, fixedBytes: 0 });
  expect(packBytes).toBeLessThanOrEqual(MAX_FILE_BYTES);
});

test('documents that leave no room are refused with the way out', () => {
  const input = { volumeBytes: 100 * KIB, packBytes: 50 * KIB, parityPercent: 0, fixedBytes: 99.9 * KIB };
  expect(() => layoutLimits(input)).toThrow(/each volume carries/);
});

test('parity never shrinks when a pack grows', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 32 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.integer({ min: 1, max: 50 }),
      (a, more, percent) => {
        expect(parityGeometry(a + more, percent).boundBytes).toBeGreaterThanOrEqual(
          parityGeometry(a, percent).boundBytes,
        );
      },
    ),
  );
});
