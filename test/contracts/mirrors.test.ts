/** What every kind of mirror does alike, from upstream to the dark side, by the command line: one contract for all kinds. */
import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { KubedosError } from '../../src/errors.ts';
import { readManifest } from '../../src/store/manifest.ts';
import type { ManifestEntry } from '../../src/store/types.ts';
import { withStore } from '../support/desk.ts';
import { type FakeApt, startFakeApt } from '../support/fake-apt.ts';
import { type FakeFiles, fakeArchive } from '../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../support/fake-key.ts';
import { fakeYum } from '../support/fake-yum.ts';
import { InProcess } from '../support/in-process.ts';
import { temporaryFolder } from '../support/temporary-store.ts';
import { writeRpm } from '../support/write-rpm.ts';

const DAY = 86_400;
const TIME = 1_714_557_600;
const MIRROR = 'example';

interface Kind {
  /** Its files once all packages are in that version: hello, which needs greet, and other. */
  readonly upstream: (key: FakeKey, version: 1 | 2) => Promise<FakeFiles>;
  readonly spec: (url: string, fingerprint: string) => Record<string, unknown>;
  /** Requests of a sync that finds nothing new. */
  readonly roots: number;
  /** Of a package's path, upstream and in the mirror. */
  readonly hello: RegExp;
  readonly greet: RegExp;
  /** What upstream signs. */
  readonly signed: RegExp;
  /** Packages in the mirror. */
  readonly packages: number;
}

const apt = (form: Record<string, unknown>): Kind => ({
  async upstream(key, version) {
    const packages = [
      { name: 'hello', version: String(version), fields: { Depends: 'greet' } },
      { name: 'greet', version: String(version) },
      { name: 'other', version: String(version) },
    ];
    const date = new Date((TIME + version * DAY) * 1000);
    return fakeArchive({ key, suites: [{ suite: 'bookworm', components: { main: { packages } }, date }] });
  },
  spec: (url, fingerprint) => {
    const suite = { suites: ['bookworm'], components: ['main'], architectures: ['amd64'] };
    return { name: MIRROR, type: 'apt', ...form, upstreams: [{ url, ...suite, keys: [{ fingerprint }] }] };
  },
  roots: 1,
  hello: /hello_.*\.deb$/,
  greet: /greet_.*\.deb$/,
  signed: /InRelease$/,
  packages: 'curate' in form ? 2 : 3,
});

const yum = (form: Record<string, unknown>): Kind => ({
  async upstream(key, version) {
    const rpm = (name: string) => writeRpm({ name, version: String(version) }, { key });
    const [hello, greet, other] = await Promise.all(['hello', 'greet', 'other'].map(rpm));
    const packages = [{ ...hello, requires: ['greet'] }, greet, other].flatMap((each) =>
      each?.name === undefined || each.version === undefined
        ? []
        : [{ ...each, name: each.name, version: each.version }],
    );
    return fakeYum({ key, repositories: { '': { packages, timestamp: TIME + version * DAY } } });
  },
  spec: (url, fingerprint) => ({ name: MIRROR, type: 'yum', ...form, upstreams: [{ url, keys: [{ fingerprint }] }] }),
  roots: 1,
  hello: /hello-.*\.rpm$/,
  greet: /greet-.*\.rpm$/,
  signed: /repomd\.xml$/,
  packages: 'curate' in form ? 2 : 3,
});

const rules = [{ name: 'hello' }];
const KINDS: readonly [string, Kind][] = [
  ['apt, verbatim', apt({ form: 'verbatim' })],
  ['apt, curated', apt({ form: 'curated', curate: { suite: 'site', rules } })],
  ['yum, verbatim', yum({ form: 'verbatim' })],
  ['yum, curated', yum({ form: 'curated', curate: { rules } })],
];

let key: FakeKey;
let stranger: FakeKey;
beforeAll(async () => {
  [key, stranger] = await Promise.all([fakeKey(), fakeKey('Somebody else')]);
});

/** A store with the upstream's key, and the upstream in its first state. */
class Site {
  readonly dir: string;
  readonly store: InProcess;
  readonly upstream: FakeApt;

  private constructor(dir: string, store: InProcess, upstream: FakeApt) {
    this.dir = dir;
    this.store = store;
    this.upstream = upstream;
  }

  static async open(kind: Kind, by = key): Promise<Site> {
    const dir = await temporaryFolder();
    const upstream = await startFakeApt(await kind.upstream(by, 1));
    onTestFinished(() => upstream.close());
    const site = new Site(dir, new InProcess(join(dir, 'connected')), upstream);
    writeFileSync(join(dir, 'spec.yaml'), stringify(kind.spec(upstream.url, key.fingerprint)));
    writeFileSync(join(dir, 'key.asc'), key.publicArmored);
    await site.store.run('init');
    await site.store.run('key', 'import', join(dir, 'key.asc'), '--fingerprint', key.fingerprint);
    return site;
  }

  sync(...options: string[]) {
    return this.store.run('mirror', 'sync', join(this.dir, 'spec.yaml'), ...options);
  }

  async refusal(): Promise<KubedosError> {
    const error = await this.sync().then(
      () => new Error('the sync succeeded'),
      (cause) => cause as Error,
    );
    if (error instanceof KubedosError) return error;
    throw error;
  }
}

async function listing(data: string): Promise<ManifestEntry[]> {
  return withStore(data, async (store) => {
    const head = await store.heads.read(MIRROR);
    const entries: ManifestEntry[] = [];
    if (head !== undefined)
      for await (const entry of readManifest(store.objects, head.manifest.root)) entries.push(entry);
    return entries;
  });
}

describe.each(KINDS)('%s', (_, kind) => {
  const isPackage = ({ path }: Pick<ManifestEntry, 'path'>): boolean => /\.(?:deb|rpm)$/.test(path);

  test('sync: every package is listed with the bytes of upstream, and nothing new costs a request', async () => {
    const { sync, store, upstream } = bound(await Site.open(kind));
    await sync();
    const packages = (await listing(store.dir)).filter(isPackage);
    expect(packages).toHaveLength(kind.packages);
    for (const { path, sha256 } of packages) expect(sha256).toBe(hash('sha256', upstream.files.get(path) ?? ''));
    expect(await store.text('store', 'check')).toContain('all there');
    upstream.requests.length = 0;
    await sync();
    expect(upstream.requests).toHaveLength(kind.roots);
  });

  test('a dry run tells and leaves nothing', async () => {
    const { sync, store } = bound(await Site.open(kind));
    expect((await sync('--dry-run')).text).toMatch(/would fetch \d+ files/);
    expect(await listing(store.dir)).toEqual([]);
  });

  test('resume: what was fetched before a failure is not fetched again', async () => {
    const { sync, store, upstream, refusal } = bound(await Site.open(kind));
    upstream.misbehave(kind.greet, { kind: 'status', status: 404 });
    expect((await refusal()).code).toBe('sync.incomplete');
    expect(await listing(store.dir)).toEqual([]);
    upstream.behave();
    upstream.requests.length = 0;
    await sync();
    expect(upstream.requests.filter(({ path }) => kind.greet.test(path))).toHaveLength(1);
    expect(upstream.requests.filter(({ path }) => kind.hello.test(path))).toEqual([]);
  });

  test.each<[string, RegExp, (site: Site) => Promise<void>]>([
    ['another key', /^trust\.key-unknown/, async ({ upstream }) => upstream.serve(await kind.upstream(stranger, 2))],
    ['an older state', /^trust\.rollback/, async ({ upstream }) => upstream.serve(await kind.upstream(key, 1))],
    [
      'a signed file with another byte',
      /^trust\.|^format\./,
      async ({ upstream }) => {
        upstream.serve(await kind.upstream(key, 2));
        upstream.misbehave(kind.signed, { kind: 'flip' });
      },
    ],
    [
      'a package with another byte',
      /^net\.hash-mismatch/,
      async ({ upstream }) => {
        upstream.serve(await kind.upstream(key, 2));
        upstream.misbehave(kind.hello, { kind: 'flip' });
      },
    ],
    [
      'a package of another size',
      /^net\.(?:size|hash-mismatch)/,
      async ({ upstream }) => {
        upstream.serve(await kind.upstream(key, 2));
        upstream.misbehave(kind.hello, { kind: 'body', body: 'short' });
      },
    ],
  ])('refused, with nothing visible changed: %s', async (what, code, spoil) => {
    const site = await Site.open(kind);
    if (what === 'an older state') site.upstream.serve(await kind.upstream(key, 2));
    await site.sync();
    const before = await listing(site.store.dir);
    await spoil(site);
    expect((await site.refusal()).code).toMatch(code);
    expect(await listing(site.store.dir)).toEqual(before);
  });

  test('snapshot and diff: what was upgraded is told by name and version', async () => {
    const { sync, store, upstream } = bound(await Site.open(kind));
    await sync();
    await store.run('snapshot', 'create');
    upstream.serve(await kind.upstream(key, 2));
    await sync();
    await store.run('snapshot', 'create');
    const text = await store.text('snapshot', 'diff', '1', '2');
    expect(text).toContain(`${kind.packages} upgraded`);
    expect(text).toMatch(/upgraded +hello\S* 1\S* → 2/);
  });

  test('export, import, serve: the dark side has the same list, and gives every file with its bytes', async () => {
    const { sync, store, dir } = bound(await Site.open(kind));
    await sync();
    await store.run('snapshot', 'create', '--channel', 'stable');
    const media = join(dir, 'media');
    mkdirSync(media);
    await store.run('bundle', 'export', '--channel', 'stable', '--to', media);
    const dark = new InProcess(join(dir, 'dark'));
    const root = (await store.text('key', 'root')).trim();
    await dark.run('init', '--trust', ...root.split(' '));
    await dark.run('bundle', 'import', media);
    expect(await dark.text('store', 'check')).toContain('all there');
    const entries = await listing(store.dir);
    const server = await dark.serve();
    onTestFinished(() => server.close());
    for (const { path, sha256 } of entries) {
      const answer = await fetch(
        `${server.url}/c/stable/${MIRROR}/${path.split('/').map(encodeURIComponent).join('/')}`,
      );
      expect(answer.status, path).toBe(200);
      expect(hash('sha256', Buffer.from(await answer.arrayBuffer())), path).toBe(sha256);
    }
    expect(await dark.text('search', 'hello')).toContain('hello');
  });
});

/** Its methods may be taken apart. */
function bound(site: Site) {
  const { dir, store, upstream } = site;
  return { dir, store, upstream, sync: site.sync.bind(site), refusal: site.refusal.bind(site) };
}
