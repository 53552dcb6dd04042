import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createPublisher } from '../../../src/publish/publish-apt.ts';
import { checkStore } from '../../../src/store/check.ts';
import { runGc } from '../../../src/store/gc.ts';
import { explainPackage } from '../../../src/sync/curate/why.ts';
import {
  type FakeApt,
  SAMPLE_DATE,
  SAMPLE_DATE_LATER,
  SAMPLE_PACKAGES,
  SAMPLE_PACKAGES_LATER,
  startFakeApt,
} from '../../support/fake-apt.ts';
import { type FakeComponent, type FakeFiles, fakeArchive } from '../../support/fake-archive.ts';
import type { FakePackage } from '../../support/fake-deb.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { parseAptSpec } from '../../support/parse-spec.ts';
import { type Bench, type BenchOptions, openBench } from '../harness.ts';

let key: FakeKey;
let own: FakeKey;
let bench: Bench;
let other: FakeApt | undefined;

beforeAll(async () => {
  key = await fakeKey();
  own = await fakeKey('Own');
});
afterEach(async () => {
  await bench.close();
  await other?.close();
  other = undefined;
});

const archive = (packages: readonly FakePackage[], date = SAMPLE_DATE, more: FakeComponent = {}): Promise<FakeFiles> =>
  fakeArchive({ key, suites: [{ suite: 'bookworm', components: { main: { packages, ...more } }, date }] });

const CURATE = { suite: 'site', rules: [{ name: 'hello' }] };

/** A curated mirror of hello; `curate` replaces parts of the section. */
async function open(
  files: FakeFiles,
  curate: Record<string, unknown> = {},
  options: Partial<BenchOptions> = {},
): Promise<Bench> {
  bench = await openBench({ files, key, spec: { form: 'curated', curate: { ...CURATE, ...curate } }, ...options });
  const cacheDir = await bench.store.file('cache', 'pieces');
  bench.with({ publish: createPublisher({ objects: bench.store.objects, cacheDir, signer: own }) });
  return bench;
}

async function readText(path: string): Promise<string> {
  const sha256 = (await bench.listing()).get(path);
  const bytes = sha256 === undefined ? undefined : await bench.store.objects.read(sha256, 1e8);
  if (bytes === undefined) throw new Error(`${path} is not listed`);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}
const packagesOf = async (): Promise<string[]> =>
  [...(await readText('dists/site/main/binary-amd64/Packages.gz')).matchAll(/^Package: (.*)\nVersion: (.*)/gm)].map(
    ([, name, version]) => `${name} ${version}`,
  );
const debsOf = async (): Promise<string[]> =>
  [...(await bench.listing()).keys()].filter((path) => path.endsWith('.deb'));

describe('a first sync', () => {
  test('has what the rules choose with its dependencies, in an index of our own', async () => {
    const files = await archive(SAMPLE_PACKAGES);
    await open(files);
    const report = await bench.sync();
    expect(report).toMatchObject({ form: 'curated', changed: true, fetched: { files: 2 + 1 } });
    expect(await packagesOf()).toEqual(['hello 1.0-1', 'libgreet1 1.0-1']);
    const debs = await debsOf();
    expect(debs).toEqual(['pool/main/g/greet/libgreet1_1.0-1_amd64.deb', 'pool/main/h/hello/hello_1.0-1_amd64.deb']);
    for (const path of debs) expect((await bench.listing()).get(path)).toBe(hash('sha256', files.get(path) ?? ''));
    const release = await readText('dists/site/InRelease');
    expect(release).toContain('Suite: site');
    expect(release).toContain(`Date: ${SAMPLE_DATE.toUTCString().replace('GMT', 'UTC')}`);
    expect(await readText('dists/site/main/binary-amd64/Packages.gz')).toContain(
      'Filename: pool/main/h/hello/hello_1.0-1_amd64.deb',
    );
  });

  test('takes no upstream index into the list, and keeps the evidence of upstream', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    await bench.sync();
    expect([...(await bench.listing()).keys()].filter((path) => path.includes('bookworm'))).toEqual([]);
    const [evidence] = (await bench.store.heads.read('fake'))?.evidence ?? [];
    expect(evidence).toMatchObject({ fingerprints: [key.fingerprint], date: SAMPLE_DATE.toISOString() });
  });

  test('can say why a package is there', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    await bench.sync();
    const why = (await bench.store.heads.read('fake'))?.memory.why as string;
    const [chain] = explainPackage((await bench.store.objects.read(why, 1e6)) as Buffer, 'libgreet1');
    expect(chain?.rule).toBe('name: hello');
    expect(chain?.steps.map((step) => step.package)).toEqual(['hello', 'libgreet1']);
  });

  test('carries long descriptions and, if asked for, sources', async () => {
    const files = await archive(
      SAMPLE_PACKAGES.map((pkg) => ({
        ...pkg,
        indexFields: { 'Description-md5': hash('md5', `package ${pkg.name} for tests\n`) },
      })),
      SAMPLE_DATE,
      {
        translations: { en: { hello: 'It greets.', tool: 'Not chosen.' } },
        sources: [
          { name: 'hello', version: '1.0-1', binaries: ['hello'] },
          { name: 'tool', version: '2:3.1+dfsg-1~deb12u1', binaries: ['tool'] },
        ],
      },
    );
    await open(files, { sources: true }, { upstream: { include: { sources: true } } });
    await bench.sync();
    const translation = await readText('dists/site/main/i18n/Translation-en.gz');
    expect(translation).toContain('It greets.');
    expect(translation).not.toContain('Not chosen.');
    const dscs = [...(await bench.listing()).keys()].filter((path) => /\.(dsc|tar\.gz)$/.test(path));
    expect(dscs).toEqual(['pool/main/h/hello/hello_1.0-1.dsc', 'pool/main/h/hello/hello_1.0-1.tar.gz']);
    expect(await readText('dists/site/main/source/Sources.gz')).toContain('Directory: pool/main/h/hello\n');
  });

  test('reads seed files, and another seed is another spec', async () => {
    let seed = 'tool\n';
    await open(
      await archive(SAMPLE_PACKAGES),
      { rules: [{ seed: 'site.list' }] },
      { deps: { readSeed: async () => seed } },
    );
    await bench.sync();
    expect(await packagesOf()).toEqual(['tool 2:3.1+dfsg-1~deb12u1']);
    expect((await bench.sync()).changed).toBe(false);
    seed = 'tool\nfresh\n# none\n';
    expect(await bench.refusal()).toMatchObject({ code: 'sync.unresolved' });
    seed = 'obsolete\n';
    await bench.sync();
    expect(await packagesOf()).toEqual(['obsolete 0.9']);
  });
});

describe('a later sync', () => {
  test('finds nothing new with one request', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    await bench.sync();
    const head = await bench.store.heads.read('fake');
    bench.upstream.requests.length = 0;
    expect((await bench.sync()).changed).toBe(false);
    expect(bench.upstream.requests).toHaveLength(1);
    expect(await bench.store.heads.read('fake')).toEqual(head);
  });

  test('leaves the head as it is where upstream changed and the selection did not', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    await bench.sync();
    const head = await bench.store.heads.read('fake');
    bench.upstream.serve(await archive([...SAMPLE_PACKAGES, { name: 'fresh', version: '1' }], SAMPLE_DATE_LATER));
    const report = await bench.sync();
    expect(report).toMatchObject({ changed: false, suites: [{ changed: true }] });
    const after = await bench.store.heads.read('fake');
    expect({ ...after, memory: undefined }).toEqual({ ...head, memory: undefined });
    bench.upstream.requests.length = 0;
    await bench.sync();
    expect(bench.upstream.requests).toHaveLength(1);
    bench.upstream.serve(await archive(SAMPLE_PACKAGES, SAMPLE_DATE));
    expect(await bench.refusal()).toMatchObject({ code: 'trust.rollback' });
  });

  test('publishes an upgrade with a newer Date, and keeps by-hash files of before', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    await bench.sync();
    const before = [...(await bench.listing()).keys()].filter((path) => path.includes('/by-hash/'));
    bench.upstream.serve(await archive(SAMPLE_PACKAGES_LATER, SAMPLE_DATE_LATER));
    expect(await bench.sync()).toMatchObject({ changed: true, fetched: { files: 2 + 1 } });
    expect(await packagesOf()).toEqual(['hello 1.1-1', 'libgreet1 1.1-1']);
    expect(await readText('dists/site/InRelease')).toContain(SAMPLE_DATE_LATER.toUTCString().replace('GMT', 'UTC'));
    for (const path of before) expect((await bench.listing()).has(path)).toBe(true);
  });

  test('of other rules publishes a second later, the same upstream notwithstanding', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    await bench.sync();
    bench.spec = parseSpec({ rules: [{ name: 'tool' }] });
    await bench.sync();
    expect(await packagesOf()).toEqual(['tool 2:3.1+dfsg-1~deb12u1']);
    const date = new Date(SAMPLE_DATE.getTime() + 1000).toUTCString().replace('GMT', 'UTC');
    expect(await readText('dists/site/InRelease')).toContain(`Date: ${date}`);
  });

  test('keeps the explanation and the indexes it was chosen from through a garbage collection', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    await bench.sync();
    const why = (await bench.store.heads.read('fake'))?.memory.why as string;
    const index = hash('sha256', bench.upstream.files.get('dists/bookworm/main/binary-amd64/Packages.gz') ?? '');
    const stray = await bench.store.objects.put([Buffer.from('stray')]);
    await bench.store.objects.flush();
    const later = new Date(Date.now() + 1000 * 86_400_000);
    await runGc(bench.store, { now: later });
    expect(await bench.store.objects.stat(stray.sha256)).toBeUndefined();
    expect(await bench.store.objects.stat(why)).toBeDefined();
    expect((await checkStore(bench.store)).findings).toEqual([]);
    const kept = await bench.store.objects.stat(index);
    const xz = hash('sha256', bench.upstream.files.get('dists/bookworm/main/binary-amd64/Packages.xz') ?? '');
    expect(kept ?? (await bench.store.objects.stat(xz))).toBeDefined();
  });

  test('a dry run counts and writes nothing', async () => {
    await open(await archive(SAMPLE_PACKAGES));
    expect(await bench.sync({ dryRun: true })).toMatchObject({ changed: true, dryRun: true, fetched: { files: 3 } });
    expect(await bench.store.heads.read('fake')).toBeUndefined();
    for await (const object of bench.store.objects.list()) expect(object).toBeUndefined();
  });
});

describe('validForDays', () => {
  test('sets Valid-Until, and publishes anew when half of it has passed', async () => {
    let now = new Date('2024-06-01T00:00:00Z');
    await open(await archive(SAMPLE_PACKAGES), { validForDays: 10 }, { deps: { now: () => now } });
    await bench.sync();
    expect(await readText('dists/site/InRelease')).toContain('Valid-Until: Tue, 11 Jun 2024 00:00:00 UTC');
    now = new Date('2024-06-05T00:00:00Z');
    expect((await bench.sync()).changed).toBe(false);
    now = new Date('2024-06-07T00:00:00Z');
    expect((await bench.sync()).changed).toBe(true);
    expect(await readText('dists/site/InRelease')).toContain('Valid-Until: Mon, 17 Jun 2024 00:00:00 UTC');
  });
});

describe('several upstreams', () => {
  const merged = async (
    mine: readonly FakePackage[],
    theirs: readonly FakePackage[],
    curate: Record<string, unknown>,
  ) => {
    other = await startFakeApt(await archive(theirs));
    await open(await archive(mine), curate);
    bench.spec = parseSpec(curate, [bench.upstream.url, other.url]);
    return bench.sync();
  };

  test('are merged, each file from its own', async () => {
    await merged(SAMPLE_PACKAGES, [{ name: 'addon', version: '1', fields: { Depends: 'hello' } }], {
      rules: [{ name: 'addon' }],
    });
    expect(await packagesOf()).toEqual(['addon 1', 'hello 1.0-1', 'libgreet1 1.0-1']);
    expect(await debsOf()).toContain('pool/main/a/addon/addon_1_all.deb');
    expect((await bench.store.heads.read('fake'))?.evidence).toHaveLength(2);
  });

  test('of the same package with other bytes the first wins, with a note', async () => {
    const report = await merged(
      [{ name: 'hello', version: '1', paddingBytes: 10 }],
      [{ name: 'hello', version: '1', paddingBytes: 20 }],
      {},
    );
    expect(report.notes.join()).toMatch(/hello/);
    const [path = ''] = await debsOf();
    expect((await bench.listing()).get(path)).toBe(hash('sha256', bench.upstream.files.get(path) ?? ''));
  });

  test('with one path for two files give the second another one', async () => {
    const path = 'pool/main/s/same.deb';
    const rename = async (pkg: FakePackage): Promise<FakeFiles> => {
      const files = await archive([{ ...pkg, indexFields: { Filename: path } }]);
      const [deb] = [...files].filter(([name]) => name.endsWith('.deb'));
      return files.set(path, deb?.[1] ?? Buffer.alloc(0));
    };
    other = await startFakeApt(await rename({ name: 'two', version: '2' }));
    const mine = await rename({ name: 'one', version: '1' });
    await open(mine);
    bench.spec = parseSpec({ rules: [{ glob: '*' }] }, [bench.upstream.url, other.url]);
    await bench.sync();
    expect(await debsOf()).toEqual([path, 'pool/upstream-2/main/s/same.deb']);
    const index = await readText('dists/site/main/binary-amd64/Packages.gz');
    expect(index).toMatch(/Package: one\n(.+\n)*Filename: pool\/main\/s\/same\.deb\n/);
    expect(index).toMatch(/Package: two\n(.+\n)*Filename: pool\/upstream-2\/main\/s\/same\.deb\n/);
    expect((await bench.listing()).get('pool/upstream-2/main/s/same.deb')).toBe(
      hash('sha256', other.files.get(path) ?? ''),
    );
  });
});

describe('what is not there', () => {
  test('a dependency: the piece is named, and nothing changed', async () => {
    await open(await archive([{ name: 'hello', version: '1', fields: { Depends: 'absent (>= 2)' } }]));
    const error = await bench.refusal();
    expect(error).toMatchObject({ code: 'sync.unresolved' });
    expect(error.message).toContain('absent (>= 2)');
    expect(await bench.store.heads.read('fake')).toBeUndefined();
  });

  test('a file upstream: by the spec it fails, or is left out of the index too', async () => {
    const files = await archive(SAMPLE_PACKAGES);
    files.delete('pool/main/g/greet/libgreet1_1.0-1_amd64.deb');
    await open(files);
    expect(await bench.refusal()).toMatchObject({ code: 'sync.incomplete' });
    bench.spec = { ...bench.spec, missing: 'warn' };
    expect((await bench.sync()).missing).toEqual(['pool/main/g/greet/libgreet1_1.0-1_amd64.deb']);
    expect(await packagesOf()).toEqual(['hello 1.0-1']);
  });
});

function parseSpec(curate: Record<string, unknown>, urls: readonly string[] = [bench.upstream.url]) {
  const upstreams = urls.map((url) => ({
    url,
    suites: ['bookworm'],
    components: ['main'],
    architectures: ['amd64'],
    keys: [{ fingerprint: key.fingerprint }],
  }));
  const spec = { name: 'fake', type: 'apt', form: 'curated', upstreams, curate: { ...CURATE, ...curate } };
  return parseAptSpec(JSON.stringify(spec), 'fake.yaml');
}
