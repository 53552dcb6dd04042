import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { comparePaths } from '../../src/formats/path.ts';
import { changeRepo, createRepo } from '../../src/publish/local-repo.ts';
import { packageRows } from '../../src/publish/package-rows.ts';
import { rebuildCatalog, refreshCatalog } from '../../src/publish/rebuild-catalog.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import type { ManifestRef, MirrorHead } from '../../src/store/types.ts';
import { SAMPLE_DATE, twoPoints } from '../support/fake-apt.ts';
import { type FakeFiles, fakeArchive } from '../support/fake-archive.ts';
import { buildDeb } from '../support/fake-deb.ts';
import { Publishing } from '../support/publishing.ts';

let publishing: Publishing;
let file = '';
let catalog: Catalog;
beforeEach(async () => {
  publishing = await Publishing.make();
  file = join(publishing.dir, 'catalog.sqlite');
  catalog = openCatalog(file);
});
afterEach(async () => {
  catalog.close();
  await publishing.close();
});

async function manifestOf(files: FakeFiles): Promise<ManifestRef> {
  const entries = [];
  for (const [path, bytes] of files) entries.push({ path, ...(await publishing.store.objects.put([bytes])) });
  return writeManifest(
    publishing.store.objects,
    entries.sort((a, b) => comparePaths(a.path, b.path)),
  );
}

function headOf(name: string, manifest: ManifestRef, kind: MirrorHead['kind'] = 'apt'): MirrorHead {
  const rest = { evidence: [], time: '2026-01-01T00:00:00Z', spec: null, memory: {} };
  return { format: 'kubedos-head/1', name, kind, form: 'verbatim', manifest, ...rest };
}

async function mirror(name: string, files: FakeFiles): Promise<ManifestRef> {
  const manifest = await manifestOf(files);
  await publishing.store.heads.write(headOf(name, manifest), (await publishing.store.heads.read(name))?.manifest.root);
  return manifest;
}

const deps = () => ({ store: publishing.store, catalog });

/** Everything that can be asked. */
function answers(of: Catalog) {
  const texts = ['hello', 'lib', 'o', 'package', 'tests', 'tool', 'own'];
  const found = texts.map((text) => of.search(text, { limit: 100 }));
  const hashes = found.flat().map(({ sha256 }) => sha256);
  const narrow = ['debian', 'flat', 'own'].map((name) => of.search('o', { limit: 100, mirror: name }));
  return { found, narrow, objects: of.packagesByObject(hashes), recorded: of.recordedMirrors() };
}

test('a deleted catalog is rebuilt from the store and gives the same answers', async () => {
  const { key, store } = publishing;
  const { first, second } = await twoPoints(key);
  const recorded = async (name: string, { root }: ManifestRef) =>
    catalog.recordMirror(name, root, packageRows(store.objects, root));
  await recorded('debian', await mirror('debian', first));
  const flat = {
    suite: './',
    components: { main: { packages: [{ name: 'flat-tool', version: '1' }] } },
    date: SAMPLE_DATE,
  };
  await recorded('flat', await mirror('flat', await fakeArchive({ key, suites: [flat] })));
  const repo = { ...publishing.repo, recordChange: catalog.recordChange };
  await createRepo(repo, 'own', { suite: 'stable' });
  for (const version of ['1', '2']) {
    const debs = [{ origin: 'x', source: [await buildDeb({ name: 'own-tool', version })] }];
    await changeRepo(repo, 'own', { add: debs, remove: version === '2' ? [{ name: 'own-tool' }] : [] });
  }
  await recorded('debian', await mirror('debian', second));

  const before = answers(catalog);
  expect(before.found.map((list) => list.length)).toEqual([1, 1, 4, 6, 6, 3, 1]);
  catalog.close();
  for (const ending of ['', '-wal', '-shm']) await rm(`${file}${ending}`, { force: true });
  catalog = openCatalog(file);
  expect(answers(catalog)).not.toEqual(before);
  await rebuildCatalog(deps());
  expect(answers(catalog)).toEqual(before);
});

test('refresh reads what moved, forgets what is gone, and takes imported mirrors from their newest snapshot', async () => {
  const { store, key } = publishing;
  const { first, second } = await twoPoints(key);
  await mirror('debian', first);
  await store.heads.write(headOf('files', await manifestOf(new Map()), 'files'), undefined);
  const sign = async () => 'signature';
  await store.snapshots.create({
    heads: [headOf('imported', await manifestOf(first))],
    now: new Date('2026-01-01'),
    sign,
  });
  await store.snapshots.create({
    heads: [headOf('imported', await manifestOf(second))],
    now: new Date('2026-01-02'),
    sign,
  });
  await catalog.recordMirror('long-gone', 'x', []);

  const report = await refreshCatalog(deps());
  expect(report.mirrors.map(({ mirror: name, added }) => [name, added])).toEqual([
    ['imported', 4],
    ['debian', 4],
  ]);
  expect(report.forgotten).toEqual(['long-gone']);
  expect(catalog.search('fresh', { limit: 9 }).map(({ mirrors }) => mirrors)).toEqual([['imported']]);
  expect((await refreshCatalog(deps())).mirrors).toEqual([]);
  await mirror('debian', second);
  expect((await refreshCatalog(deps())).mirrors).toEqual([{ mirror: 'debian', added: 3, removed: 3 }]);
});

test('where there is no index the packages themselves are read; what is none is passed over', async () => {
  const deb = await buildDeb({
    name: 'tool',
    version: '2:1',
    fields: { Source: 'src' },
    section: 'net',
    description: 'short\n long',
  });
  const files = new Map([
    ['a/tool.deb', deb],
    ['b/other-name.deb', deb],
    ['broken.deb', Buffer.from('!<arch>\nno')],
    ['readme', Buffer.from('text')],
  ]);
  const rows = [];
  for await (const row of packageRows(publishing.store.objects, (await manifestOf(files)).root)) rows.push(row);
  const tool = {
    family: 'apt',
    name: 'tool',
    version: '2:1',
    architecture: 'all',
    source: 'src',
    section: 'net',
    description: 'short',
  };
  expect(rows).toMatchObject([
    { ...tool, path: 'a/tool.deb' },
    { ...tool, path: 'b/other-name.deb' },
  ]);
});

test('a damaged index is not believed', async () => {
  const manifest = await mirror('debian', (await twoPoints(publishing.key)).first);
  const { objects } = publishing.store;
  const broken = Object.create(objects, {
    open: {
      value: async (sha256: string) => {
        const bytes = await objects.read(sha256, 1e9);
        if (bytes) bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 32;
        return bytes && [bytes];
      },
    },
  });
  const read = async () => {
    for await (const _ of packageRows(broken, manifest.root));
  };
  await expect(read()).rejects.toThrow();
});
