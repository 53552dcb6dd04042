import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePaths } from '../../src/formats/path.ts';
import { ManifestReader, writeManifest } from '../../src/store/manifest.ts';
import type { ObjectStore } from '../../src/store/types.ts';
import { manyEntries } from '../support/many-entries.ts';
import { entriesOf, temporaryStore } from '../support/temporary-store.ts';

function countReads(objects: ObjectStore): { objects: ObjectStore; reads: () => number } {
  let reads = 0;
  const counted: ObjectStore = Object.assign(Object.create(objects) as ObjectStore, {
    read: (sha256: string, maxBytes: number) => {
      reads += 1;
      return objects.read(sha256, maxBytes);
    },
  });
  return { objects: counted, reads: () => reads };
}

test('looks up every path and no other', async () => {
  const { objects } = await temporaryStore();
  const entries = manyEntries(3000);
  const { root } = await writeManifest(objects, entries);
  const reader = new ManifestReader(objects);
  for (const entry of entries) expect(await reader.lookup(root, entry.path)).toEqual(entry);
  for (const path of ['', 'a', 'pool', 'pool/main', `${entries[5]?.path}x`, 'zzz']) {
    expect(await reader.lookup(root, path)).toBeUndefined();
  }
});

test('reads each root and chunk once, however many ask at the same time', async () => {
  const store = await temporaryStore();
  const entries = manyEntries(3000);
  const { root } = await writeManifest(store.objects, entries);
  const { objects, reads } = countReads(store.objects);
  const reader = new ManifestReader(objects);
  const look = () => Promise.all(entries.map(({ path }) => reader.lookup(root, path)));
  await look();
  const first = reads();
  expect(first).toBeLessThan(40);
  await look();
  expect(reads()).toBe(first);
});

test('keeps within its bound, and still answers', async () => {
  const store = await temporaryStore();
  const entries = manyEntries(3000);
  const { root } = await writeManifest(store.objects, entries);
  const { objects, reads } = countReads(store.objects);
  const reader = new ManifestReader(objects, { maxBytes: 100_000 });
  const some = entries.filter((_, index) => index % 30 === 0);
  for (const { path, sha256 } of [...some, ...some]) expect((await reader.lookup(root, path))?.sha256).toBe(sha256);
  expect(reads()).toBeGreaterThan(20);
  expect(reader.cachedBytes).toBeLessThanOrEqual(100_000);
});

test('lists one level, page by page', async () => {
  const { objects } = await temporaryStore();
  const { root } = await writeManifest(
    objects,
    entriesOf({ 'a-b': '1', 'a.txt': '22', 'a/x': '', 'a/y/z': '', a0: '', 'b/c': '333', c: '4444' }),
  );
  const reader = new ManifestReader(objects);
  const top = [
    { name: 'a-b', directory: false, sizeBytes: 1 },
    { name: 'a.txt', directory: false, sizeBytes: 2 },
    { name: 'a', directory: true },
    { name: 'a0', directory: false, sizeBytes: 0 },
    { name: 'b', directory: true },
    { name: 'c', directory: false, sizeBytes: 4 },
  ];
  expect(await reader.listDirectory(root, '', { limit: 100 })).toEqual(top);
  expect(await reader.listDirectory(root, '', { limit: 2 })).toEqual(top.slice(0, 2));
  expect(await reader.listDirectory(root, '', { limit: 2, after: 'a.txt' })).toEqual(top.slice(2, 4));
  expect(await reader.listDirectory(root, '', { limit: 9, after: 'a/' })).toEqual(top.slice(3));
  expect(await reader.listDirectory(root, 'a', { limit: 9 })).toEqual([
    { name: 'x', directory: false, sizeBytes: 0 },
    { name: 'y', directory: true },
  ]);
  for (const none of ['nothing', 'c', 'a/x', 'a.']) {
    expect(await reader.listDirectory(root, none, { limit: 9 })).toEqual([]);
  }
});

test('a page through a folder costs its entries, not what lies below them', async () => {
  const store = await temporaryStore();
  const { root } = await writeManifest(store.objects, manyEntries(20_000));
  const { objects, reads } = countReads(store.objects);
  const reader = new ManifestReader(objects);
  expect(await reader.listDirectory(root, '', { limit: 10 })).toEqual([{ name: 'pool', directory: true }]);
  expect((await reader.listDirectory(root, 'pool/main', { limit: 100 })).map(({ name }) => name)).toEqual([
    ...'0123456789',
  ]);
  expect(reads()).toBeLessThan(20);
});

test('all pages together are the folder', async () => {
  const { objects } = await temporaryStore();
  const part = fc.constantFrom('a', 'a-', 'a0', 'b', '~', 'ü');
  const lists = fc.uniqueArray(fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')));
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: 1, max: 3 }), async (paths, limit) => {
      const { root } = await writeManifest(objects, entriesOf(Object.fromEntries(paths.map((path) => [path, path]))));
      const reader = new ManifestReader(objects);
      for (const directory of ['', 'a', 'b/a']) {
        const below = directory === '' ? '' : `${directory}/`;
        const expected = new Set(
          paths
            .filter((path) => path.startsWith(below))
            .sort(comparePaths)
            .map((path) => path.slice(below.length).replace(/\/.*/, '/')),
        );
        const found: string[] = [];
        for (;;) {
          const page = await reader.listDirectory(root, directory, { limit, after: found.at(-1) });
          if (page.length === 0) break;
          found.push(...page.map(({ name, directory: folder }) => (folder ? `${name}/` : name)));
        }
        expect(found).toEqual([...expected]);
      }
    }),
    { numRuns: 30 },
  );
});
