import { rm } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { resignHeads } from '../../../src/publish/resign-heads.ts';
import { rpmPackageRows } from '../../../src/publish/yum/package-rows.ts';
import { createRpmPublisher } from '../../../src/publish/yum/publish-yum.ts';
import type { YumSpec } from '../../../src/spec/yum-spec.ts';
import { explainPackage } from '../../../src/sync/curate/why.ts';
import { readMemory } from '../../../src/sync/memory.ts';
import { repairStore } from '../../../src/sync/repair.ts';
import { loadKeyring } from '../../../src/trust/keyring.ts';
import type { FakeFiles } from '../../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { type FakeRepository, type FakeRpm, fakeYum } from '../../support/fake-yum.ts';
import { parseYumSpec } from '../../support/parse-spec.ts';
import { type Bench, type BenchOptions, openYumBench } from '../harness.ts';

const TIME = 1_714_608_000;
const SPEC = { name: 'fake', type: 'yum', form: 'curated', curate: { rules: [{ name: 'hello' }] } };

let key: FakeKey;
let own: FakeKey;
let bench: Bench<YumSpec>;

beforeAll(async () => {
  [key, own] = await Promise.all([fakeKey(), fakeKey('Own')]);
});
afterEach(() => bench.close());

const hello: FakeRpm = { name: 'hello', version: '1.0', arch: 'x86_64', requires: ['libgreet.so.1()(64bit)'] };
const library: FakeRpm = { name: 'greet-libs', version: '2.0', arch: 'x86_64', provides: ['libgreet.so.1()(64bit)'] };
const PACKAGES: readonly FakeRpm[] = [hello, library, { name: 'other', version: '1' }];

const upstream = (packages: readonly FakeRpm[] = PACKAGES, more: Partial<FakeRepository> = {}): Promise<FakeFiles> =>
  fakeYum({ key, repositories: { '': { packages, timestamp: TIME, ...more } } });

/** A curated mirror of hello; `curate` replaces parts of the section. */
async function open(
  files: FakeFiles,
  curate: Record<string, unknown> = {},
  options: Partial<BenchOptions> = {},
): Promise<void> {
  const spec = { form: 'curated', curate: { rules: [{ name: 'hello' }], ...curate } };
  bench = await openYumBench({ files, key, ...options, spec: { ...spec, ...options.spec } });
  const cacheDir = await bench.store.file('cache', 'pieces');
  const listKeys = async (): Promise<string> => own.publicArmored;
  bench.with({ publishRpm: createRpmPublisher({ objects: bench.store.objects, cacheDir, signer: own, listKeys }) });
}

/** Of what the rules choose: `name-evr.arch`, sorted. */
async function chosen(
  packages: readonly FakeRpm[],
  curate: Record<string, unknown>,
  more: Partial<FakeRepository> = {},
) {
  await open(await upstream(packages, more), curate);
  await bench.sync();
  return nevras();
}

async function nevras(): Promise<string[]> {
  const head = await bench.store.heads.read('fake');
  const found: string[] = [];
  for await (const { name, version, architecture } of rpmPackageRows(bench.store.objects, head?.manifest.root ?? ''))
    found.push(`${name}-${version}.${architecture}`);
  return found.sort();
}

const rpms = async (): Promise<string[]> => [...(await bench.listing()).keys()].filter((path) => path.endsWith('.rpm'));

async function read(pattern: RegExp): Promise<string> {
  const found = [...(await bench.listing())].filter(([path]) => pattern.test(path));
  expect(found.map(([path]) => path)).toHaveLength(1);
  const [path = '', sha256 = ''] = found[0] ?? [];
  const bytes = (await bench.store.objects.read(sha256, 1e8)) ?? Buffer.alloc(0);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

describe('a first sync', () => {
  test('has what the rules choose with what it requires, in metadata of our own', async () => {
    const files = await upstream();
    await open(files);
    const report = await bench.sync();
    expect(report).toMatchObject({ form: 'curated', changed: true, missing: [] });
    expect(await rpms()).toEqual(['Packages/g/greet-libs-2.0-1.x86_64.rpm', 'Packages/h/hello-1.0-1.x86_64.rpm']);
    const repomd = await read(/^repodata\/repomd\.xml$/);
    expect(repomd).toContain(`<revision>${TIME}</revision>`);
    expect(await read(/-primary\.xml\.gz$/)).toContain('<location href="Packages/h/hello-1.0-1.x86_64.rpm"/>');
    expect(await read(/-primary\.xml\.gz$/)).toContain('packages="2"');
    expect(await read(/-filelists\.xml\.gz$/)).toContain('packages="2"');
    const keys = await read(/^RPM-GPG-KEYS/);
    expect(keys).toContain(own.publicArmored.trim().split('\n')[3]);
    expect(keys.match(/BEGIN PGP/g)).toHaveLength(2);
  });

  test('keeps the evidence of upstream, and finds nothing new the next time', async () => {
    await open(await upstream());
    await bench.sync();
    const head = await bench.store.heads.read('fake');
    expect(head?.evidence).toMatchObject([{ fingerprints: [key.fingerprint], verified: ['metadata'] }]);
    expect(await bench.sync()).toMatchObject({ changed: false, fetched: { files: 0 } });
    expect(await bench.store.heads.read('fake')).toEqual(head);
  });

  test('can say why a package is there', async () => {
    await open(await upstream());
    await bench.sync();
    const memory = readMemory(await bench.store.heads.read('fake'));
    const why = (await bench.store.objects.read(memory.curated?.why ?? '', 1e8)) ?? Buffer.alloc(0);
    expect(explainPackage(why, 'greet-libs')).toEqual([
      {
        rule: 'name: hello',
        steps: [
          { package: 'hello', version: '1.0-1', architecture: 'x86_64', because: null },
          {
            package: 'greet-libs',
            version: '2.0-1',
            architecture: 'x86_64',
            because: { field: 'requires', dependency: 'libgreet.so.1()(64bit)' },
          },
        ],
      },
    ]);
    expect(explainPackage(why, 'other')).toEqual([]);
  });

  test('what changes without touching the selection leaves the mirror as it is', async () => {
    await open(await upstream());
    await bench.sync();
    const before = await bench.store.heads.read('fake');
    const files = await upstream([...PACKAGES, { name: 'new', version: '1' }], { revision: String(TIME + 9) });
    bench.upstream.serve(files);
    expect(await bench.sync()).toMatchObject({ changed: false });
    expect((await bench.store.heads.read('fake'))?.manifest).toEqual(before?.manifest);
  });

  test('an update is published anew, and the metadata before it stays for a while', async () => {
    await open(await upstream());
    await bench.sync();
    const before = [...(await bench.listing()).keys()].filter((path) => path.endsWith('.gz'));
    bench.upstream.serve(await upstream([{ ...hello, version: '1.1' }, library], { timestamp: TIME + 9 }));
    expect(await bench.sync()).toMatchObject({ changed: true });
    expect(await nevras()).toEqual(['greet-libs-2.0-1.x86_64', 'hello-1.1-1.x86_64']);
    expect([...(await bench.listing()).keys()]).toEqual(expect.arrayContaining(before));
    expect(await read(/repomd\.xml$/)).toContain(`<revision>${TIME + 9}</revision>`);
  });

  test('the order of upstream does not matter', async () => {
    await open(await upstream());
    await bench.sync();
    const first = await bench.listing();
    await bench.close();
    await open(await upstream([...PACKAGES].reverse()));
    await bench.sync();
    expect([...(await bench.listing())].filter(([path]) => !path.endsWith('.asc'))).toEqual(
      [...first].filter(([path]) => !path.endsWith('.asc')),
    );
  });

  test('a change of the signing key leaves it signed by the new one, beside the keys of upstream', async () => {
    await open(await upstream());
    await bench.sync();
    const before = await loadKeyring([Buffer.from(own.publicArmored)], [own.fingerprint]);
    const next = await fakeKey('Next');
    const [signer, listKeys] = [next, async () => next.publicArmored];
    expect(await resignHeads({ store: bench.store, signer, listKeys, before })).toEqual(['fake']);
    const keys = await read(/^RPM-GPG-KEYS/);
    expect(keys).toContain(next.publicArmored.trim().split('\n')[3]);
    expect(keys).not.toContain(own.publicArmored.trim().split('\n')[3]);
    expect(keys).toContain(key.publicArmored.trim().split('\n')[3]);
    const after = await loadKeyring([Buffer.from(next.publicArmored)], [next.fingerprint]);
    expect(await resignHeads({ store: bench.store, signer, listKeys, before: after })).toEqual(['fake']);
  });

  test('a dry run tells what would come, and writes nothing', async () => {
    await open(await upstream());
    expect(await bench.sync({ dryRun: true })).toMatchObject({ changed: true, fetched: { files: 3 + 2 } });
    expect(await bench.store.heads.read('fake')).toBeUndefined();
  });
});

describe('rules', () => {
  const many = ['1.0', '1.9', '1.10', '1.10~rc1'].map((version): FakeRpm => ({ name: 'tool', version }));

  test.each<[string, Record<string, unknown>, string[]]>([
    ['the newest', { rules: [{ name: 'tool' }] }, ['1.10']],
    ['two of the newest', { rules: [{ name: 'tool' }], versions: 2 }, ['1.10', '1.10~rc1']],
    ['all', { rules: [{ glob: 't*l' }], versions: 'all' }, ['1.0', '1.10', '1.10~rc1', '1.9']],
    ['a version', { rules: [{ name: 'tool', version: '1.9' }] }, ['1.9']],
    ['a relation', { rules: [{ name: 'tool', version: '< 1.9' }] }, ['1.0']],
    ['a query', { rules: [{ query: 'tool < 1.10~rc1' }] }, ['1.9']],
  ])('%s', async (_, curate, versions) => {
    expect(await chosen(many, curate)).toEqual(versions.map((version) => `tool-${version}-1.noarch`));
  });

  test('a plain version is meant of any epoch, a relation is not', async () => {
    const epochs: FakeRpm[] = [
      { name: 'tool', version: '1', epoch: '2' },
      { name: 'tool', version: '1' },
    ];
    expect(await chosen(epochs, { rules: [{ name: 'tool', version: '1' }] })).toEqual(['tool-2:1-1.noarch']);
    await bench.close();
    expect(await chosen(epochs, { rules: [{ name: 'tool', version: '= 1' }] })).toEqual(['tool-1-1.noarch']);
    await bench.close();
    expect(await chosen(epochs, { rules: [{ name: 'tool', version: '2:1' }] })).toEqual(['tool-2:1-1.noarch']);
  });

  test('32-bit packages come where a rule names them, or what is chosen needs them', async () => {
    const packages: FakeRpm[] = [
      { name: 'app', version: '1', arch: 'x86_64', requires: ['compat'] },
      { name: 'compat', version: '1', arch: 'i686' },
      { name: 'lib', version: '1', arch: 'i686' },
      { name: 'lib', version: '1', arch: 'x86_64' },
      { name: 'foreign', version: '1', arch: 'aarch64' },
    ];
    const options = { upstream: { url: '', architectures: ['x86_64'], repositories: ['$basearch'] } };
    const files = await fakeYum({ key, repositories: { x86_64: { packages, timestamp: TIME } } });
    const rules = [{ name: 'app' }, { name: 'lib' }];
    const { url: _, ...rest } = options.upstream;
    await open(files, { rules }, { upstream: rest });
    await bench.sync();
    expect(await nevras()).toEqual(['app-1-1.x86_64', 'compat-1-1.i686', 'lib-1-1.x86_64']);
    bench.spec = {
      ...bench.spec,
      curate: { ...bench.spec.curate, rules: [{ name: 'lib', arch: 'i686', optional: false }] },
    } as YumSpec;
    await bench.sync();
    expect(await nevras()).toEqual(['lib-1-1.i686']);
    expect(await rpms()).toEqual(['x86_64/Packages/l/lib-1-1.i686.rpm']);
  });

  test('what the own architecture has meets a dependency, though that of another is newer', async () => {
    const packages: FakeRpm[] = [
      { name: 'app', version: '1', arch: 'x86_64', requires: ['lib'] },
      { name: 'lib', version: '2', arch: 'i686' },
      { name: 'lib', version: '1', arch: 'x86_64' },
    ];
    const files = await fakeYum({ key, repositories: { x86_64: { packages, timestamp: TIME } } });
    const upstreamOf = { architectures: ['x86_64'], repositories: ['$basearch'] };
    await open(files, { rules: [{ name: 'app' }] }, { upstream: upstreamOf });
    await bench.sync();
    expect(await nevras()).toEqual(['app-1-1.x86_64', 'lib-1-1.x86_64']);
  });

  test('a list of a host: names, with architectures, and as rpm -qa has them', async () => {
    const packages = ['bash', 'java-1.8.0-openjdk', 'zlib'].map((name): FakeRpm => ({ name, version: '9' }));
    const seed = 'bash-5.1-2.el9.noarch\njava-1.8.0-openjdk.noarch # Java\ngpg-pubkey-fd431d51-4ae0493b\n';
    await open(await upstream(packages), { rules: [{ seed: 'host.txt' }] }, { deps: { readSeed: async () => seed } });
    await bench.sync();
    expect(await nevras()).toEqual(['bash-9-1.noarch', 'java-1.8.0-openjdk-9-1.noarch']);
  });

  test('what is named and not there is refused, with what is there instead', async () => {
    await open(await upstream(), {
      rules: [{ name: 'libgreet.so.1()(64bit)' }, { name: 'hello', version: '2' }, { group: 'core' }],
    });
    const error = await bench.refusal();
    expect(error.code).toBe('sync.unresolved');
    expect(error.message).toContain('greet-libs-2.0-1.x86_64 provides it; ask for it by `query:`');
    expect(error.message).toContain('newest here is hello-1.0-1.x86_64');
    expect(error.message).toContain('group core: no comps here has it');
    expect(await bench.store.heads.read('fake')).toBeUndefined();
  });

  test('excluded packages come by no way', async () => {
    await open(await upstream(), { exclude: ['greet-*'] });
    expect((await bench.refusal()).message).toContain('hello-1.0-1.x86_64 requires libgreet.so.1()(64bit)');
  });

  test('source and debug packages of what was chosen', async () => {
    const packages: FakeRpm[] = [
      { name: 'tool-cli', version: '2', source: 'tool-2-1.src.rpm' },
      { name: 'tool', version: '2', arch: 'src' },
      { name: 'tool', version: '1', arch: 'src' },
      { name: 'tool-cli-debuginfo', version: '2', source: 'tool-2-1.src.rpm' },
      { name: 'tool-debugsource', version: '2', source: 'tool-2-1.src.rpm' },
    ];
    const rules = [{ name: 'tool-cli' }];
    expect(await chosen(packages, { rules })).toEqual(['tool-cli-2-1.noarch']);
    await bench.close();
    expect(await chosen(packages, { rules, sources: true, debuginfo: true })).toEqual([
      'tool-2-1.src',
      'tool-cli-2-1.noarch',
      'tool-cli-debuginfo-2-1.noarch',
      'tool-debugsource-2-1.noarch',
    ]);
  });
});

describe('the closure', () => {
  const pkg = (name: string, more: Partial<FakeRpm> = {}): FakeRpm => ({ name, version: '1', ...more });
  const names = async (packages: readonly FakeRpm[], curate: Record<string, unknown> = {}): Promise<string[]> =>
    (await chosen(packages, { rules: [{ name: 'a' }], ...curate })).map((nevra) => nevra.replace(/-1-1\.noarch$/, ''));

  test.each<[string, string, string[]]>([
    ['a name', 'b', ['a', 'b']],
    ['a version that fits', 'b >= 1', ['a', 'b']],
    ['a capability', 'cap', ['a', 'c']],
    ['a version of a capability', 'cap < 3', ['a', 'c']],
    ['the first of alternatives', '(d or b)', ['a', 'd']],
    ['an alternative that is there', '(nothing or b)', ['a', 'b']],
    ['both of and', '(b and d)', ['a', 'b', 'd']],
    ['with: one package that is both', '(cap with other-cap)', ['a', 'e']],
    ['without: one and not the other', '(cap without other-cap)', ['a', 'c']],
    ['a condition that is not met', '(b if d)', ['a']],
    ['an else', '(b if d else c)', ['a', 'c']],
    ['unless', '(b unless d)', ['a', 'b']],
    ['what rpm itself provides', 'rpmlib(CompressedFileNames) <= 3.0.4-1', ['a']],
    ['a file that primary names', '/usr/bin/b', ['a', 'b']],
    ['a file that filelists names alone', '/usr/share/c/data', ['a', 'c']],
    ['itself', 'a', ['a']],
  ])('%s', async (_, requires, expected) => {
    const all = [
      pkg('a', { requires: [requires] }),
      pkg('b', { files: ['/usr/bin/b'] }),
      pkg('c', { provides: ['cap = 2'], otherFiles: ['/usr/share/c/data'] }),
      pkg('d'),
      pkg('e', { provides: ['cap = 4', 'other-cap'] }),
    ];
    expect(await names(all)).toEqual(expected);
  });

  test('hundreds of files that filelists name alone', async () => {
    const numbers = Array.from({ length: 300 }, (_, n) => n);
    const path = (n: number) => `/usr/share/c${n}/data-${n}`;
    const all = [
      pkg('a', { requires: numbers.slice(0, 150).map(path) }),
      ...numbers.map((n) => pkg(`c${n}`, { otherFiles: [path(n), '/usr/share/all'] })),
    ];
    expect(await names(all)).toEqual(['a', ...numbers.slice(0, 150).map((n) => `c${n}`)].sort());
  });

  test('a condition counts once what it asks for is selected, however late', async () => {
    const all = [pkg('a', { requires: ['(b if d)', 'c'] }), pkg('b'), pkg('c', { requires: ['d'] }), pkg('d')];
    expect(await names(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('what cannot be met in turn gives way to another provider', async () => {
    const all = [
      pkg('a', { requires: ['cap'] }),
      pkg('b', { provides: ['cap'], requires: ['nothing'] }),
      pkg('c', { provides: ['cap'] }),
    ];
    expect(await names(all)).toEqual(['a', 'c']);
  });

  test('weak dependencies come on request, both ways, where they can be met', async () => {
    const all = [
      pkg('a', { recommends: ['b', 'nothing', '(c if d)'] }),
      pkg('b'),
      pkg('c'),
      pkg('lang', { supplements: ['(a and b)'], requires: ['base'] }),
      pkg('base'),
      pkg('idle', { supplements: ['x'] }),
    ];
    expect(await names(all)).toEqual(['a']);
    await bench.close();
    expect(await names(all, { closure: 'weak' })).toEqual(['a', 'b', 'base', 'lang']);
  });

  test('none: nothing comes along', async () => {
    expect(await names([pkg('a', { requires: ['b'] }), pkg('b')], { closure: 'none' })).toEqual(['a']);
  });
});

describe('several repositories', () => {
  const two = (a: readonly FakeRpm[], b: readonly FakeRpm[]): Promise<FakeFiles> =>
    fakeYum({
      key,
      repositories: { one: { packages: a, timestamp: TIME }, two: { packages: b, timestamp: TIME + 5 } },
    });
  const both = { repositories: ['one', 'two'] };

  test('become one; of a package with other bytes that of the first is taken, with a note', async () => {
    const again: FakeRpm = { ...library, bytes: Buffer.from('other bytes') };
    await open(
      await two([hello, library], [again, { name: 'more', version: '1' }]),
      { rules: [{ name: 'hello' }, { name: 'more' }] },
      { upstream: both },
    );
    const { notes } = await bench.sync();
    expect(await rpms()).toEqual([
      'Packages/g/greet-libs-2.0-1.x86_64.rpm',
      'Packages/h/hello-1.0-1.x86_64.rpm',
      'Packages/m/more-1-1.noarch.rpm',
    ]);
    expect(notes).toEqual([expect.stringContaining('greet-libs-2.0-1.x86_64 of ')]);
  });

  test('two files at one path: one gets a path of its own, and repair finds both', async () => {
    const href = 'Packages/same.rpm';
    await open(await two([{ ...hello, href }], [{ ...library, href }]), {}, { upstream: both });
    await bench.sync();
    expect(await rpms()).toEqual(['Packages/same.rpm', 'upstream-1/Packages/same.rpm']);
    expect(await read(/-primary\.xml\.gz$/)).toContain('href="upstream-1/Packages/same.rpm"');
    const listing = await bench.listing();
    const lost = [listing.get('Packages/same.rpm') ?? '', listing.get('upstream-1/Packages/same.rpm') ?? ''];
    for (const sha256 of lost) await rm(bench.store.objects.localPath?.(sha256) ?? '');
    const report = await repairStore({ ...bench.deps, findSpec: async () => bench.spec });
    expect(report.failed).toEqual([]);
    expect(report.repaired.map(({ sha256 }) => sha256).sort()).toEqual(lost.sort());
  });

  test('of several upstreams, each at the root of its own', async () => {
    const files = await two([hello], [library]);
    const keys = [{ fingerprint: key.fingerprint }];
    await open(files);
    const upstreams = ['one', 'two'].map((name) => ({
      url: `${bench.upstream.url}/${name}`,
      keys,
      verify: ['metadata'],
    }));
    bench.spec = parseYumSpec(stringify({ ...SPEC, upstreams }), 'two.yaml');
    await bench.sync();
    expect(await nevras()).toEqual(['greet-libs-2.0-1.x86_64', 'hello-1.0-1.x86_64']);
    expect(await bench.sync()).toMatchObject({ changed: false, fetched: { files: 0 } });
  });

  test('a repository for each architecture', async () => {
    const of = (arch: string): FakeRepository => ({
      packages: [
        { name: 'hello', version: '1', arch, requires: ['data'] },
        { name: 'data', version: '1' },
      ],
      timestamp: TIME,
    });
    const files = await fakeYum({ key, repositories: { 'os/x86_64': of('x86_64'), 'os/aarch64': of('aarch64') } });
    await open(files, {}, { upstream: { repositories: ['os/$basearch'], architectures: ['x86_64', 'aarch64'] } });
    await bench.sync();
    expect(await rpms()).toEqual([
      'aarch64/Packages/d/data-1-1.noarch.rpm',
      'aarch64/Packages/h/hello-1-1.aarch64.rpm',
      'x86_64/Packages/d/data-1-1.noarch.rpm',
      'x86_64/Packages/h/hello-1-1.x86_64.rpm',
    ]);
    const memory = readMemory(await bench.store.heads.read('fake'));
    const why = (await bench.store.objects.read(memory.curated?.why ?? '', 1e8)) ?? Buffer.alloc(0);
    expect(explainPackage(why, 'data').map(({ steps }) => steps[0]?.architecture)).toEqual(['x86_64', 'aarch64']);
    bench.upstream.serve(files);
    expect(await bench.sync()).toMatchObject({ changed: false });
  });
});

describe('groups, modules and advisories', () => {
  const comps = `<comps>
    <group><id>core</id><name>Core</name><packagelist>
      <packagereq type="mandatory">bash</packagereq><packagereq type="optional">vim</packagereq>
      <packagereq type="mandatory">nowhere</packagereq></packagelist></group>
    <group><id>empty</id><name>Empty</name><packagelist><packagereq>nowhere</packagereq></packagelist></group>
    <environment><id>minimal</id><name>Minimal</name><grouplist><groupid>core</groupid><groupid>empty</groupid></grouplist></environment>
    <environment><id>gone</id><name>Gone</name><grouplist><groupid>empty</groupid></grouplist></environment>
  </comps>`;
  const stream = (name: string, version: string, artifacts: readonly string[], requires = '{}'): string =>
    `---\ndocument: modulemd\nversion: 2\ndata:\n  name: ${name}\n  stream: "${version}"\n  version: 1\n  context: aa\n` +
    `  arch: x86_64\n  dependencies:\n  - requires: ${requires}\n  profiles:\n    common:\n      rpms: [${name}]\n` +
    `  artifacts:\n    rpms:\n${artifacts.map((each) => `    - ${each}\n`).join('')}...\n`;
  const modules = [
    stream('web', '2.10', ['web-0:2.10-1.noarch', 'web-docs-0:2.10-1.noarch'], '{runtime: [fast]}'),
    stream('web', '3', ['web-0:3-1.noarch']),
    stream('runtime', 'fast', ['runtime-0:9-1.noarch']),
    '---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: web\n  stream: "2.10"\n...\n',
  ].join('');
  const advisory = (id: string, type: string, name: string, version: string): string =>
    `<update type="${type}"><id>${id}</id><title>${id}</title><references><reference type="cve" id="CVE-2024-1000"/></references>` +
    `<pkglist><collection><name>c</name><package name="${name}" version="${version}" release="1" epoch="0" arch="noarch"/></collection></pkglist></update>`;
  const updateinfo = `<updates>${advisory('SEC-1', 'security', 'bash', '5.1')}${advisory('FIX-1', 'bugfix', 'bash', '5.2')}${advisory('SEC-2', 'security', 'vim', '9')}</updates>`;
  const extra = {
    group: { name: 'comps.xml', content: Buffer.from(comps) },
    modules: { name: 'modules.yaml', content: Buffer.from(modules) },
    updateinfo: { name: 'updateinfo.xml', content: Buffer.from(updateinfo) },
  };
  const packages: FakeRpm[] = [
    ...['5.0', '5.1', '5.2'].map((version) => ({ name: 'bash', version })),
    { name: 'vim', version: '9' },
    { name: 'web', version: '1' },
    { name: 'web', version: '2.10', requires: ['runtime'] },
    { name: 'web', version: '3' },
    { name: 'web-docs', version: '2.10' },
    { name: 'runtime', version: '9' },
  ];
  const of = (curate: Record<string, unknown>): Promise<string[]> => chosen(packages, curate, { extra });

  test('a group, and on demand what it has as optional', async () => {
    expect(await of({ rules: [{ group: 'core' }] })).toEqual(['bash-5.2-1.noarch']);
    await bench.close();
    expect(await of({ rules: [{ environment: 'minimal', optional: true }] })).toEqual([
      'bash-5.2-1.noarch',
      'vim-9-1.noarch',
    ]);
  });

  test('comps and updateinfo speak of what is there alone', async () => {
    await of({ rules: [{ name: 'bash' }] });
    const left = await read(/-comps\.xml\.gz$/);
    expect([...left.matchAll(/<id>(.*)<\/id>/g)].map(([, id]) => id)).toEqual(['core', 'minimal']);
    expect(left).not.toMatch(/vim|nowhere|empty/);
    const updates = await read(/-updateinfo\.xml\.gz$/);
    expect([...updates.matchAll(/<id>(.*)<\/id>/g)].map(([, id]) => id)).toEqual(['FIX-1']);
    expect([...(await bench.listing()).keys()].filter((path) => path.includes('modules'))).toEqual([]);
  });

  test('security-only: a version that only other advisories name is passed over', async () => {
    expect(await of({ rules: [{ name: 'bash' }], advisories: ['security'] })).toEqual(['bash-5.1-1.noarch']);
    await bench.close();
    expect(await of({ rules: [{ advisory: 'security' }], versions: 'all' })).toEqual([
      'bash-5.1-1.noarch',
      'vim-9-1.noarch',
    ]);
    await bench.close();
    expect(await of({ rules: [{ advisory: 'FIX-1' }] })).toEqual(['bash-5.2-1.noarch']);
  });

  test('of a module the default stream is seen, with those that it needs', async () => {
    expect(await of({ rules: [{ name: 'web' }] })).toEqual(['runtime-9-1.noarch', 'web-2.10-1.noarch']);
    const text = await read(/-modules\.yaml\.gz$/);
    expect([...text.matchAll(/stream: (.*)/g)].map(([, each]) => each)).toEqual(['"2.10"', '"fast"', '"2.10"']);
  });

  test.each<[string, string[]]>([
    ['web:3', ['web-3-1.noarch']],
    ['web', ['runtime-9-1.noarch', 'web-2.10-1.noarch', 'web-docs-2.10-1.noarch']],
    ['web:2.10/common', ['runtime-9-1.noarch', 'web-2.10-1.noarch']],
  ])('module: %s', async (module, expected) => {
    expect(await of({ rules: [{ module }] })).toEqual(expected);
  });

  test('two streams of one module stand side by side', async () => {
    expect(await of({ rules: [{ module: 'web:3' }, { name: 'web' }] })).toEqual([
      'runtime-9-1.noarch',
      'web-2.10-1.noarch',
      'web-3-1.noarch',
    ]);
  });

  test('a stream or profile that is not there is refused with those that are', async () => {
    await open(await upstream(packages, { extra }), {
      rules: [{ module: 'web:4' }, { module: 'runtime' }, { module: 'web:3/server' }],
    });
    const { message } = await bench.refusal();
    expect(message).toContain('module web:4: there are web:2.10, web:3');
    expect(message).toContain('module runtime: it has no default stream; there are runtime:fast');
    expect(message).toContain('no profile server');
  });
});

describe('refusals', () => {
  test('a package that is no package, where signed packages are demanded', async () => {
    await open(await upstream(), {}, { upstream: { verify: ['metadata', 'packages'] } });
    expect((await bench.refusal()).code).toMatch(/^format\./);
    expect(await bench.store.heads.read('fake')).toBeUndefined();
  });

  test('a package with other bytes than its metadata says', async () => {
    const files = await upstream();
    files.set('Packages/h/hello-1.0-1.x86_64.rpm', Buffer.from('evil'));
    await open(files);
    expect((await bench.refusal()).kind).toBe('upstream');
  });

  test('what upstream lists and does not serve', async () => {
    const unserved = (path: string): boolean => path.includes('greet-libs');
    await open(await upstream(PACKAGES, { unserved }));
    expect((await bench.refusal()).code).toBe('sync.incomplete');
    bench.spec = { ...bench.spec, missing: 'warn' };
    expect(await bench.sync()).toMatchObject({ missing: ['Packages/g/greet-libs-2.0-1.x86_64.rpm'] });
    expect(await nevras()).toEqual(['hello-1.0-1.x86_64']);
  });

  test('of other checksums than SHA-256 are fetched once, and not in a dry run', async () => {
    const more = { checksum: 'sha512' } as const;
    await open(await upstream(PACKAGES, more));
    const asked = () => bench.upstream.requests.map(({ path }) => path).filter((path) => path.endsWith('.rpm'));
    expect(await bench.sync({ dryRun: true })).toMatchObject({ changed: true });
    expect(asked()).toEqual([]);
    await bench.sync();
    expect(asked().sort()).toEqual(await rpms());
    bench.upstream.requests.length = 0;
    bench.upstream.serve(
      await upstream([...PACKAGES, { ...hello, version: '1.1' }], { ...more, timestamp: TIME + 60 }),
    );
    await bench.sync();
    expect(asked()).toEqual(['Packages/h/hello-1.1-1.x86_64.rpm']);
  });
});
