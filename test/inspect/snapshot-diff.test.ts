import { expect, test } from 'vitest';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { comparePaths } from '../../src/formats/path.ts';
import { type PackageIdentity, packageLookup } from '../../src/inspect/package-lookup.ts';
import { diffMarkdown, diffText } from '../../src/inspect/render-diff.ts';
import { diffSnapshots } from '../../src/inspect/snapshot-diff.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import type { ManifestEntry, Sha256, Store } from '../../src/store/types.ts';
import { buildDeb } from '../support/fake-deb.ts';
import { fakeKey } from '../support/fake-key.ts';
import { type FakeRpm, fakeYum } from '../support/fake-yum.ts';
import { manyEntries } from '../support/many-entries.ts';
import { sha256Of, takeSnapshot, temporaryFolder, temporaryStore } from '../support/temporary-store.ts';
import { writeRpm } from '../support/write-rpm.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

async function putMirror(store: Store, name: string, files: Files): Promise<void> {
  const entries: ManifestEntry[] = [];
  for (const [path, content] of Object.entries(files))
    entries.push({ path, ...(await store.objects.put([Buffer.from(content)])) });
  await putEntries(store, name, entries);
}

async function putEntries(store: Store, name: string, entries: ManifestEntry[]): Promise<void> {
  const manifest = await writeManifest(
    store.objects,
    entries.sort((a, b) => comparePaths(a.path, b.path)),
  );
  const before = await store.heads.read(name);
  await store.heads.write(
    {
      format: 'kubedos-head/1',
      name,
      kind: 'apt',
      form: 'verbatim',
      manifest,
      evidence: [],
      time: '2026-03-01T12:00:00Z',
      spec: null,
      memory: {},
    },
    before?.manifest.root,
  );
}

const deb = (name: string, version: string, note = '') =>
  buildDeb({ name, version, architecture: name === 'doc' ? 'all' : 'amd64', files: { 'usr/share/note': note } });

/** Two snapshots of real packages; the second has one of each change. */
async function twoSnapshots(store: Store): Promise<{ before: string; after: string }> {
  const kept = { 'pool/k/kept_1.deb': await deb('kept', '1'), 'dists/s/Release': 'same' };
  await putMirror(store, 'debian', {
    ...kept,
    'dists/s/InRelease': 'one',
    'dists/s/by-hash/SHA256/aa': 'one',
    'pool/b/bash_9.deb': await deb('bash', '9'),
    'pool/d/doc_1_all.deb': await deb('doc', '1'),
    'pool/d/down_2.deb': await deb('down', '2'),
    'pool/r/rebuilt_1.deb': await deb('rebuilt', '1'),
    'pool/main/moved_1.deb': await deb('moved', '1'),
    'pool/b/broken_1.deb': 'no package',
  });
  await putMirror(store, 'gone', { 'a.txt': 'a' });
  await putMirror(store, 'same', { 'b.txt': 'b' });
  const before = (await takeSnapshot(store)).id;
  await putMirror(store, 'debian', {
    ...kept,
    'dists/s/InRelease': 'two',
    'dists/s/by-hash/SHA256/bb': 'two',
    'pool/b/bash_1.deb': await deb('bash', '1:1'),
    'pool/d/doc_2_all.deb': await deb('doc', '2'),
    'pool/d/down_1.deb': await deb('down', '1'),
    'pool/n/new_1.deb': await deb('new', '1'),
    'pool/r/rebuilt_1.deb': await deb('rebuilt', '1', 'other bytes'),
    'pool/updates/moved_1.deb': await deb('moved', '1'),
  });
  await store.heads.remove('gone');
  await putMirror(store, 'fresh', { 'c.txt': 'ccc' });
  return { before, after: (await takeSnapshot(store, new Date('2026-04-01T12:00:00Z'))).id };
}

test('tells changes by package, from the packages themselves, and as text', async () => {
  const store = await temporaryStore();
  const range = await twoSnapshots(store);
  const diff = await diffSnapshots(store, packageLookup(store.objects), range);
  expect(diffText(diff)).toBe(
    `${range.before} (2026-03-01T12:00:00Z) → ${range.after} (2026-04-01T12:00:00Z)

debian: 2 upgraded, 1 downgraded, 1 rebuilt, 1 added, 1 moved, 4 other files; ${grownBy(diff)}
  upgraded   bash:amd64 9 → 1:1
  upgraded   doc 1 → 2
  downgraded down:amd64 2 → 1
  rebuilt    rebuilt:amd64 1 (other bytes)
  added      new:amd64 1
  moved      moved:amd64 1 (pool/main/moved_1.deb → pool/updates/moved_1.deb)
  changed    dists/s/InRelease
  removed    pool/b/broken_1.deb
  and 2 files named by their hash

fresh: added with 1 files, 3 bytes

gone: removed with 1 files, 1 bytes

same: unchanged
`,
  );
});

function grownBy({ mirrors }: Awaited<ReturnType<typeof diffSnapshots>>): string {
  const [mirror] = mirrors;
  return `${(mirror?.after?.bytes ?? 0) - (mirror?.before?.bytes ?? 0)} bytes more`;
}

test('the same backwards, by prefixes of ids, as Markdown without markup of packages', async () => {
  const store = await temporaryStore();
  const { before, after } = await twoSnapshots(store);
  await putMirror(store, 'debian', { 'pool/e/evil_1.deb': await deb('evil', '1') });
  const diff = await diffSnapshots(store, packageLookup(store.objects), {
    before: after.slice(0, 6),
    after: before.slice(0, 6),
  });
  const markdown = diffMarkdown(diff);
  expect(markdown).toContain(`# Changes from ${after} to ${before}`);
  expect(markdown).toContain('| downgraded | bash:amd64 | 1:1 | 9 |');
  expect(markdown).toContain('| removed | new:amd64 | 1 |  |');
  expect(markdown).toContain('- added pool/b/broken\\_1.deb');
  expect(markdown).not.toContain('by-hash');
  const evil = { ...diff, mirrors: [{ ...(diff.mirrors[0] as (typeof diff.mirrors)[0]), name: '<b>|`x`' }] };
  expect(diffMarkdown(evil)).toContain('## \\<b\\>\\|\\`x\\`');
});

test('asks the catalog first, and reads only what it does not know', async () => {
  const store = await temporaryStore();
  const range = await twoSnapshots(store);
  const catalog = openCatalog(`${await temporaryFolder()}/catalog.sqlite`);
  const bytes = await deb('bash', '9');
  const row = { family: 'apt', source: 'bash', section: '', description: '' } as const;
  const known = { ...row, name: 'bash-by-catalog', version: '9', architecture: 'amd64' };
  await catalog.recordMirror('debian', 'root', [{ ...known, sha256: sha256Of(bytes), path: 'pool/b/bash_9.deb' }]);
  const opened: Sha256[] = [];
  const objects = {
    open: (sha256: Sha256) => {
      opened.push(sha256);
      return store.objects.open(sha256);
    },
  };
  const lookup = packageLookup(objects, (sha256s) => catalog.packagesByObject(sha256s));
  const diff = await diffSnapshots(store, lookup, range);
  catalog.close();
  expect(opened).not.toContain(sha256Of(bytes));
  expect(diff.mirrors[0]?.packages.map(({ kind, name }) => `${kind} ${name}`)).toContain('removed bash-by-catalog');
});

test('a package that is damaged or gone is compared as a file', async () => {
  const store = await temporaryStore();
  const range = await twoSnapshots(store);
  await store.objects.remove(sha256Of(await deb('bash', '9')));
  const diff = await diffSnapshots(store, packageLookup(store.objects), range);
  expect(diff.mirrors[0]?.files.map(({ path }) => path)).toContain('pool/b/bash_9.deb');
  expect(diff.mirrors[0]?.packages.map(({ kind, name }) => `${kind} ${name}`)).toContain('added bash');
});

test('10 changes of 6,300 packages: looks up these alone and reads few chunks', async () => {
  const store = await temporaryStore();
  const entries = manyEntries(6_300);
  await putEntries(store, 'debian', entries);
  const before = (await takeSnapshot(store)).id;
  const changed = entries.map((entry, at) => (at % 630 === 0 ? { ...entry, sha256: sha256Of(`${at}`) } : entry));
  await putEntries(store, 'debian', changed);
  const after = (await takeSnapshot(store)).id;
  let reads = 0;
  let looked = 0;
  const objects = new Proxy(store.objects, {
    get(target, property) {
      if (property === 'read' || property === 'open') reads++;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const lookup = async (wanted: readonly { sha256: Sha256; path: string }[]) => {
    looked += wanted.length;
    return new Map(wanted.map(({ sha256, path }): [Sha256, PackageIdentity] => [sha256, identityOf(path)]));
  };
  const diff = await diffSnapshots({ objects, snapshots: store.snapshots }, lookup, { before, after });
  expect(diff.mirrors[0]?.packages.length).toBe(10);
  expect(looked).toBe(20);
  // Two roots, and of each side at most the chunk of each change.
  expect(reads).toBeLessThanOrEqual(2 + 2 * 10);
});

function identityOf(path: string): PackageIdentity {
  return { name: path, version: '1', architecture: 'amd64' };
}

test('tells rpm packages in the order of rpm', async () => {
  const store = await temporaryStore();
  const rpm = async (name: string, version: string, arch = 'x86_64', epoch?: string) =>
    Buffer.from((await writeRpm({ name, version, arch, ...(epoch !== undefined && { epoch }) })).bytes ?? '');
  const hash = 'a'.repeat(64);
  const repomd = (revision: number) => `<repomd><revision>${revision}</revision></repomd>`;
  await putMirror(store, 'rocky', {
    'BaseOS/repodata/repomd.xml': repomd(1),
    [`BaseOS/repodata/${hash}-primary.xml.gz`]: 'one',
    'BaseOS/Packages/b.rpm': await rpm('bash', '5.1'),
    'BaseOS/Packages/p.rpm': await rpm('pre', '1.0~rc1'),
    'BaseOS/Packages/s.rpm': await rpm('snap', '1.0^git2', 'noarch'),
  });
  const before = (await takeSnapshot(store)).id;
  await putMirror(store, 'rocky', {
    'BaseOS/repodata/repomd.xml': repomd(2),
    [`BaseOS/repodata/${hash}-primary.xml.gz`]: 'two',
    'BaseOS/Packages/b2.rpm': await rpm('bash', '5.0', 'x86_64', '1'),
    'BaseOS/Packages/p2.rpm': await rpm('pre', '1.0'),
    'BaseOS/Packages/s2.rpm': await rpm('snap', '1.0', 'noarch'),
    'BaseOS/Packages/n.rpm': await rpm('new', '1', 'aarch64'),
  });
  const after = (await takeSnapshot(store, new Date('2026-04-01T12:00:00Z'))).id;
  const text = diffText(await diffSnapshots(store, packageLookup(store.objects), { before, after }));
  expect(text.split('\n').slice(3, -1)).toEqual([
    '  upgraded   bash.x86_64 5.1-1 → 1:5.0-1',
    '  upgraded   pre.x86_64 1.0~rc1-1 → 1.0-1',
    '  downgraded snap 1.0^git2-1 → 1.0-1',
    '  added      new.aarch64 1-1',
    '  changed    BaseOS/repodata/repomd.xml',
    '  and 1 files named by their hash',
  ]);
});

test('tells the advisories of what came, security fixes first', async () => {
  const store = await temporaryStore();
  const key = await fakeKey();
  const packages = async (versions: Readonly<Record<string, string>>): Promise<FakeRpm[]> =>
    Promise.all(Object.entries(versions).map(([name, version]) => writeRpm({ name, version })));
  const advisory = (id: string, type: string, name: string, version: string, cve: string) =>
    `<update type="${type}"><id>${id}</id><title>About ${name}</title><references><reference type="cve" id="${cve}"/></references><pkglist><collection>` +
    `<package name="${name}" version="${version}" release="1" epoch="0" arch="noarch"/></collection></pkglist></update>`;
  const updates = [
    advisory('B-1', 'bugfix', 'tool', '2', ''),
    advisory('S-2', 'security', 'bash', '2', 'CVE-2024-2222'),
    advisory('S-1', 'security', 'bash', '1', 'CVE-2024-1111'),
  ];
  const put = async (versions: Readonly<Record<string, string>>, timestamp: number): Promise<string> => {
    const content = Buffer.from(`<updates>${updates.join('')}</updates>`);
    const extra = { updateinfo: { name: 'updateinfo.xml', content } };
    const repository = { packages: await packages(versions), timestamp, extra };
    await putMirror(store, 'rocky', Object.fromEntries(await fakeYum({ key, repositories: { os: repository } })));
    return (await takeSnapshot(store, new Date(timestamp * 1000))).id;
  };
  const before = await put({ bash: '1', tool: '1' }, 1_700_000_000);
  const after = await put({ bash: '2', tool: '2' }, 1_700_000_100);
  const diff = await diffSnapshots(store, packageLookup(store.objects), { before, after });
  expect(diff.mirrors[0]?.advisories.map(({ id, cves }) => [id, ...cves])).toEqual([['S-2', 'CVE-2024-2222'], ['B-1']]);
  const text = diffText(diff);
  expect(text).toContain('2 upgraded, 1 security fix (CVE-2024-2222), ');
  expect(text).toContain(
    '  security   S-2 About bash (CVE-2024-2222): bash-2-1.noarch\n  bugfix     B-1 About tool: tool-2-1.noarch\n',
  );
  expect(diffMarkdown(diff)).toContain('| S-2 About bash | security | CVE-2024-2222 | bash-2-1.noarch |');
});

test('names the snapshot that is not there, and stops when told', async () => {
  const store = await temporaryStore();
  const range = await twoSnapshots(store);
  const lookup = packageLookup(store.objects);
  await expect(diffSnapshots(store, lookup, { ...range, after: 'absent' })).rejects.toMatchObject({
    code: 'store.not-found',
  });
  const signal = AbortSignal.abort();
  await expect(diffSnapshots(store, lookup, { ...range, signal })).rejects.toMatchObject({ code: 'cancelled' });
});
