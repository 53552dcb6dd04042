import { hash } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { KEYS_FILE } from '../../../src/formats/rpm/layout.ts';
import type { YumSpec } from '../../../src/spec/yum-spec.ts';
import type { FakeFiles } from '../../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { type FakeRepository, type FakeRpm, fakeYum, rpmPath } from '../../support/fake-yum.ts';
import { type Bench, type BenchOptions, openYumBench } from '../harness.ts';

const T1 = 1_714_608_000;
const T2 = T1 + 86_400;
const PACKAGES: readonly FakeRpm[] = [
  { name: 'hello', version: '1.0', arch: 'x86_64' },
  { name: 'tool+', version: '3.1~rc1', epoch: '2' },
  { name: 'gone', version: '1' },
];
const LATER: readonly FakeRpm[] = [
  { name: 'hello', version: '1.1', arch: 'x86_64' },
  { name: 'tool+', version: '3.1~rc1', epoch: '2' },
];

let key: FakeKey;
let other: FakeKey;
let bench: Bench<YumSpec>;

beforeAll(async () => {
  [key, other] = await Promise.all([fakeKey(), fakeKey('Somebody else')]);
});
afterEach(() => bench.close());

const repository = (changes: Partial<FakeRepository> = {}, folder = '', by = key): Promise<FakeFiles> =>
  fakeYum({ key: by, repositories: { [folder]: { packages: PACKAGES, timestamp: T1, ...changes } } });
const later = (changes: Partial<FakeRepository> = {}, by = key): Promise<FakeFiles> =>
  repository({ packages: LATER, timestamp: T2, ...changes }, '', by);
const open = async (files: FakeFiles, options: Partial<BenchOptions> = {}) => {
  bench = await openYumBench({ files, key, ...options });
};
const sha = (bytes: Buffer | undefined): string => hash('sha256', bytes ?? '');
const paths = async (): Promise<string[]> => [...(await bench.listing()).keys()];

describe('a first sync', () => {
  test('lists what upstream serves, byte for byte, and the keys', async () => {
    const files = await repository();
    await open(files);
    const report = await bench.sync();
    const listing = await bench.listing();
    const keys = listing.get(KEYS_FILE);
    listing.delete(KEYS_FILE);
    expect(listing).toEqual(new Map([...files].map(([path, bytes]) => [path, sha(bytes)])));
    expect(report).toMatchObject({ changed: true, missing: [], manifest: { files: files.size + 1 } });
    for (const sha256 of listing.values()) expect(await bench.store.objects.stat(sha256)).toBeDefined();
    expect((await bench.store.objects.read(keys ?? '', 1e6))?.toString()).toContain('BEGIN PGP PUBLIC KEY BLOCK');
  });

  test('keeps the evidence', async () => {
    const files = await repository();
    await open(files);
    await bench.sync();
    const head = await bench.store.heads.read('fake');
    expect(head).toMatchObject({ kind: 'yum', form: 'verbatim' });
    expect(head?.evidence).toMatchObject([
      {
        source: `${bench.upstream.url} .`,
        document: sha(files.get('repodata/repomd.xml')),
        signature: sha(files.get('repodata/repomd.xml.asc')),
        fingerprints: [key.fingerprint],
        date: new Date(T1 * 1000).toISOString(),
        verified: ['metadata'],
      },
    ]);
  });

  test('of several repositories and architectures keeps the tree of upstream', async () => {
    const of = (arch: string) => ({ packages: [{ name: 'a', version: '1', arch }], timestamp: T1 });
    const files = await fakeYum({
      key,
      repositories: {
        '9/BaseOS/x86_64/os': of('x86_64'),
        '9/BaseOS/aarch64/os': of('aarch64'),
        '9/AppStream/x86_64/os': of('x86_64'),
        '9/AppStream/aarch64/os': of('aarch64'),
        '9/Other/x86_64/os': of('x86_64'),
      },
    });
    const url = (base: string) => `${base}/\${releasever}`;
    await open(files);
    const [upstream] = bench.spec.upstreams;
    bench.spec = {
      ...bench.spec,
      upstreams: upstream
        ? [
            {
              ...upstream,
              url: [url(bench.upstream.url)],
              releasever: '9',
              architectures: ['x86_64', 'aarch64'],
              repositories: ['BaseOS/$basearch/os', 'AppStream/$basearch/os'],
            },
          ]
        : [],
    };
    await bench.sync();
    const expected = [...files.keys()].filter((path) => !path.includes('Other')).map((path) => path.slice(2));
    expect(await paths()).toEqual([...expected, KEYS_FILE].sort());
    expect((await bench.store.heads.read('fake'))?.evidence).toHaveLength(4);
  });

  test('takes other checksums than SHA-256, and does not fetch those again', async () => {
    await open(await repository({ checksum: 'sha512' }));
    await bench.sync();
    expect(await paths()).toContain('Packages/h/hello-1.0-1.x86_64.rpm');
    bench.upstream.serve(await later({ checksum: 'sha512' }));
    bench.upstream.requests.length = 0;
    await bench.sync();
    const asked = bench.upstream.requests.map(({ path }) => path);
    expect(asked).toContain('Packages/h/hello-1.1-1.x86_64.rpm');
    expect(asked).not.toContain('Packages/t/tool+-3.1~rc1-1.noarch.rpm');
  });

  test('counts packages with other checksums in a dry run, and fetches none', async () => {
    await open(await repository({ checksum: 'sha512' }));
    const asked = () => bench.upstream.requests.filter(({ path }) => path.endsWith('.rpm'));
    expect(await bench.sync({ dryRun: true })).toMatchObject({ changed: true, fetched: { files: 3 + 3 } });
    expect(asked()).toEqual([]);
    await bench.sync();
    expect(asked()).toHaveLength(3);
    bench.upstream.serve(await later({ checksum: 'sha512' }));
    expect(await bench.sync({ dryRun: true })).toMatchObject({ fetched: { files: 3 + 1 } });
    expect(asked()).toHaveLength(3);
  });

  test('leaves out a package with another checksum that is not served, where the spec has it so', async () => {
    const lost = 'Packages/h/hello-1.0-1.x86_64.rpm';
    const files = await repository({ checksum: 'sha512' });
    files.delete(lost);
    await open(files, { spec: { missing: 'warn' } });
    expect(await bench.sync()).toMatchObject({ missing: [lost] });
    expect(await paths()).toEqual([...files.keys(), KEYS_FILE].sort());
    bench.spec = { ...bench.spec, missing: 'fail' };
    await expect(bench.sync()).rejects.toMatchObject({ code: 'sync.incomplete', details: { paths: [lost] } });
  });

  test('may be a dry run, which leaves nothing', async () => {
    const files = await repository();
    await open(files);
    const report = await bench.sync({ dryRun: true });
    expect(report).toMatchObject({ dryRun: true, changed: true, fetched: { files: 3 + 3 } });
    expect(await bench.store.heads.read('fake')).toBeUndefined();
  });
});

describe('the next sync', () => {
  test('asks for repomd.xml alone where nothing changed', async () => {
    await open(await repository());
    await bench.sync();
    bench.upstream.requests.length = 0;
    expect((await bench.sync()).changed).toBe(false);
    expect(bench.upstream.requests.map(({ path }) => path)).toEqual(['repodata/repomd.xml']);
  });

  test('fetches what is new, drops what is gone, and keeps the metadata of the state before', async () => {
    const first = await repository();
    await open(first);
    await bench.sync();
    const second = await later();
    bench.upstream.serve(second);
    bench.upstream.requests.length = 0;
    await bench.sync();
    const metadata = [...first.keys()].filter((path) => path.startsWith('repodata/'));
    expect(await paths()).toEqual([...new Set([...second.keys(), ...metadata, KEYS_FILE])].sort());
    expect(bench.upstream.requests.filter(({ path }) => path.endsWith('.rpm')).map(({ path }) => path)).toEqual([
      'Packages/h/hello-1.1-1.x86_64.rpm',
    ]);
  });

  test('of names that do not tell their content has the newest alone', async () => {
    await open(await repository({ names: 'plain' }));
    await bench.sync();
    const second = await later({ names: 'plain' });
    bench.upstream.serve(second);
    await bench.sync();
    expect(await paths()).toEqual([...second.keys(), KEYS_FILE].sort());
    expect((await bench.listing()).get('repodata/primary.xml.gz')).toBe(sha(second.get('repodata/primary.xml.gz')));
  });

  test('plans again where upstream changes in the middle', async () => {
    const first = await repository();
    const second = await later();
    await open(first);
    bench.upstream.onRequest = ({ path }) => {
      if (path.endsWith('primary.xml.gz')) bench.upstream.serve(second);
    };
    await bench.sync();
    bench.upstream.onRequest = undefined;
    expect((await bench.listing()).get('repodata/repomd.xml')).toBe(sha(second.get('repodata/repomd.xml')));
  });
});

describe('refused, with nothing visible changed:', () => {
  const refused = async (files: FakeFiles, code: string): Promise<string> => {
    await open(await repository());
    await bench.sync();
    const before = await bench.store.heads.read('fake');
    bench.upstream.serve(files);
    const error = await bench.refusal();
    expect(error).toMatchObject({ code });
    expect(await bench.store.heads.read('fake')).toEqual(before);
    bench.upstream.serve(await later());
    expect((await bench.sync()).changed).toBe(true);
    return error.message;
  };

  test('a bad signature of repomd.xml', async () => {
    const files = await later();
    files.set('repodata/repomd.xml', Buffer.from(`${files.get('repodata/repomd.xml')} `));
    await refused(files, 'trust.bad-signature');
  });

  test('no signature', async () => {
    expect(await refused(await later({ signed: false }), 'trust.unsigned')).toContain('repomd.xml.asc');
  });

  test('the signature of another key', async () => {
    await refused(await later({}, other), 'trust.key-unknown');
  });

  test('an older state, by its times or its revision', async () => {
    await refused(await later({ timestamp: T1 - 1 }), 'trust.rollback');
    await bench.close();
    expect(await refused(await later({ revision: '1' }), 'trust.rollback')).toContain('revision is 1');
    bench.upstream.serve(await repository());
    await bench.refusal();
    expect((await bench.sync({ allow: ['rollback'] })).changed).toBe(true);
  });

  test.each([
    ['format.path', { href: '../../../etc/passwd' }],
    ['format.path', { href: '/etc/passwd' }],
    ['format.path', { href: 'a/%2e%2e/../../b' }],
    ['format.path', { base: 'https://example.org/elsewhere/' }],
    ['format.path', { base: '../..' }],
  ])('%s: a package at %s', async (code, where) => {
    await refused(await later({ packages: [{ name: 'evil', version: '1', ...where }] }), code);
  });

  test('a record that leads out, or elsewhere', async () => {
    const out = (text: string) => text.replace(/href="repodata/, 'href="../repodata');
    await refused(await later({ editRepomd: out }), 'format.path');
    await bench.close();
    const base = (text: string) => text.replace('<location ', '<location xml:base="https://example.org/" ');
    await refused(await later({ editRepomd: base }), 'format.path');
  });

  test('a broken checksum alone', async () => {
    await refused(await later({ checksum: 'sha1' }), 'trust.weak-digest');
  });

  test('a file whose bytes or size are not what is listed', async () => {
    const files = await later();
    files.set('Packages/h/hello-1.1-1.x86_64.rpm', Buffer.from('other bytes, and other many'));
    await refused(files, 'net.size');
    await bench.close();
    const [path = ''] = [...files.keys()].filter((each) => each.endsWith('filelists.xml.gz'));
    const damaged = await later();
    damaged.get(path)?.reverse();
    await refused(damaged, 'net.hash-mismatch');
  });

  test('a bomb: of gzip, of entities, of depth', async () => {
    const blown = (text: string) => text.replace('</metadata>', `${' '.repeat(5_000_000)}</metadata>`);
    const smaller = (text: string) => text.replace(/<open-size>\d+/, '<open-size>4000');
    await refused(await later({ editPrimary: blown, editRepomd: smaller }), 'format.limit');
    await bench.close();
    const entities = (text: string) =>
      text.replace('<metadata', '<!DOCTYPE metadata [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><metadata');
    await refused(await later({ editPrimary: entities }), 'format.syntax');
    await bench.close();
    const deep = (text: string) => text.replace('<packager/>', '<x>'.repeat(100));
    await refused(await later({ editPrimary: deep }), 'format.limit');
  });

  test('a package that is listed and not served', async () => {
    const files = await later({ unserved: (path) => path.includes('hello') });
    await refused(files, 'sync.incomplete');
    bench.spec = { ...bench.spec, missing: 'warn' };
    bench.upstream.serve(
      await later({
        timestamp: T2 + 1,
        packages: [...LATER, { name: 'new', version: '1' }],
        unserved: (path) => path.includes('new'),
      }),
    );
    const report = await bench.sync();
    expect(report.missing).toEqual([rpmPath({ name: 'new', version: '1' })]);
    expect(await paths()).not.toContain(rpmPath({ name: 'new', version: '1' }));
  });
});

test('two repositories at one path are refused', async () => {
  await open(await repository());
  const [upstream] = bench.spec.upstreams;
  if (upstream === undefined) throw new Error('no upstream');
  bench.spec = { ...bench.spec, upstreams: [upstream, { ...upstream, url: ['http://127.0.0.1:1/b'] }] };
  expect(await bench.refusal()).toMatchObject({ code: 'spec.invalid' });
});
