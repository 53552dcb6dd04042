import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseStanzasOf } from '../../src/formats/apt/deb822.ts';
import { comparePaths } from '../../src/formats/path.ts';
import { clientSources } from '../../src/publish/client-config.ts';
import { mirrorClientConfig } from '../../src/publish/mirror-client-config.ts';
import { suiteLayouts } from '../../src/publish/suite-layouts.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import type { Evidence } from '../../src/store/types.ts';
import { AptClient } from '../support/apt-client.ts';
import { startFakeApt, twoPoints } from '../support/fake-apt.ts';
import { type FakeFiles, type FakeSuite, fakeArchive } from '../support/fake-archive.ts';
import { Publishing } from '../support/publishing.ts';

// apt runs six times.
vi.setConfig({ testTimeout: 120_000 });

let publishing: Publishing;
beforeEach(async () => {
  publishing = await Publishing.make();
});
afterEach(() => publishing.close());

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEXg==\n-----END PGP PUBLIC KEY BLOCK-----\n';

async function stored(files: FakeFiles) {
  const entries = [];
  for (const [path, bytes] of files) entries.push({ path, ...(await publishing.store.objects.put([bytes])) });
  return writeManifest(
    publishing.store.objects,
    entries.sort((a, b) => comparePaths(a.path, b.path)),
  );
}

async function layoutsOf(...paths: readonly string[]) {
  const { root } = await stored(new Map(paths.map((path) => [path, Buffer.from(path)])));
  return suiteLayouts(publishing.store.objects, root);
}

test('suites that have all else in common share a stanza; the key is inside it', () => {
  const amd64 = { components: ['contrib', 'main'], architectures: ['amd64'], sources: false, key: KEY };
  const suites = [
    { ...amd64, suite: 'bookworm' },
    { ...amd64, suite: 'extra', components: ['main'], sources: true, architectures: [] },
    { ...amd64, suite: 'bookworm-updates' },
  ];
  const text = clientSources({
    comment: 'debian\nof today',
    url: 'http://example.org/debian/',
    suites,
    checkValidUntil: false,
  });
  expect(text).toBe(`# debian of today
Types: deb
URIs: http://example.org/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Architectures: amd64
Check-Valid-Until: no
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEXg==
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb deb-src
URIs: http://example.org/debian/
Suites: extra
Components: main
Check-Valid-Until: no
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEXg==
 -----END PGP PUBLIC KEY BLOCK-----
`);
  expect([...parseStanzasOf(text.replace(/^#.*\n/, ''), 'text')]).toHaveLength(2);
});

test('nothing that is given can become another field', () => {
  const suite = { suite: 'a', components: [], architectures: [], sources: false, key: KEY };
  const lines = (more: object) => () =>
    clientSources({ url: 'http://h/', suites: [{ ...suite, ...more }], checkValidUntil: true });
  expect(lines({ suite: 'a\nTrusted: yes' })).toThrow(expect.objectContaining({ code: 'usage.argument' }));
  expect(lines({ components: ['a b'] })).toThrow(expect.objectContaining({ code: 'usage.argument' }));
  expect(lines({ key: 'no key' })).toThrow(expect.objectContaining({ code: 'trust.no-key' }));
});

test('layouts: what lies there counts; the installer, by-hash and nested suites are told apart', async () => {
  const layouts = await layoutsOf(
    'dists/bookworm/InRelease',
    'dists/bookworm/Release',
    'dists/bookworm/main/binary-amd64/Packages.xz',
    'dists/bookworm/main/binary-amd64/Release',
    'dists/bookworm/main/binary-all/Packages.xz',
    'dists/bookworm/main/debian-installer/binary-amd64/Packages.xz',
    'dists/bookworm/updates/main/binary-arm64/Packages.gz',
    'dists/bookworm/main/source/Sources.xz',
    'dists/bookworm/main/binary-s390x/by-hash/SHA256/00',
    'dists/stable/InRelease',
    'dists/stable/main/binary-amd64/Packages',
    'dists/stable/rolling/InRelease',
    'dists/stable/rolling/main/binary-riscv64/Packages.zst',
    'dists/empty/InRelease',
    'pool/main/Release/Packages',
  );
  expect(layouts).toEqual([
    { suite: 'bookworm', components: ['main', 'updates/main'], architectures: ['amd64', 'arm64'], sources: true },
    { suite: 'stable', components: ['main'], architectures: ['amd64'], sources: false },
    { suite: 'stable/rolling', components: ['main'], architectures: ['riscv64'], sources: false },
  ]);
});

test('layouts of flat repositories', async () => {
  const flat = { components: [], architectures: [], sources: false };
  expect(await layoutsOf('InRelease', 'Packages.gz', 'a.deb')).toEqual([{ ...flat, suite: './' }]);
  expect(await layoutsOf('deb/Release', 'deb/Packages', 'other/Packages')).toEqual([{ ...flat, suite: 'deb/' }]);
  expect(await layoutsOf('a.deb')).toEqual([]);
});

const PAST: Partial<FakeSuite> = { validUntil: new Date('2024-05-08T10:00:00Z') };

test('apt takes the lines for verbatim mirrors, past their Valid-Until, and for flat ones', async () => {
  const { objects } = publishing.store;
  const { key } = publishing;
  const keyring = (await objects.put([Buffer.from(key.publicArmored)])).sha256;
  const flat: FakeSuite = {
    suite: 'flat/',
    // Without it apt warns, as it does with the upstream itself.
    releaseFields: { Suite: 'flat' },
    components: { main: { packages: [{ name: 'hello', version: '1.0-1' }] } },
    date: new Date('2024-05-01T10:00:00Z'),
    ...PAST,
  };
  const archives: readonly [string, FakeFiles][] = [
    ['bookworm', (await twoPoints(key, (suite) => ({ ...suite, ...PAST }))).first],
    ['flat/', await fakeArchive({ key, suites: [flat] })],
  ];
  for (const [suite, files] of archives) {
    const evidence: Evidence = {
      ...{ source: `https://example.org/debian ${suite}`, document: keyring, signature: null, keyring },
      ...{ fingerprints: [key.fingerprint], date: null, validUntil: null },
    };
    const server = await startFakeApt(files);
    const apt = await AptClient.make();
    const mirror = {
      name: 'm',
      kind: 'apt',
      form: 'verbatim',
      manifest: await stored(files),
      evidence: [evidence],
    } as const;
    const deps = { objects, listKeys: async () => 'not this one' };
    const config = await mirrorClientConfig(deps, mirror, `${server.url}/`);
    // The fixture has run out indeed.
    await apt.setSources((config?.text ?? '').replace('Check-Valid-Until: no\n', ''));
    expect((await apt.update()).output).toContain('expired');
    expect(config?.path).toBe('/etc/apt/sources.list.d/m.sources');
    await apt.setSources(config?.text ?? '');
    expect(await apt.update()).toMatchObject({ status: 0, complaints: [] });
    expect(await apt.candidate('hello')).toBe('1.0-1');
    expect((await apt.download('hello')).files.size).toBe(1);
    await server.close();
    await apt.remove();
    const without = { ...mirror, evidence: [] };
    await expect(mirrorClientConfig(deps, without, 'http://h/')).rejects.toMatchObject({ code: 'trust.no-key' });
  }
});
