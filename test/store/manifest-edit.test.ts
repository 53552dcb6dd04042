import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePaths } from '../../src/formats/path.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import { editManifest } from '../../src/store/manifest-edit.ts';
import { beginsChunk, MAX_CHUNK_FILES } from '../../src/store/manifest-format.ts';
import type { ManifestEntry, ObjectStore } from '../../src/store/types.ts';
import { manyEntries } from '../support/many-entries.ts';
import { sha256Of, temporaryStore } from '../support/temporary-store.ts';

/** What the edit means, on a plain list. */
function edited(list: readonly ManifestEntry[], set: readonly ManifestEntry[], remove: readonly string[]) {
  const entries = new Map(list.map((entry) => [entry.path, entry]));
  for (const path of remove) entries.delete(path);
  for (const entry of set) entries.set(entry.path, entry);
  return [...entries.values()].sort((a, b) => comparePaths(a.path, b.path));
}

/** Lists with chunks by hash; with chunks by number alone; with few chunks; with none. */
const SPREAD = manyEntries(3000);
const DENSE = manyEntries(3 * MAX_CHUNK_FILES).filter(({ path }) => !beginsChunk(path));
const MIXED = [
  ...DENSE.slice(0, MAX_CHUNK_FILES + 300),
  ...manyEntries(600).map((entry) => ({ ...entry, path: `z${entry.path}` })),
];
const LISTS = [SPREAD, DENSE, MIXED, SPREAD.slice(0, 40), []];

const runs = (list: readonly ManifestEntry[]) =>
  fc
    .tuple(fc.nat(Math.max(0, list.length - 1)), fc.constantFrom(1, 3, 300, 5000))
    .map(([at, count]) => list.slice(at, at + count));
const change = fc.constantFrom(...LISTS).chain((list) => {
  const firsts = list.filter(({ path }, index) => beginsChunk(path) || index % MAX_CHUNK_FILES === 0);
  const fresh = fc
    .constantFrom('a', 'pool/main/1/new', 'zz')
    .chain((prefix) =>
      fc.nat(300).map((count) => manyEntries(count).map((entry) => ({ ...entry, path: `${prefix}/${entry.path}` }))),
    );
  const replaced = runs(list).map((run) =>
    run.map((entry) => ({ ...entry, sha256: sha256Of(entry.path), sizeBytes: 7 })),
  );
  return fc.record({
    list: fc.constant(list),
    set: fc.array(fc.oneof(fresh, replaced), { maxLength: 2 }).map((parts) => parts.flat()),
    remove: fc
      .array(fc.oneof(runs(list), fc.subarray(firsts, { maxLength: Math.min(3, firsts.length) })), { maxLength: 2 })
      .map((parts) => [...parts.flat().map(({ path }) => path), 'never/there']),
  });
});

test('property: an edited list is the list written anew, to the byte', async () => {
  const { objects } = await temporaryStore();
  const bases = new Map<readonly ManifestEntry[], string>();
  for (const list of LISTS) bases.set(list, (await writeManifest(objects, list)).root);
  await fc.assert(
    fc.asyncProperty(change, async ({ list, set, remove }) => {
      const anew = await writeManifest(objects, edited(list, set, remove));
      expect(await editManifest(objects, bases.get(list) ?? '', { set, remove })).toEqual(anew);
    }),
    { numRuns: 25 },
  );
});

test('a chunk whose first path goes is joined to the one before', async () => {
  const { objects } = await temporaryStore();
  const { root } = await writeManifest(objects, SPREAD);
  const firsts = SPREAD.map(({ path }) => path).filter(beginsChunk);
  for (const remove of [...firsts.map((path) => [path]), firsts])
    expect(await editManifest(objects, root, { remove })).toEqual(
      await writeManifest(objects, edited(SPREAD, [], remove)),
    );
});

test('reads and writes what the change touches, and the root', async () => {
  const { objects } = await temporaryStore();
  const list = manyEntries(20_000);
  const { root } = await writeManifest(objects, list);
  const calls: string[] = [];
  const watch = (name: 'read' | 'put') => ({
    value: (...args: readonly unknown[]) => {
      calls.push(name);
      return Reflect.apply(objects[name], objects, args);
    },
  });
  const watched: ObjectStore = Object.create(objects, { read: watch('read'), put: watch('put') });
  const set = [{ ...(list[9999] as ManifestEntry), sizeBytes: 1 }];
  await editManifest(watched, root, { set });
  expect(calls).toEqual(['read', 'read', 'put', 'put']);
});

test('refuses what no list may hold', async () => {
  const { objects } = await temporaryStore();
  const { root } = await writeManifest(objects, []);
  const one = { path: 'a', sha256: sha256Of('a'), sizeBytes: 1 };
  const setting = (more: Partial<ManifestEntry>) => editManifest(objects, root, { set: [{ ...one, ...more }] });
  await expect(setting({ path: '../a' })).rejects.toMatchObject({ code: 'format.path' });
  await expect(setting({ sha256: 'x' })).rejects.toMatchObject({ code: 'internal.bug' });
  await expect(setting({ sizeBytes: -1 })).rejects.toMatchObject({ code: 'internal.bug' });
});
