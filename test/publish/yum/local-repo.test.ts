import { hash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCatalog } from '../../../src/catalog/catalog.ts';
import { addSignature } from '../../../src/exec/rpmsign.ts';
import { filelistsRecords, otherRecords, recordPkgid } from '../../../src/formats/rpm/filelists.ts';
import { primaryPackage } from '../../../src/formats/rpm/primary.ts';
import { primaryRecords } from '../../../src/formats/rpm/primary-records.ts';
import { parseRepomd } from '../../../src/formats/rpm/repomd.ts';
import type { RepoChange, RepoReport } from '../../../src/publish/local-repo.ts';
import { PieceCache } from '../../../src/publish/piece-cache.ts';
import { rebuildCatalog } from '../../../src/publish/rebuild-catalog.ts';
import { resignHeads } from '../../../src/publish/resign-heads.ts';
import { storedIndex } from '../../../src/publish/stored-file.ts';
import { changeRpmRepo, createRpmRepo, type RpmRepoDeps } from '../../../src/publish/yum/local-repo.ts';
import { createRpmPublisher } from '../../../src/publish/yum/publish-yum.ts';
import { lookupPath, readManifest } from '../../../src/store/manifest.ts';
import type { ManifestEntry, ManifestRef } from '../../../src/store/types.ts';
import { loadKeyring } from '../../../src/trust/keyring.ts';
import { fakeKey } from '../../support/fake-key.ts';
import type { FakeRpm } from '../../support/fake-yum.ts';
import { Publishing } from '../../support/publishing.ts';
import { type RpmOptions, writeRpm } from '../../support/write-rpm.ts';

let publishing: Publishing;
let deps: RpmRepoDeps;
beforeEach(async () => {
  publishing = await Publishing.make();
  deps = await depsWith(await publishing.store.file('cache', 'rpm'));
  await createRpmRepo(deps, 'own', { compression: 'gz' });
});
afterEach(() => publishing.close());

async function depsWith(cacheDir: string): Promise<RpmRepoDeps> {
  const { store, key } = publishing;
  const publish = createRpmPublisher({
    objects: store.objects,
    cacheDir,
    signer: key,
    listKeys: async () => key.publicArmored,
  });
  const signing = { key: async () => ({ ...key, info: key }), addSignature };
  return { store, publish, pieces: new PieceCache(cacheDir), signing, now: () => publishing.clock };
}

type Wanted = Omit<FakeRpm, 'bytes'> & { readonly options?: RpmOptions };
async function add(packages: readonly Wanted[], more: Partial<RepoChange> = {}): Promise<RepoReport> {
  const files = await Promise.all(
    packages.map(async ({ options, ...each }) => ({
      origin: `${each.name}.rpm`,
      source: [(await writeRpm(each, options)).bytes ?? Buffer.alloc(0)],
    })),
  );
  return changeRpmRepo(deps, 'own', { add: files, ...more });
}

const manifestNow = async (): Promise<ManifestRef> => {
  const head = await publishing.store.heads.read('own');
  if (head === undefined) throw new Error('there is no head');
  return head.manifest;
};
async function entryAt(path: string): Promise<ManifestEntry> {
  const entry = await lookupPath(publishing.store.objects, (await manifestNow()).root, path);
  if (entry === undefined) throw new Error(`there is no ${path}`);
  return entry;
}
const read = async (path: string): Promise<Buffer> =>
  (await publishing.store.objects.read((await entryAt(path)).sha256, 1e9)) ?? Buffer.alloc(0);

const READERS = { primary: primaryRecords, filelists: filelistsRecords, other: otherRecords };
async function recordsOf(type: keyof typeof READERS): Promise<Buffer[]> {
  const { records } = await parseRepomd(await read('repodata/repomd.xml'), 'repomd.xml');
  const record = records.find((each) => each.type === type);
  const entry = await entryAt(record?.path ?? '');
  expect(record?.checksum.hex).toBe(entry.sha256);
  const content: Buffer[] = [];
  for await (const chunk of storedIndex(publishing.store.objects, entry)) content.push(chunk);
  expect(hash('sha256', Buffer.concat(content), 'hex')).toBe(record?.openChecksum?.hex);
  const found: Buffer[] = [];
  for await (const batch of READERS[type](content, type)) found.push(...batch);
  return found;
}

/** `name evr arch` of each package; all three files list the same, and the packages are there. */
async function listed(): Promise<string[]> {
  const packages = (await recordsOf('primary')).map((record) => primaryPackage(record, 'primary'));
  const pkgids = packages.map(({ pkgid }) => pkgid);
  for (const type of ['filelists', 'other'] as const)
    expect((await recordsOf(type)).map((record) => recordPkgid(record, type))).toEqual(pkgids);
  for (const { href, pkgid } of packages) expect((await entryAt(href)).sha256).toBe(pkgid);
  const files: string[] = [];
  for await (const { path } of readManifest(publishing.store.objects, (await manifestNow()).root, {
    prefix: 'Packages/',
  }))
    files.push(path);
  expect(files.sort()).toEqual(packages.map(({ href }) => href).sort());
  return packages.map(({ name, epoch, version, release, arch }) => `${name} ${epoch}:${version}-${release} ${arch}`);
}

test('a new one is empty and signed', async () => {
  expect(await listed()).toEqual([]);
  const keyring = await loadKeyring([await read('RPM-GPG-KEYS-kubedos.asc')], 'all');
  await keyring.verifyDetached(await read('repodata/repomd.xml'), await read('repodata/repomd.xml.asc'), 'repomd.xml');
  await expect(createRpmRepo(deps, 'own', { compression: 'gz' })).rejects.toMatchObject({ code: 'store.exists' });
});

describe('packages', () => {
  test('come in, sorted by name, and go again', async () => {
    const report = await add([
      { name: 'b', version: '2', arch: 'x86_64' },
      { name: 'a', version: '1', epoch: '3' },
      { name: 'b', version: '10', arch: 'x86_64' },
    ]);
    expect(report.added.map(({ name, version }) => `${name} ${version}`).sort()).toEqual([
      'a 3:1-1',
      'b 10-1',
      'b 2-1',
    ]);
    expect(await listed()).toHaveLength(3);
    expect((await listed())[0]).toBe('a 3:1-1 noarch');
    await add([{ name: 'aa', version: '1' }]);
    expect((await listed()).map((line) => line.split(' ')[0])).toEqual(['a', 'aa', 'b', 'b']);
    const gone = await changeRpmRepo(deps, 'own', { remove: [{ name: 'b', version: '10' }, { name: 'a' }] });
    expect(gone.removed.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(['a 3:1-1', 'b 10-1']);
    expect((await listed()).map((line) => line.split(' ')[0])).toEqual(['aa', 'b']);
  });

  test('that are there already change nothing', async () => {
    await add([{ name: 'a', version: '1' }]);
    const before = await manifestNow();
    const report = await add([{ name: 'a', version: '1' }]);
    expect(report).toMatchObject({ changed: false, added: [], unchanged: [{ name: 'a', version: '1-1' }] });
    expect(await manifestNow()).toEqual(before);
    expect((await changeRpmRepo(deps, 'own', { remove: [{ name: 'nothing' }] })).changed).toBe(false);
  });

  test('of the same name and version with other bytes are refused, unless forced', async () => {
    await add([{ name: 'a', version: '1' }]);
    const before = await manifestNow();
    const other = { name: 'a', version: '1', options: { payload: Buffer.from('other') } };
    await expect(add([other])).rejects.toMatchObject({ code: 'repo.conflict' });
    await expect(add([other, { name: 'z', version: '1' }])).rejects.toMatchObject({ code: 'repo.conflict' });
    // Epochs are in no file name.
    await expect(add([{ name: 'a', version: '1', epoch: '1' }])).rejects.toMatchObject({ code: 'repo.conflict' });
    const two = [
      { name: 'c', version: '1' },
      { ...other, name: 'c' },
    ];
    await expect(add(two, { force: true })).rejects.toMatchObject({ code: 'repo.conflict' });
    expect(await manifestNow()).toEqual(before);
    const report = await add([other], { force: true });
    expect([report.added.length, report.removed.length]).toEqual([1, 1]);
    expect(await listed()).toEqual(['a 0:1-1 noarch']);
  });

  test('that are damaged, or named in a way that no file should be, are refused', async () => {
    const { bytes = '' } = await writeRpm({ name: 'a', version: '1' });
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 1] = 0;
    const one = (source: Uint8Array) => changeRpmRepo(deps, 'own', { add: [{ origin: 'x', source: [source] }] });
    await expect(one(damaged)).rejects.toMatchObject({ code: 'format.syntax' });
    await expect(one(Buffer.from('!<arch>\nno rpm'))).rejects.toMatchObject({ code: 'format.syntax' });
    await expect(add([{ name: '../evil', version: '1' }])).rejects.toMatchObject({ code: 'format.syntax' });
    expect(await listed()).toEqual([]);
  });
});

test('the same packages give the same bytes, in whatever steps they came and whatever is cached', async () => {
  const all: Wanted[] = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((name) =>
    ['1', '2'].map((version) => ({ name, version, arch: 'x86_64' })),
  );
  const metadata = async () => Promise.all((['primary', 'filelists', 'other'] as const).map(recordsOf));
  await add(all);
  const expected = await metadata();
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(all, { minLength: all.length }), fc.nat({ max: 12 }), async (order, cut) => {
      await changeRpmRepo(deps, 'own', { remove: order.map(({ name }) => ({ name })) });
      deps = await depsWith(await publishing.store.file('cache', `rpm-${cut}`));
      await add(order.slice(0, cut));
      await add(order.slice(cut));
      expect(await metadata()).toEqual(expected);
    }),
    { numRuns: 6 },
  );
});

test('metadata of the two publications before stays', async () => {
  const paths = async () => {
    const found: string[] = [];
    for await (const { path } of readManifest(publishing.store.objects, (await manifestNow()).root, {
      prefix: 'repodata/',
    }))
      if (path.includes('primary')) found.push(path);
    return found;
  };
  const seen: string[] = await paths();
  for (const version of ['1', '2', '3', '4']) {
    await add([{ name: 'a', version }]);
    const fresh = (await paths()).find((path) => !seen.includes(path)) ?? '';
    seen.push(fresh);
    expect(await paths()).toEqual(seen.slice(-3).sort());
  }
});

test('the catalog follows, and is the same when it is rebuilt', async () => {
  const catalog = openCatalog(':memory:');
  deps = { ...deps, recordChange: async (mirror, change) => catalog.recordChange(mirror, change) };
  await rebuildCatalog({ store: publishing.store, catalog });
  await add([
    { name: 'hello', version: '1', arch: 'x86_64' },
    { name: 'other', version: '1' },
  ]);
  await changeRpmRepo(deps, 'own', { remove: [{ name: 'other' }] });
  const found = () => catalog.search('hello', { limit: 5 });
  const before = found();
  expect(before).toMatchObject([
    { family: 'yum', name: 'hello', version: '1-1', architecture: 'x86_64', mirrors: ['own'] },
  ]);
  expect(catalog.search('other', { limit: 5 })).toEqual([]);
  const { mirrors } = await rebuildCatalog({ store: publishing.store, catalog });
  expect(mirrors).toEqual([{ mirror: 'own', added: 0, removed: 0 }]);
  expect(found()).toEqual(before);
  catalog.close();
});

test('a new key signs the newest state anew, and clients are given that key', async () => {
  await add([{ name: 'a', version: '1' }]);
  const repomd = await read('repodata/repomd.xml');
  const [before, next] = [await loadKeyring([Buffer.from(publishing.key.publicArmored)], 'all'), await fakeKey('Next')];
  const [signer, listKeys] = [next, async () => next.publicArmored];
  expect(await resignHeads({ store: publishing.store, signer, listKeys, before })).toEqual(['own']);
  expect(await read('repodata/repomd.xml')).toEqual(repomd);
  const keyring = await loadKeyring([await read('RPM-GPG-KEYS-kubedos.asc')], [next.fingerprint]);
  await keyring.verifyDetached(repomd, await read('repodata/repomd.xml.asc'), 'repomd.xml');
  expect(await resignHeads({ store: publishing.store, signer, listKeys, before })).toEqual([]);
});
