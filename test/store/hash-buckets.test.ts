import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HashBuckets, type HashGroup, MANY, UNKNOWN_SIZE } from '../../src/store/hash-buckets.ts';
import { sha256Of, temporaryFolder } from '../support/temporary-store.ts';

const record = fc.record({
  sha256: fc.integer({ min: 0, max: 30 }).map((n) => sha256Of(String(n))),
  sizeBytes: fc.constantFrom(UNKNOWN_SIZE, 0, 2 ** 45),
  tag: fc.nat(2),
});

test.each([undefined, 500])('gives one group a hash, ascending (memory %s)', async (memoryBytes) => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 60 }), async (records) => {
      const buckets = new HashBuckets(await temporaryFolder(), memoryBytes);
      for (const { sha256, sizeBytes, tag } of records) await buckets.add(sha256, sizeBytes, tag);
      const groups: HashGroup[] = [];
      for await (const group of buckets.groups()) groups.push(group);
      const expected = [...new Set(records.map(({ sha256 }) => sha256))].sort().map((sha256) => {
        const own = records.filter((one) => one.sha256 === sha256);
        const sizes = [...new Set(own.map(({ sizeBytes }) => sizeBytes))].filter((size) => size !== UNKNOWN_SIZE);
        const tags = new Set(own.map(({ tag }) => tag));
        return {
          sha256,
          sizesDiffer: sizes.length > 1,
          sized: sizes.length > 0,
          tag: tags.size > 1 ? MANY : own[0]?.tag,
        };
      });
      expect(
        groups.map(({ sizeBytes, sha256, sizesDiffer, tag }) => ({
          sha256,
          sizesDiffer,
          sized: sizeBytes !== UNKNOWN_SIZE,
          tag,
        })),
      ).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});
