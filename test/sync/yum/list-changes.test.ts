/** A list that is changed is the list that reading everything gives; what did not change is taken over unread. */
import { hash } from 'node:crypto';
import { posix } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KEYS_FILE } from '../../../src/formats/rpm/layout.ts';
import type { YumSpec } from '../../../src/spec/yum-spec.ts';
import { readManifest, writeManifest } from '../../../src/store/manifest.ts';
import { editManifest } from '../../../src/store/manifest-edit.ts';
import { readMemory } from '../../../src/sync/memory.ts';
import type { FakeFiles } from '../../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { type FakeRepository, type FakeRpm, fakeYum, rpmPath } from '../../support/fake-yum.ts';
import { type Bench, openYumBench } from '../harness.ts';

const FOLDERS = ['main', 'extra'] as const;
/** Kept since the state before. */
const KEPT: FakeRpm = { name: 'kept', version: '1' };
const KEPT_PATH = `main/${rpmPath(KEPT)}`;

let key: FakeKey;
let bench: Bench<YumSpec>;
let time = 1_714_000_000;

beforeAll(async () => {
  key = await fakeKey();
});
beforeEach(async () => {
  const repositories = [...FOLDERS];
  bench = await openYumBench({ files: new Map(), key, upstream: { repositories }, spec: { missing: 'warn' } });
});
afterEach(() => bench.close());

type Packages = Readonly<Record<(typeof FOLDERS)[number], readonly FakeRpm[]>>;

async function filesOf(packages: Packages, more: Partial<FakeRepository> = {}): Promise<FakeFiles> {
  time += 10;
  const of = (folder: keyof Packages) => ({ packages: packages[folder], timestamp: time, ...more });
  const files = await fakeYum({ key, repositories: { main: of('main'), extra: of('extra') } });
  return new Map([...files].map(([path, bytes]) => [posix.normalize(path), bytes]));
}

/** All files of the new state, of which some may not be served. */
async function synced(
  packages: Packages,
  more: Partial<FakeRepository> = {},
  isServed: (path: string) => boolean = () => true,
): Promise<FakeFiles> {
  const files = await filesOf(packages, more);
  bench.upstream.serve(new Map([...files].filter(([path]) => isServed(path))));
  await bench.sync();
  return files;
}

/** The served files, and metadata of the states before. */
async function expectListed(files: FakeFiles, generations: readonly FakeFiles[] = []): Promise<void> {
  const expected = new Map([...files].map(([path, bytes]) => [path, hash('sha256', bytes)]));
  for (const earlier of generations)
    for (const [path, bytes] of earlier)
      if (path.includes('/repodata/') && !expected.has(path)) expected.set(path, hash('sha256', bytes));
  const listing = await bench.listing();
  listing.delete(KEYS_FILE);
  expect(new Map([...listing].sort())).toEqual(new Map([...expected].sort()));
}

/** As it is written when all of it is. */
async function expectCanonical(): Promise<void> {
  const { objects, heads } = bench.store;
  const root = (await heads.read('fake'))?.manifest.root ?? '';
  expect((await writeManifest(objects, readManifest(objects, root))).root).toBe(root);
}

/** Puts another file in the place of the package that is kept: only a list that is read anew has the right one again. */
async function mark(): Promise<void> {
  const { objects, heads } = bench.store;
  const head = await heads.read('fake');
  const other = { path: KEPT_PATH, ...(await objects.put([Buffer.from('other')])) };
  const manifest = head && (await editManifest(objects, head.manifest.root, { set: [other] }));
  if (manifest) await heads.write({ ...head, manifest }, head.manifest.root);
}

const isMarked = async (): Promise<boolean> => (await bench.listing()).get(KEPT_PATH) === hash('sha256', 'other');

test('is the same, whatever changed', async () => {
  const rpm = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    version: fc.constantFrom('1', '2'),
    // Of the other repository.
    shared: fc.boolean(),
  });
  const packages = fc.array(rpm, { maxLength: 6 });
  const state = fc.record({
    main: packages,
    extra: packages,
    unserved: fc.constantFrom('', 'a-1', 'b-'),
    checksum: fc.constantFrom('sha256', 'sha256', 'sha512'),
  });
  type State = { main: Listed[]; extra: Listed[]; unserved: string; checksum: 'sha256' | 'sha512' };
  type Listed = { name: string; version: string; shared: boolean };
  const known = new Set<string>();
  const rpms = (of: readonly Listed[], other: string): FakeRpm[] =>
    of.map(({ name, version, shared }) => ({
      ...{ name, version },
      ...(shared && { href: `../${other}/${rpmPath({ name, version })}` }),
    }));
  await fc.assert(
    fc.asyncProperty(fc.array(state, { minLength: 2, maxLength: 4 }), async (states) => {
      await bench.store.heads.remove('fake');
      const listed: FakeFiles[] = [];
      for (const { main, extra, unserved, checksum } of states as State[]) {
        const all = { main: rpms(main, 'extra'), extra: rpms(extra, 'main') };
        // By another checksum a package has to be fetched before it can be listed.
        const isServed = (path: string) => unserved === '' || checksum !== 'sha256' || !path.includes(`/${unserved}`);
        const files = await synced(all, { checksum }, isServed);
        // What was here before need not be served.
        for (const [path, bytes] of files) if (isServed(path)) known.add(hash('sha256', bytes));
        listed.unshift(new Map([...files].filter(([, bytes]) => known.has(hash('sha256', bytes)))));
        await expectListed(listed[0] as FakeFiles, listed.slice(1, 3));
        await expectCanonical();
      }
    }),
    { numRuns: 25 },
  );
});

describe('what did not change', () => {
  const old = { name: 'old', version: '1' };
  const main = [KEPT, old];
  const extra = [{ name: 'x', version: '1' }];

  test.each(['sha256', 'sha512'] as const)('is taken over, also of a repository without news: %s', async (checksum) => {
    const first = await synced({ main, extra }, { checksum });
    await mark();
    const second = await synced({ main: [...main, { name: 'z', version: '1' }], extra }, { checksum });
    expect(await isMarked()).toBe(true);
    const third = await synced({ main: [{ name: 'first', version: '1' }, KEPT], extra: [] }, { checksum });
    expect(await isMarked()).toBe(true);
    await expectListed(new Map([...third, [KEPT_PATH, Buffer.from('other')]]), [second, first]);
    const { releases } = readMemory(await bench.store.heads.read('fake'));
    expect(Object.values(releases).map(({ packages }) => packages)).toEqual([0, 2]);
  });

  test('is read anew where the list lacks a package', async () => {
    const packages = { main: [...main, { name: 'late', version: '1' }], extra };
    const first = await synced(packages, {}, (path) => !path.includes('late'));
    await mark();
    await expectListed(await synced(packages), [first]);
  });

  test.each<[string, (before: Packages) => Partial<Packages>]>([
    ['lists a package twice', (before) => ({ main: [...before.main, old] })],
    ['takes a path that is taken', () => ({ extra: [{ name: 'x', version: '1', href: `../main/${rpmPath(old)}` }] })],
  ])('is read anew where the new state %s', async (_, change) => {
    await synced({ main, extra });
    await mark();
    await synced({ main, extra, ...change({ main, extra }) });
    expect(await isMarked()).toBe(false);
  });

  test('is read anew by another spec, and by a kubedos that did not count', async () => {
    await synced({ main, extra });
    await mark();
    bench.spec = { ...bench.spec, missing: 'fail' };
    await synced({ main: [KEPT], extra });
    expect(await isMarked()).toBe(false);
    await mark();
    const head = await bench.store.heads.read('fake');
    const text = JSON.stringify(head).replaceAll(/,"packages":\d+/g, '');
    await bench.store.heads.write(JSON.parse(text), head?.manifest.root);
    await synced({ main, extra });
    expect(await isMarked()).toBe(false);
  });

  test('is read anew where the primary before is gone', async () => {
    await synced({ main, extra });
    await mark();
    for (const [path, sha256] of await bench.listing())
      if (path.endsWith('primary.xml.gz')) await bench.store.objects.remove(sha256);
    await synced({ main: [KEPT], extra });
    expect(await isMarked()).toBe(false);
  });
});

test('a dry run tells the same', async () => {
  await synced({ main: [KEPT, { name: 'old', version: '1' }], extra: [] });
  bench.upstream.serve(await filesOf({ main: [KEPT, { name: 'old', version: '2' }], extra: [] }));
  const planned = await bench.sync({ dryRun: true });
  const done = await bench.sync();
  expect({ ...planned, dryRun: false }).toMatchObject({
    paths: done.paths,
    fetched: done.fetched,
    manifest: done.manifest,
  });
});
