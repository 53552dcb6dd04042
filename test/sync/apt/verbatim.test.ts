import { hash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PackageRow } from '../../../src/catalog/types.ts';
import { packageRows } from '../../../src/publish/package-rows.ts';
import { SAMPLE_DATE, SAMPLE_PACKAGES, twoPoints } from '../../support/fake-apt.ts';
import { type FakeFiles, type FakeSuite, fakeArchive } from '../../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { type Bench, type BenchOptions, openBench } from '../harness.ts';

let key: FakeKey;
let first: FakeFiles;
let second: FakeFiles;
let bench: Bench;

beforeAll(async () => {
  key = await fakeKey();
  ({ first, second } = await twoPoints(key));
});
afterEach(() => bench.close());

const open = async (options: Partial<BenchOptions> = {}): Promise<Bench> => {
  bench = await openBench({ files: first, key, ...options });
  return bench;
};
const archive = (suite: Partial<FakeSuite>): Promise<FakeFiles> =>
  fakeArchive({
    key,
    suites: [{ suite: 'bookworm', components: { main: { packages: SAMPLE_PACKAGES } }, date: SAMPLE_DATE, ...suite }],
  });
const sha = (bytes: Buffer | undefined): string => hash('sha256', bytes ?? '');

describe('a first sync', () => {
  test('lists what upstream serves, byte for byte, and nothing else', async () => {
    await open();
    const report = await bench.sync();
    const expected = new Map([...first].map(([path, bytes]) => [path, sha(bytes)]));
    expect(await bench.listing()).toEqual(expected);
    expect(report).toMatchObject({ changed: true, missing: [], manifest: { files: expected.size } });
    for (const sha256 of expected.values()) expect(await bench.store.objects.stat(sha256)).toBeDefined();
  });

  test('keeps the evidence: document, keyring, fingerprint and date', async () => {
    await open();
    await bench.sync();
    const [evidence] = (await bench.store.heads.read('fake'))?.evidence ?? [];
    expect(evidence).toMatchObject({
      source: `${bench.upstream.url} bookworm`,
      document: sha(first.get('dists/bookworm/InRelease')),
      signature: null,
      fingerprints: [key.fingerprint],
      date: SAMPLE_DATE.toISOString(),
    });
    const keyring = await bench.store.objects.read(evidence?.keyring ?? '', 1e6);
    expect(keyring?.toString()).toContain('BEGIN PGP PUBLIC KEY BLOCK');
  });

  test('tells totals and progress', async () => {
    await open();
    const report = await bench.sync();
    const packages = bench.events.findIndex((event) => event.type === 'phase' && event.phase === 'packages');
    const phase = bench.events[packages];
    const debs = [...first].filter(([path]) => path.endsWith('.deb'));
    expect(phase).toMatchObject({ files: 4, bytes: debs.reduce((sum, [, bytes]) => sum + bytes.length, 0) });
    expect(
      bench.events
        .slice(packages)
        .filter(({ type }) => type === 'advance')
        .at(-1),
    ).toMatchObject({ files: 4 });
    expect(report.fetched.files).toBe(4 + 2);
  });

  test('asks by hash where the Release allows it, and by path otherwise', async () => {
    await open();
    await bench.sync();
    const asked = (): string[] =>
      bench.upstream.requests.map(({ path }) => path).filter((path) => path.includes('binary-amd64'));
    expect(asked().every((path) => path.includes('/by-hash/SHA256/'))).toBe(true);
    await bench.close();
    await open({ files: await archive({ byHash: false }) });
    await bench.sync();
    expect(asked().sort()).toEqual(['gz', 'xz'].map((ending) => `dists/bookworm/main/binary-amd64/Packages.${ending}`));
    expect([...(await bench.listing()).keys()].some((path) => path.includes('by-hash'))).toBe(false);
  });
});

describe('a sync that finds nothing new', () => {
  test.each(['both', 'InRelease', 'detached'] as const)(
    'asks for the Release alone and writes nothing (%s)',
    async (form) => {
      await open({ files: await archive({ form }) });
      await bench.sync();
      const before = await everyFile(bench.dir);
      bench.upstream.requests.length = 0;
      bench.events.length = 0;
      const report = await bench.sync();
      expect(report).toMatchObject({ changed: false, fetched: { files: 0, bytes: 0 } });
      expect(bench.upstream.requests).toEqual([
        expect.objectContaining({
          path: `dists/bookworm/${form === 'detached' ? 'Release' : 'InRelease'}`,
          status: 304,
        }),
      ]);
      expect(await everyFile(bench.dir)).toEqual(before);
      expect(bench.events).toEqual([]);
    },
  );

  test('knows the same bytes again where upstream has no validators', async () => {
    await open();
    await bench.sync();
    bench.upstream.misbehave(/InRelease$/, { kind: 'body', body: first.get('dists/bookworm/InRelease') ?? '' });
    const before = await everyFile(bench.dir);
    expect((await bench.sync()).changed).toBe(false);
    expect(await everyFile(bench.dir)).toEqual(before);
  });

  test('another spec makes a full plan', async () => {
    await open();
    await bench.sync();
    bench.upstream.requests.length = 0;
    bench.spec = { ...bench.spec, missing: 'warn' };
    await bench.sync();
    expect(bench.upstream.requests.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['dists/bookworm/InRelease']),
    );
    expect(bench.upstream.requests.filter(({ path }) => path.startsWith('pool/'))).toEqual([]);
    bench.upstream.requests.length = 0;
    await bench.sync();
    expect(bench.upstream.requests).toHaveLength(1);
  });
});

describe('after an update', () => {
  test('only changed indexes and new files move', async () => {
    await open();
    await bench.sync();
    bench.upstream.serve(second);
    bench.upstream.requests.length = 0;
    const report = await bench.sync();
    const moved = bench.upstream.requests.map(({ path }) => path);
    expect(moved.filter((path) => path.startsWith('pool/')).sort()).toEqual([
      'pool/main/f/fresh/fresh_1_all.deb',
      'pool/main/g/greet/libgreet1_1.1-1_amd64.deb',
      'pool/main/h/hello/hello_1.1-1_amd64.deb',
    ]);
    expect(report.fetched.files).toBe(3 + 2);
    const listing = await bench.listing();
    for (const [path, bytes] of second) expect(listing.get(path), path).toBe(sha(bytes));
    expect(listing.has('pool/main/o/obsolete/obsolete_0.9_all.deb')).toBe(false);
  });

  test('by-hash files of the state before stay', async () => {
    await open();
    await bench.sync();
    bench.upstream.serve(second);
    await bench.sync();
    const listing = await bench.listing();
    const kept = [...first].filter(([path]) => path.includes('/by-hash/'));
    expect(kept.length).toBe(4);
    for (const [path, bytes] of kept) expect(listing.get(path)).toBe(sha(bytes));
  });

  test('files of one suite that did not change are not asked for', async () => {
    const suite = (name: string, date = SAMPLE_DATE): FakeSuite => ({
      suite: name,
      components: { main: { packages: SAMPLE_PACKAGES } },
      date,
    });
    const both = await fakeArchive({ key, suites: [suite('bookworm'), suite('bookworm-updates')] });
    await open({ files: both, upstream: { suites: ['bookworm', 'bookworm-updates'] } });
    const { fetched } = await bench.sync();
    expect(fetched.files).toBe(6);
    const later = suite('bookworm-updates', new Date(SAMPLE_DATE.getTime() + 1000));
    bench.upstream.serve(await fakeArchive({ key, suites: [later] }), { keepOld: true });
    bench.upstream.requests.length = 0;
    const report = await bench.sync();
    expect(report.suites.map(({ changed }) => changed)).toEqual([false, true]);
    const full = bench.upstream.requests.filter(({ status }) => status === 200).map(({ path }) => path);
    expect(full.sort()).toEqual(
      ['InRelease', 'Release', 'Release.gpg'].map((name) => `dists/bookworm-updates/${name}`),
    );
  });
});

describe('forms of repositories', () => {
  test('InRelease alone', async () => {
    await open({ files: await archive({ form: 'InRelease' }) });
    await bench.sync();
    const names = [...(await bench.listing()).keys()].filter((path) => /Release/.test(path));
    expect(names).toEqual(['dists/bookworm/InRelease']);
  });

  test('a Release of another state than the InRelease is left out', async () => {
    const files = await archive({});
    const older = await archive({ date: new Date(SAMPLE_DATE.getTime() - 60_000) });
    for (const name of ['Release', 'Release.gpg'])
      files.set(`dists/bookworm/${name}`, older.get(`dists/bookworm/${name}`) ?? Buffer.alloc(0));
    await open({ files });
    await bench.sync();
    const names = [...(await bench.listing()).keys()].filter((path) => /Release/.test(path));
    expect(names).toEqual(['dists/bookworm/InRelease']);
    const forged = new Map(files).set('dists/bookworm/Release.gpg', Buffer.from('no signature'));
    await bench.close();
    await open({ files: forged });
    await bench.sync();
    expect((await bench.listing()).has('dists/bookworm/Release')).toBe(false);
  });

  test('Release with Release.gpg alone', async () => {
    await open({ files: await archive({ form: 'detached' }) });
    await bench.sync();
    const names = [...(await bench.listing()).keys()].filter((path) => /Release/.test(path));
    expect(names).toEqual(['dists/bookworm/Release', 'dists/bookworm/Release.gpg']);
    const [evidence] = (await bench.store.heads.read('fake'))?.evidence ?? [];
    expect(evidence?.signature).toBe(sha(bench.upstream.files.get('dists/bookworm/Release.gpg')));
  });

  test.each(['./', '/', 'deb/'])('flat: %s', async (suite) => {
    const files = await archive({ suite });
    await open({ files, upstream: { suites: [suite], components: undefined, architectures: undefined } });
    await bench.sync();
    const served = [...files.keys()].sort();
    expect([...(await bench.listing()).keys()].sort()).toEqual(served);
    expect(served).toContain(`${suite === 'deb/' ? 'deb/' : ''}hello_1.0-1_amd64.deb`);
  });

  test('flat, for one architecture', async () => {
    const packages = [...SAMPLE_PACKAGES, { name: 'hello', version: '1.0-1', architecture: 'arm64' }];
    await open({
      files: await archive({ suite: './', components: { main: { packages } } }),
      upstream: { suites: ['./'], components: undefined },
    });
    await bench.sync();
    const debs = [...(await bench.listing()).keys()].filter((path) => path.endsWith('.deb'));
    expect(debs).toHaveLength(SAMPLE_PACKAGES.length);
  });

  test('a binary-all of its own', async () => {
    const files = await archive({ archAll: 'separate' });
    await open({ files });
    await bench.sync();
    expect((await bench.listing()).size).toBe(files.size);
    expect([...(await bench.listing()).keys()].some((path) => path.endsWith('binary-all/Packages.xz'))).toBe(true);
  });

  test('No-Support-for-Architecture-all leaves binary-all out', async () => {
    await open({
      files: await archive({ archAll: 'separate', releaseFields: { 'No-Support-for-Architecture-all': 'Packages' } }),
    });
    await bench.sync();
    expect([...(await bench.listing()).keys()].some((path) => path.includes('binary-all'))).toBe(false);
  });

  test('a component with a slash, and a suite with one', async () => {
    const files = await archive({
      suite: 'stable/updates',
      components: { 'updates/main': { packages: SAMPLE_PACKAGES } },
    });
    await open({ files, upstream: { suites: ['stable/updates'], components: ['updates/main'] } });
    await bench.sync();
    expect((await bench.listing()).size).toBe(files.size);
  });

  test('an index that is listed uncompressed alone', async () => {
    const files = await archive({ compressions: ['none'], unserved: () => false });
    await open({ files });
    await bench.sync();
    expect((await bench.listing()).size).toBe(files.size);
  });

  test('an empty index', async () => {
    await open({ files: await archive({ components: { main: {} }, compressions: ['none'], unserved: () => false }) });
    await bench.sync();
    expect((await bench.listing()).has('dists/bookworm/main/binary-amd64/Packages')).toBe(true);
  });
});

describe('what include: asks for', () => {
  const SUMS_FOLDER = 'main/installer-amd64/current/images';
  const image = Buffer.from('a kernel');
  const everything = async (): Promise<FakeFiles> => {
    const files = await archive({
      components: {
        main: {
          packages: SAMPLE_PACKAGES,
          sources: [{ name: 'hello', version: '1.0-1', binaries: ['hello'] }],
          udebs: [{ name: 'net-retriever', version: '1', architecture: 'amd64' }],
          translations: { en: { hello: 'A long text.' }, de: { hello: 'Ein langer Text.' } },
          extra: {
            'Contents-amd64.gz': 'contents',
            'dep11/Components-amd64.yml.gz': 'dep11',
            'dep11/Components-arm64.yml.gz': 'other architecture',
            'dep11/icons-64x64.tar.gz': 'icons',
            'cnf/Commands-amd64.xz': 'cnf',
            'installer-amd64/current/images/SHA256SUMS': `${sha(image)}  ./netboot/linux\n${'0'.repeat(64)}  ./absent\n`,
          },
        },
      },
    });
    return files.set(`dists/bookworm/${SUMS_FOLDER}/netboot/linux`, image);
  };
  const include = {
    sources: true,
    udebs: true,
    translations: ['en', 'fr'],
    contents: true,
    dep11: true,
    cnf: true,
    installer: true,
  };

  test('comes along, and what it does not ask for does not', async () => {
    const files = await everything();
    await open({ files, upstream: { include } });
    const report = await bench.sync();
    const listed = [...(await bench.listing()).keys()];
    const served = [...files.keys()].filter((path) => !/Translation-de|Components-arm64/.test(path));
    const unwanted = new Set(await hashesOf(files, /Translation-de|Components-arm64/));
    const expected = served.filter((path) => !(path.includes('/by-hash/') && unwanted.has(sha(files.get(path)))));
    expect(listed.sort()).toEqual(expected.sort());
    expect(report.notes).toEqual([expect.stringContaining('images/absent')]);
  });

  test('by default it is packages and English descriptions', async () => {
    await open({ files: await everything() });
    await bench.sync();
    const listed = [...(await bench.listing()).keys()].filter((path) => !path.includes('/by-hash/'));
    expect(listed.filter((path) => path.startsWith('dists/'))).toEqual(
      [
        'InRelease',
        'Release',
        'Release.gpg',
        ...['binary-amd64/Packages', 'i18n/Translation-en'].flatMap((name) => [`main/${name}.gz`, `main/${name}.xz`]),
      ].map((path) => `dists/bookworm/${path}`),
    );
    expect(listed.some((path) => /\.(udeb|dsc)$/.test(path))).toBe(false);
  });

  async function hashesOf(files: FakeFiles, path: RegExp): Promise<string[]> {
    return [...files].filter(([name]) => path.test(name)).map(([, bytes]) => sha(bytes));
  }
});

test('a dry run tells what would be fetched and writes nothing', async () => {
  await open();
  const before = await everyFile(bench.dir);
  const dry = await bench.sync({ dryRun: true });
  expect(await everyFile(bench.dir)).toEqual(before);
  expect(bench.upstream.requests.filter(({ path }) => path.startsWith('pool/'))).toEqual([]);
  const real = await bench.sync();
  expect(dry).toMatchObject({ changed: true, dryRun: true, fetched: real.fetched, paths: real.paths });
  expect(dry.manifest).toEqual(real.manifest);
});

test('two suites of one mirror share their pool', async () => {
  const suite = (name: string): FakeSuite => ({
    suite: name,
    components: { main: { packages: SAMPLE_PACKAGES } },
    date: SAMPLE_DATE,
  });
  const files = await fakeArchive({ key, suites: [suite('bookworm'), suite('bookworm-backports')] });
  await open({ files, upstream: { suites: ['bookworm', 'bookworm-backports'] } });
  const report = await bench.sync();
  expect((await bench.listing()).size).toBe(files.size);
  expect(report.fetched.files).toBe(4 + 2);
});

test('of one path with two checksums the file that upstream serves is taken, with a warning', async () => {
  const suite = (name: string, paddingBytes: number): FakeSuite => ({
    suite: name,
    components: { main: { packages: [{ name: 'hello', version: '1', paddingBytes }] } },
    date: SAMPLE_DATE,
  });
  const files = await fakeArchive({ key, suites: [suite('bookworm', 10), suite('bookworm-backports', 20)] });
  await open({ files, upstream: { suites: ['bookworm', 'bookworm-backports'] } });
  const report = await bench.sync();
  const path = 'pool/main/h/hello/hello_1_all.deb';
  expect((await bench.listing()).get(path)).toBe(sha(files.get(path)));
  expect(report.notes).toEqual([expect.stringContaining('two checksums')]);
});

test('a catalog that was not told, since the sync was killed, is told by the next one', async () => {
  const told: string[] = [];
  await open({});
  bench.with({ recordPackages: () => Promise.reject(new Error('killed')) });
  await expect(bench.sync()).rejects.toThrow('killed');
  bench.with({ recordPackages: async (_, root) => told.push(root) });
  expect(await bench.sync()).toMatchObject({ changed: false });
  await bench.sync();
  expect(told).toEqual([(await bench.store.heads.read('fake'))?.manifest.root]);
});

test('the catalog hears of every package, and only of changes', async () => {
  const told: { root: string; rows: PackageRow[] }[] = [];
  await open({
    deps: {
      async recordPackages(_, root) {
        const all: PackageRow[] = [];
        for await (const row of packageRows(bench.store.objects, root)) all.push(row);
        told.push({ root, rows: all });
      },
    },
  });
  const { manifest } = await bench.sync();
  await bench.sync();
  expect(told).toHaveLength(1);
  expect(told[0]?.root).toBe(manifest.root);
  expect(told[0]?.rows.map(({ name }) => name).sort()).toEqual(['hello', 'libgreet1', 'obsolete', 'tool']);
  expect(told[0]?.rows.find(({ name }) => name === 'libgreet1')).toMatchObject({
    source: 'greet',
    section: 'libs',
    family: 'apt',
  });
});

/** Every file below a folder with what changes when it is written. */
async function everyFile(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.sort().map(async (file) => `${file} ${(await stat(file)).mtimeMs}`));
}
