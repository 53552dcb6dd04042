import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePaths } from '../../src/formats/path.ts';
import { type EntryConflict, EntrySorter } from '../../src/store/sorted-lines.ts';
import type { ManifestEntry } from '../../src/store/types.ts';
import { entryNumber } from '../support/many-entries.ts';
import { sha256Of, temporaryFolder } from '../support/temporary-store.ts';

const entry = fc.record({
  path: fc
    .string({ unit: 'binary', minLength: 1, maxLength: 8 })
    .map((text) => `p${text.replace(/[\p{Cc}\p{Cs}/\\]/gu, '_')}`),
  sha256: fc.integer({ min: 0, max: 2 }).map((n) => sha256Of(String(n))),
  sizeBytes: fc.nat(1),
});

async function sort(entries: Iterable<ManifestEntry>, memoryBytes?: number) {
  const folder = await temporaryFolder();
  const conflicts: EntryConflict[] = [];
  const sorter = new EntrySorter({
    folder,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    onConflict: (conflict) => conflicts.push(conflict),
  });
  for (const one of entries) await sorter.add(one);
  const runs = (await readdir(folder)).length;
  const sorted: ManifestEntry[] = [];
  for await (const one of sorter.sorted()) sorted.push(one);
  expect(await readdir(folder)).toEqual([]);
  return { sorted, conflicts, spilled: runs > 0 };
}

test.each([undefined, 300])('sorts by bytes of the path, first come stays (memory %s)', async (memoryBytes) => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (entries) => {
      const firsts = new Map<string, ManifestEntry>();
      for (const one of entries) if (!firsts.has(one.path)) firsts.set(one.path, one);
      const { sorted, conflicts } = await sort(entries, memoryBytes);
      expect(sorted).toEqual([...firsts.values()].sort((a, b) => comparePaths(a.path, b.path)));
      for (const { path, kept, dropped } of conflicts) {
        expect(kept).toEqual(firsts.get(path));
        expect(dropped).not.toEqual(kept);
        expect(entries).toContainEqual(dropped);
      }
      const clash = entries.some((one) => JSON.stringify(one) !== JSON.stringify(firsts.get(one.path)));
      expect(conflicts.length > 0).toBe(clash);
    }),
    { numRuns: 25 },
  );
});

test('hundreds of runs are merged by and by', async () => {
  const count = 3000;
  const numbers = Array.from({ length: count }, (_, index) => (index * 1009) % count);
  const { sorted, conflicts, spilled } = await sort(
    [...numbers, ...numbers.slice(0, 500)].map((n) => entryNumber(n)),
    3000,
  );
  expect(spilled).toBe(true);
  expect(conflicts).toEqual([]);
  expect(sorted.length).toBe(count);
  expect(sorted.every((one, index) => index === 0 || comparePaths(sorted[index - 1]?.path ?? '', one.path) < 0)).toBe(
    true,
  );
});

test('without a callback two hashes of one path are refused, with both shown', async () => {
  const sorter = new EntrySorter({ folder: await temporaryFolder() });
  await sorter.add({ path: 'a', sha256: sha256Of('1'), sizeBytes: 1 });
  await sorter.add({ path: 'a', sha256: sha256Of('2'), sizeBytes: 1 });
  await expect(sorter.sorted().next()).rejects.toMatchObject({
    code: 'repo.conflict',
    message: expect.stringMatching(new RegExp(`a: .*${sha256Of('1')}.*${sha256Of('2')}`)),
  });
});

test.each(['a\nb', '../x', '/x', ''])('refuses the path %j', async (path) => {
  const sorter = new EntrySorter({ folder: await temporaryFolder() });
  await expect(sorter.add({ path, sha256: sha256Of(''), sizeBytes: 0 })).rejects.toMatchObject({ code: 'format.path' });
});

test('given up, it leaves nothing on disk', async () => {
  const folder = await temporaryFolder();
  const fill = async () => {
    const sorter = new EntrySorter({ folder, memoryBytes: 1000 });
    for (let n = 0; n < 50; n++) await sorter.add(entryNumber(n));
    return sorter;
  };
  await (await fill()).dispose();
  expect(await readdir(folder)).toEqual([]);
  for await (const _ of (await fill()).sorted()) break;
  expect(await readdir(folder)).toEqual([]);
});
