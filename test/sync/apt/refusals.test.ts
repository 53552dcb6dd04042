/** What an upstream may do wrong: each gives its named error, nothing visible changes, and the next sync succeeds. */
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import type { MirrorHead } from '../../../src/store/types.ts';
import {
  type Misbehaviour,
  SAMPLE_DATE,
  SAMPLE_DATE_LATER,
  SAMPLE_PACKAGES_LATER,
  twoPoints,
} from '../../support/fake-apt.ts';
import { type FakeArchiveOptions, type FakeFiles, type FakeSuite, fakeArchive } from '../../support/fake-archive.ts';
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

/** A mirror that is at the first point in time. */
async function synced(options: Partial<BenchOptions> = {}): Promise<void> {
  bench = await openBench({ files: first, key, ...options });
  await bench.sync();
  bench.upstream.requests.length = 0;
}

/** The second point in time with a change to its suite or archive. */
const later = (suite: Partial<FakeSuite> = {}, archive: Partial<FakeArchiveOptions> = {}): Promise<FakeFiles> =>
  fakeArchive({
    key,
    suites: [
      {
        suite: 'bookworm',
        components: { main: { packages: SAMPLE_PACKAGES_LATER } },
        date: SAMPLE_DATE_LATER,
        ...suite,
      },
    ],
    ...archive,
  });

/** The error, after proof that head and listing are what they were, and that all that is listed is still there. */
async function refused(code: ErrorCode, allowed?: ('rollback' | 'expired')[]): Promise<string> {
  const before: [MirrorHead | undefined, Map<string, string>] = [
    await bench.store.heads.read('fake'),
    await bench.listing(),
  ];
  const error = await bench.refusal(allowed ? { allow: allowed } : {});
  expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code.replace('.', '\\.')}: `));
  expect([await bench.store.heads.read('fake'), await bench.listing()]).toEqual(before);
  for (const sha256 of before[1].values()) expect(await bench.store.objects.stat(sha256)).toBeDefined();
  return error.message;
}

async function recovers(): Promise<void> {
  bench.upstream.behave();
  bench.upstream.serve(second);
  expect((await bench.sync()).changed).toBe(true);
  for (const path of second.keys()) expect((await bench.listing()).has(path), path).toBe(true);
}

const DEB = /fresh_1_all\.deb$/;
const INDEX = /binary-amd64\/(?:by-hash|Packages)/;
const RELEASE = /InRelease$/;

describe('transfers', () => {
  test.each<[string, RegExp, Misbehaviour, ErrorCode]>([
    ['a package cut short', DEB, { kind: 'truncate', bytes: 100 }, 'net.failed'],
    ['an index cut short', INDEX, { kind: 'truncate', bytes: 100 }, 'net.failed'],
    ['a package of another size', DEB, { kind: 'body', body: 'short' }, 'net.size'],
    ['an index of another size', INDEX, { kind: 'body', body: 'x'.repeat(100_000) }, 'net.size'],
    ['a package with a flipped bit', DEB, { kind: 'flip' }, 'net.hash-mismatch'],
    ['an index with a flipped bit', INDEX, { kind: 'flip' }, 'net.hash-mismatch'],
    ['a missing package', DEB, { kind: 'status', status: 404 }, 'sync.incomplete'],
    ['a missing index', INDEX, { kind: 'status', status: 404 }, 'net.not-found'],
    ['500 for a package', DEB, { kind: 'status', status: 500 }, 'net.status'],
    ['500 for the Release', RELEASE, { kind: 'status', status: 500 }, 'net.status'],
    ['429 for a package', DEB, { kind: 'status', status: 429, headers: { 'retry-after': '0' } }, 'net.status'],
    ['403 for a package', DEB, { kind: 'status', status: 403 }, 'net.auth'],
    ['401 for a package', DEB, { kind: 'status', status: 401 }, 'net.auth'],
    ['a slow drip', DEB, { kind: 'drip', bytes: 1 }, 'net.stalled'],
    ['silence', DEB, { kind: 'hang' }, 'net.stalled'],
    ['an endless package', DEB, { kind: 'endless' }, 'net.size'],
    ['an endless Release', RELEASE, { kind: 'endless' }, 'net.size'],
    ['a redirect loop', DEB, { kind: 'redirect-loop' }, 'net.redirects'],
  ])('%s', async (_, path, how, code) => {
    await synced();
    const patient = bench.deps.fetcher;
    bench.upstream.serve(second);
    bench.upstream.misbehave(path, how);
    if (code === 'net.stalled') bench.impatient();
    await refused(code);
    bench.with({ fetcher: patient });
    await recovers();
  });

  test('no Release at all', async () => {
    await synced();
    bench.upstream.serve(new Map());
    await refused('net.not-found');
    await recovers();
  });
});

describe('trust', () => {
  test('signed by another key', async () => {
    await synced();
    bench.upstream.serve(await later({}, { key: await fakeKey() }));
    await refused('trust.key-unknown');
    await recovers();
  });

  test('not signed', async () => {
    await synced();
    bench.upstream.serve(await later({ form: 'unsigned' }));
    await refused('trust.unsigned');
    await recovers();
  });

  test('an InRelease without a signed block', async () => {
    await synced();
    const files = await later();
    bench.upstream.serve(files.set('dists/bookworm/InRelease', files.get('dists/bookworm/Release') ?? Buffer.alloc(0)));
    await refused('trust.unsigned');
    await recovers();
  });

  test.each([
    ['before', (text: string) => `Origin: evil\n\n${text}`],
    ['after', (text: string) => `${text}\nOrigin: evil\n`],
  ])('text %s the signed block', async (_, change) => {
    await synced();
    const files = await later();
    const text = change(files.get('dists/bookworm/InRelease')?.toString() ?? '');
    bench.upstream.serve(files.set('dists/bookworm/InRelease', Buffer.from(text)));
    await refused('trust.text-around');
    await recovers();
  });

  test('content changed after it was signed', async () => {
    await synced();
    const files = await later();
    const text = files.get('dists/bookworm/InRelease')?.toString().replace('Origin: Fake', 'Origin: Evil') ?? '';
    bench.upstream.serve(files.set('dists/bookworm/InRelease', Buffer.from(text)));
    await refused('trust.bad-signature');
    await recovers();
  });

  test('a Release.gpg of another Release', async () => {
    await synced({ files: await later({ form: 'detached', date: SAMPLE_DATE }) });
    const files = await later({ form: 'detached' });
    const other = await later({ form: 'detached', date: new Date(SAMPLE_DATE_LATER.getTime() + 5000) });
    bench.upstream.serve(
      files.set('dists/bookworm/Release.gpg', other.get('dists/bookworm/Release.gpg') ?? Buffer.alloc(0)),
    );
    await refused('trust.bad-signature');
    await recovers();
  });

  test('an older Release than the one accepted; it can be accepted once', async () => {
    await synced({ files: second });
    bench.upstream.serve(first);
    expect(await refused('trust.rollback')).toContain(SAMPLE_DATE.toISOString());
    await refused('trust.rollback', ['expired']);
    expect((await bench.sync({ allow: ['rollback'] })).changed).toBe(true);
    expect((await bench.sync()).changed).toBe(false);
    await recovers();
  });

  test('a Release without a Date after one with it', async () => {
    await synced();
    bench.upstream.serve(await later({}, { editRelease: (text) => text.replace(/^Date:.*\n/m, '') }));
    await refused('trust.rollback');
    await recovers();
  });

  test('an older Release is a rollback even where another root serves it', async () => {
    await synced({ files: second });
    bench.upstream.serve(first);
    bench.spec = { ...bench.spec, description: 'changed', missing: 'warn' };
    await refused('trust.rollback');
  });

  test('an expired Release; it can be accepted once', async () => {
    await synced();
    bench.upstream.serve(await later({ validUntil: new Date('2024-05-02T12:00:00Z') }));
    await refused('trust.expired');
    expect((await bench.sync({ allow: ['expired'] })).changed).toBe(true);
  });

  test('a frozen Release: unchanged, and past its Valid-Until', async () => {
    let now = new Date('2024-05-02T00:00:00Z');
    await synced({
      files: await later({ date: SAMPLE_DATE, validUntil: new Date('2024-05-04T00:00:00Z') }),
      deps: { now: () => now },
    });
    expect((await bench.sync()).changed).toBe(false);
    now = new Date('2024-05-05T00:00:00Z');
    await refused('trust.expired');
    expect((await bench.sync({ allow: ['expired'] })).changed).toBe(false);
  });

  test('another suite, signed by the same key', async () => {
    await synced();
    bench.upstream.serve(await later({}, { editRelease: (text) => text.replaceAll('bookworm', 'bullseye') }));
    expect(await refused('trust.other-suite')).toContain('bullseye');
    bench.spec = {
      ...bench.spec,
      upstreams: bench.spec.upstreams.map((each) => ({ ...each, signedAs: ['bullseye'] })),
    };
    expect((await bench.sync()).changed).toBe(true);
  });

  test('no SHA-256', async () => {
    await synced();
    bench.upstream.serve(await later({ hashes: ['MD5Sum', 'SHA1'] }));
    await refused('trust.weak-digest');
    await recovers();
  });

  test('a spec that pins no key: nothing is asked', async () => {
    await synced();
    const [upstream] = bench.spec.upstreams;
    bench.spec = { ...bench.spec, upstreams: upstream ? [{ ...upstream, keys: [] }] : [] };
    await refused('trust.no-key');
    expect(bench.upstream.requests).toEqual([]);
  });

  test('a pin whose public key is not at hand', async () => {
    await synced();
    bench.upstream.serve(second);
    const [upstream] = bench.spec.upstreams;
    const keys = [{ fingerprint: 'A'.repeat(40) }];
    bench.spec = { ...bench.spec, upstreams: upstream ? [{ ...upstream, keys }] : [] };
    await refused('trust.no-key');
  });
});

describe('formats', () => {
  const withField = (name: string, value: string): Promise<FakeFiles> =>
    later({
      components: {
        main: { packages: [...SAMPLE_PACKAGES_LATER, { name: 'zzz', version: '1', indexFields: { [name]: value } }] },
      },
    });

  test.each([
    ['an escaping path', '../../../etc/passwd', 'format.path'],
    ['an escaping path, half-way', 'pool/../../x.deb', 'format.path'],
    ['an absolute path', '/etc/passwd', 'format.path'],
    ['a path with NUL', 'pool/main/\0.deb', 'format.path'],
    ['a path with a backslash', 'pool\\main\\x.deb', 'format.path'],
  ] as const)('%s in Packages', async (_, path, code) => {
    await synced();
    bench.upstream.serve(await withField('Filename', path));
    await refused(code);
    await recovers();
  });

  test('an escaping path in the Release', async () => {
    await synced();
    const line = ` ${'0'.repeat(64)} 1 ../../x\n`;
    bench.upstream.serve(
      await later({}, { editRelease: (text) => text.replace(/^SHA256:\n/m, (head) => head + line) }),
    );
    await refused('format.path');
    await recovers();
  });

  test('a field of 10 MB', async () => {
    await synced();
    bench.upstream.serve(await withField('Tag', 'x'.repeat(10_000_000)));
    await refused('format.limit');
    await recovers();
  });

  test('an index that expands to more than the Release says', async () => {
    await synced();
    const bomb = gzipSync(Buffer.alloc(20_000_000, '\n'));
    bench.upstream.serve(
      await later({
        compressions: ['none', 'gz'],
        editListed: (listed) => listed.set('main/binary-amd64/Packages.gz', bomb),
      }),
    );
    await refused('format.limit');
    await recovers();
  });

  test('an index that expands a thousandfold, where the Release does not say to what', async () => {
    await synced();
    const bomb = gzipSync(Buffer.alloc(80_000_000, '\n'));
    bench.upstream.serve(
      await later({ compressions: ['gz'], editListed: (listed) => listed.set('main/binary-amd64/Packages.gz', bomb) }),
    );
    await refused('format.limit');
    await recovers();
  });

  test('an index that is no gzip', async () => {
    await synced();
    bench.upstream.serve(
      await later({
        compressions: ['none', 'gz'],
        editListed: (listed) => listed.set('main/binary-amd64/Packages.gz', Buffer.from('not gzip at all')),
      }),
    );
    await refused('format.syntax');
    await recovers();
  });

  test('a stanza without its fields', async () => {
    await synced();
    bench.upstream.serve(
      await later({
        compressions: ['none'],
        unserved: () => false,
        editListed: (listed) => listed.set('main/binary-amd64/Packages', Buffer.from('Package: x\nVersion: 1\n\n')),
      }),
    );
    expect(await refused('format.syntax')).toContain('dists/bookworm/main/binary-amd64/Packages:1');
    await recovers();
  });

  test('a component or architecture that upstream does not have', async () => {
    await synced();
    bench.upstream.serve(second);
    const [upstream] = bench.spec.upstreams;
    bench.spec = { ...bench.spec, upstreams: upstream ? [{ ...upstream, architectures: ['amd64', 'riscv64'] }] : [] };
    expect(await refused('sync.incomplete')).toContain('main/binary-riscv64/Packages');
  });
});

describe('missing: of the spec', () => {
  const without = async (name: string): Promise<FakeFiles> => {
    const files = await later();
    for (const path of files.keys()) if (path.includes(`/${name}_`)) files.delete(path);
    return files;
  };

  test('fail names what is missing', async () => {
    await synced();
    bench.upstream.serve(await without('fresh'));
    expect(await refused('sync.incomplete')).toContain('pool/main/f/fresh/fresh_1_all.deb');
    await recovers();
  });

  test('warn leaves it out and looks for it again after the next change', async () => {
    await synced({ spec: { missing: 'warn' } });
    bench.upstream.serve(await without('fresh'));
    const report = await bench.sync();
    expect(report.missing).toEqual(['pool/main/f/fresh/fresh_1_all.deb']);
    expect((await bench.listing()).has('pool/main/f/fresh/fresh_1_all.deb')).toBe(false);
    expect((await bench.listing()).has('pool/main/h/hello/hello_1.1-1_amd64.deb')).toBe(true);
    bench.upstream.serve(await later({ date: new Date(SAMPLE_DATE_LATER.getTime() + 60_000) }));
    await bench.sync();
    expect((await bench.listing()).has('pool/main/f/fresh/fresh_1_all.deb')).toBe(true);
  });

  test('skip-optional leaves out what is optional, and nothing else', async () => {
    await synced({ spec: { missing: 'skip-optional' } });
    bench.upstream.serve(await without('fresh'));
    expect((await bench.sync()).missing).toHaveLength(1);
    const standard = [{ name: 'needed', version: '1', priority: 'standard' }, ...SAMPLE_PACKAGES_LATER];
    const files = await later({ components: { main: { packages: standard } }, date: new Date('2024-05-02T23:00:00Z') });
    files.delete('pool/main/n/needed/needed_1_all.deb');
    bench.upstream.serve(files);
    expect(await refused('sync.incomplete')).toContain('needed');
  });
});

describe('upstream changes during the sync', () => {
  test('before the index is fetched: the new state is planned, and nothing is mixed', async () => {
    await synced();
    const third = await later({
      components: { main: { packages: [{ name: 'third', version: '3' }] } },
      date: new Date('2024-05-02T20:00:00Z'),
    });
    bench.upstream.serve(second);
    bench.upstream.onRequest = ({ path }) => {
      if (INDEX.test(path)) bench.upstream.serve(third);
    };
    const report = await bench.sync();
    expect(report.notes).toEqual([expect.stringContaining('upstream changed')]);
    const listing = await bench.listing();
    for (const path of third.keys()) expect(listing.has(path), path).toBe(true);
    expect([...listing.keys()].filter((path) => path.endsWith('.deb'))).toEqual(['pool/main/t/third/third_3_all.deb']);
  });

  test('after the index was fetched: packages that went away are not demanded', async () => {
    await synced();
    const third = await later({
      components: { main: { packages: [{ name: 'third', version: '3' }] } },
      date: new Date('2024-05-02T20:00:00Z'),
    });
    bench.upstream.serve(second);
    bench.upstream.onRequest = ({ path }) => {
      if (path.startsWith('pool/')) bench.upstream.serve(third);
    };
    await bench.sync();
    expect([...(await bench.listing()).keys()].filter((path) => path.endsWith('.deb'))).toEqual([
      'pool/main/t/third/third_3_all.deb',
    ]);
  });

  test('again and again: it is given up, and what was there stays', async () => {
    await synced();
    const states = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((minute) =>
        later({
          components: { main: { packages: [{ name: `state${minute}`, version: '1' }] } },
          date: new Date(SAMPLE_DATE_LATER.getTime() + minute * 60_000),
        }),
      ),
    );
    let at = 0;
    bench.upstream.serve(second);
    bench.upstream.onRequest = ({ path }) => {
      const next = states[Math.min(at, states.length - 1)];
      // The first form of a plan's index: the second belongs to a state that is gone then.
      if (!path.includes('/by-hash/') || !next || !bench.upstream.files.has(path)) return;
      at += 1;
      bench.upstream.serve(next);
    };
    await refused('sync.changed');
    bench.upstream.onRequest = undefined;
    expect((await bench.sync()).changed).toBe(true);
    expect([...(await bench.listing()).keys()].some((path) => path.includes('state'))).toBe(true);
  });
});
