import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePaths } from '../../src/formats/path.ts';
import { nodeFileSystem } from '../../src/store/file-system.ts';
import { diffManifests, lookupPath, readManifest, writeManifest } from '../../src/store/manifest.ts';
import { beginsChunk, loadRoot, MAX_CHUNK_FILES } from '../../src/store/manifest-format.ts';
import type { ManifestEntry, ObjectStore } from '../../src/store/types.ts';
import { manyEntries } from '../support/many-entries.ts';
import { sha256Of, temporaryStore } from '../support/temporary-store.ts';

const segment = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 6 })
  .map((text) => text.replace(/[\p{Cc}\p{Cs}/\\]/gu, '_'))
  .filter((text) => text !== '.' && text !== '..');
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const entry = fc.record({
  path,
  sha256: fc.integer({ min: 0, max: 50 }).map((n) => sha256Of(String(n))),
  sizeBytes: fc.maxSafeInteger().map((n) => Math.abs(n) % 2 ** 40),
});
const list = fc
  .uniqueArray(entry, { selector: ({ path: of }) => of, maxLength: 40 })
  .map((entries) => entries.sort((a, b) => comparePaths(a.path, b.path)));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** A store that notes which objects are read, and how many files are written. */
async function watchedStore(): Promise<{ objects: ObjectStore; reads: string[]; writes: () => number }> {
  let writes = 0;
  const store = await temporaryStore({
    ...nodeFileSystem,
    open: (path, flags, mode) => {
      if (flags !== 'r') writes += 1;
      return nodeFileSystem.open(path, flags, mode);
    },
  });
  const before = writes;
  const reads: string[] = [];
  const objects: ObjectStore = Object.assign(Object.create(store.objects) as ObjectStore, {
    put: store.objects.put.bind(store.objects),
    stat: store.objects.stat.bind(store.objects),
    read: (sha256: string, maxBytes: number) => {
      reads.push(sha256);
      return store.objects.read(sha256, maxBytes);
    },
  });
  return { objects, reads, writes: () => writes - before };
}

test('the bytes of a small manifest, as docs/formats.md has them', async () => {
  const { objects } = await temporaryStore();
  const entries = [
    { path: 'dists/bookworm/InRelease', sha256: sha256Of('a'), sizeBytes: 1 },
    { path: 'pool/main/g/g++/g++_12_amd64.deb', sha256: sha256Of(''), sizeBytes: 0 },
    { path: 'pool/ä b', sha256: sha256Of('bc'), sizeBytes: 2 },
  ];
  const chunk = [
    'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb 1 dists/bookworm/InRelease\n',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 pool/main/g/g++/g++_12_amd64.deb\n',
    '1e0bbd6c686ba050b8eb03ffeedc64fdc9d80947fce821abbe5d6dc8d252c5ac 2 pool/ä b\n',
  ].join('');
  const root = `kubedos-manifest 1\nfiles 3\nbytes 3\n${sha256Of(chunk)} ${Buffer.byteLength(chunk)} 3 3 dists/bookworm/InRelease\n`;
  const ref = await writeManifest(objects, entries);
  expect(ref).toEqual({ root: sha256Of(root), files: 3, bytes: 3 });
  expect((await objects.read(ref.root, 1000))?.toString()).toBe(root);
  expect((await objects.read(sha256Of(chunk), 1000))?.toString()).toBe(chunk);
});

test('the empty list is a manifest', async () => {
  const { objects } = await temporaryStore();
  const ref = await writeManifest(objects, []);
  expect(ref).toEqual({ root: sha256Of('kubedos-manifest 1\nfiles 0\nbytes 0\n'), files: 0, bytes: 0 });
  expect(await all(readManifest(objects, ref.root))).toEqual([]);
  expect(await lookupPath(objects, ref.root, 'a')).toBeUndefined();
});

test('reading gives what was written, from anywhere, below anything', async () => {
  const { objects } = await temporaryStore();
  await fc.assert(
    fc.asyncProperty(list, path, fc.nat(), async (entries, other, pick) => {
      const { root, files, bytes } = await writeManifest(objects, entries);
      expect(files).toBe(entries.length);
      expect(bytes).toBe(entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
      expect(await all(readManifest(objects, root))).toEqual(entries);
      const some = entries[pick % Math.max(1, entries.length)]?.path ?? other;
      for (const wanted of [some, other, some.slice(0, 2).toWellFormed()]) {
        expect(await lookupPath(objects, root, wanted)).toEqual(entries.find((one) => one.path === wanted));
        expect(await all(readManifest(objects, root, { from: wanted }))).toEqual(
          entries.filter((one) => comparePaths(one.path, wanted) >= 0),
        );
        expect(await all(readManifest(objects, root, { prefix: wanted }))).toEqual(
          entries.filter((one) => one.path.startsWith(wanted)),
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('diff finds what two lists differ in', async () => {
  const { objects } = await temporaryStore();
  await fc.assert(
    fc.asyncProperty(list, list, async (before, after) => {
      const [a, b] = [await writeManifest(objects, before), await writeManifest(objects, after)];
      const old = new Map(before.map((one) => [one.path, one]));
      const now = new Map(after.map((one) => [one.path, one]));
      const paths = [...new Set([...old.keys(), ...now.keys()])].sort(comparePaths);
      const expected = paths
        .map((of) => ({ path: of, before: old.get(of), after: now.get(of) }))
        .filter((one) => JSON.stringify(one.before) !== JSON.stringify(one.after));
      expect(await all(diffManifests(objects, a.root, b.root))).toEqual(
        expected.map((one) => JSON.parse(JSON.stringify(one))),
      );
    }),
    { numRuns: 30 },
  );
});

describe('a list of 21,000 files', () => {
  const entries = manyEntries(21_000);
  const changed = entries.map((one, index) => (index % 700 === 7 ? { ...one, sizeBytes: one.sizeBytes + 1 } : one));

  test('is cut where the hash of a path begins with a zero byte', async () => {
    const { objects } = await temporaryStore();
    const { root } = await writeManifest(objects, entries);
    const { table } = await loadRoot(objects, root);
    const firsts = Array.from({ length: table.count }, (_, index) => table.path(index));
    expect(firsts).toEqual(entries.map((one) => one.path).filter((of, index) => index === 0 || beginsChunk(of)));
    expect(firsts.length).toBeGreaterThan(60);
    expect(firsts.length).toBeLessThan(110);
  });

  test('with 30 changes shares all other chunks: written, read and compared at the cost of the change', async () => {
    const { objects, reads, writes } = await watchedStore();
    const before = await writeManifest(objects, entries);
    const cold = writes();
    expect(await writeManifest(objects, entries)).toEqual(before);
    expect(writes()).toBe(cold);
    const after = await writeManifest(objects, changed);
    const warm = writes() - cold;
    expect(warm).toBeLessThanOrEqual(31);
    expect(warm).toBeLessThan(cold / 2);
    const changes = await all(diffManifests(objects, before.root, after.root));
    expect(changes.length).toBe(30);
    expect(changes.every((one) => one.before && one.after?.sizeBytes === one.before.sizeBytes + 1)).toBe(true);
    expect(reads.length).toBe(2 * warm);
  });

  test('insertion and removal change the chunks they fall into, also of many in a row', async () => {
    const { objects, reads } = await watchedStore();
    const fewer = [...entries.slice(0, 10_000), ...entries.slice(11_000)];
    const before = await writeManifest(objects, entries);
    const after = await writeManifest(objects, fewer);
    const gone = await all(diffManifests(objects, before.root, after.root));
    expect(gone).toEqual(entries.slice(10_000, 11_000).map((one) => ({ path: one.path, before: one })));
    expect(reads.length).toBeLessThan(20);
    reads.length = 0;
    expect((await all(diffManifests(objects, after.root, before.root))).length).toBe(1000);
    expect(reads.length).toBeLessThan(20);
  });
});

test('a chunk has an upper bound, whatever the paths', async () => {
  const { objects } = await temporaryStore();
  const paths: string[] = [];
  for (let n = 0; paths.length < MAX_CHUNK_FILES + 1; n++) {
    const of = `p${String(n).padStart(6, '0')}`;
    if (!beginsChunk(of)) paths.push(of);
  }
  const entries = paths.map((of) => ({ path: of, sha256: sha256Of(''), sizeBytes: 0 }));
  const { root } = await writeManifest(objects, entries);
  const { table } = await loadRoot(objects, root);
  expect(table.count).toBe(2);
  expect(table.path(1)).toBe(paths[MAX_CHUNK_FILES]);
  expect(await all(readManifest(objects, root))).toEqual(entries);
});

const good: ManifestEntry = { path: 'b', sha256: sha256Of(''), sizeBytes: 0 };
test.each<[string, ManifestEntry[], string]>([
  ['a path twice', [good, good], 'internal.bug'],
  ['paths out of order', [good, { ...good, path: 'a' }], 'internal.bug'],
  [
    'the order of UTF-16 instead of bytes',
    [
      { ...good, path: '\u{1f600}' },
      { ...good, path: '\uffee' },
    ],
    'internal.bug',
  ],
  ['a hash that is none', [{ ...good, sha256: 'x' }], 'internal.bug'],
  ['a negative size', [{ ...good, sizeBytes: -1 }], 'internal.bug'],
  ['a fraction of a byte', [{ ...good, sizeBytes: 0.5 }], 'internal.bug'],
  ...[
    '',
    '.',
    '..',
    '/a',
    'a/',
    'a//b',
    './a',
    'a/./b',
    'a/../b',
    'a\nb',
    'a\\b',
    'a\u0000',
    'a\u007f',
    '\ud800',
    'x'.repeat(4096),
  ].map((of): [string, ManifestEntry[], string] => [
    `the path ${JSON.stringify(of.slice(0, 20))}`,
    [{ ...good, path: of }],
    'format.path',
  ]),
])('refuses to write %s', async (_, entries, code) => {
  const { objects } = await temporaryStore();
  await expect(writeManifest(objects, entries)).rejects.toMatchObject({ code });
});

test('refuses sizes that add up beyond exact numbers', async () => {
  const { objects } = await temporaryStore();
  const huge = (path: string) => ({ ...good, path, sizeBytes: Number.MAX_SAFE_INTEGER });
  expect((await writeManifest(objects, [huge('a')])).bytes).toBe(Number.MAX_SAFE_INTEGER);
  await expect(writeManifest(objects, [huge('a'), huge('b')])).rejects.toMatchObject({ code: 'format.limit' });
});

test('takes the longest path there may be', async () => {
  const { objects } = await temporaryStore();
  const entries = [{ ...good, path: 'x'.repeat(4095) }];
  const { root } = await writeManifest(objects, entries);
  expect(await all(readManifest(objects, root))).toEqual(entries);
});
