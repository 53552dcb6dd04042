import { hash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { parseStanzas } from '../../src/formats/apt/deb822.ts';
import { packageEntry } from '../../src/formats/apt/packages.ts';
import { decompress } from '../../src/formats/compression.ts';
import { changeRepo, createRepo, type RepoChange } from '../../src/publish/local-repo.ts';
import { rebuildCatalog } from '../../src/publish/rebuild-catalog.ts';
import { lookupPath, readManifest } from '../../src/store/manifest.ts';
import type { ManifestRef } from '../../src/store/types.ts';
import { buildDeb, type FakePackage } from '../support/fake-deb.ts';
import { Publishing } from '../support/publishing.ts';

let publishing: Publishing;
beforeEach(async () => {
  publishing = await Publishing.make();
});
afterEach(() => publishing.close());

async function add(packages: readonly FakePackage[], more: Partial<RepoChange> & { component?: string } = {}) {
  const { component, ...rest } = more;
  const debs = await Promise.all(
    packages.map(async (pkg) => ({ origin: `${pkg.name}.deb`, source: [await buildDeb(pkg)], component })),
  );
  return changeRepo(publishing.repo, 'own', { add: debs, ...rest });
}

async function manifestNow(): Promise<ManifestRef> {
  const head = await publishing.store.heads.read('own');
  if (head === undefined) throw new Error('there is no head');
  return head.manifest;
}

/** `name version architecture` of each stanza of an index, whose files must be on the list. */
async function listed(architecture = 'amd64', component = 'main'): Promise<string[]> {
  const { objects } = publishing.store;
  const { root } = await manifestNow();
  const path = `dists/stable/${component}/binary-${architecture}/Packages.gz`;
  const index = await lookupPath(objects, root, path);
  const stream = index && (await objects.open(index.sha256));
  if (stream === undefined) throw new Error(`there is no ${path}`);
  const found: string[] = [];
  for await (const stanza of parseStanzas(decompress(stream, 'gz', { origin: path, maxBytes: 2 ** 30 }), path)) {
    const entry = packageEntry(stanza, path);
    expect(await lookupPath(objects, root, entry.path)).toMatchObject({ sha256: entry.sha256 });
    found.push(`${entry.name} ${entry.version} ${entry.architecture}`);
  }
  return found;
}

async function pool(): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of readManifest(publishing.store.objects, (await manifestNow()).root, { prefix: 'pool/' }))
    paths.push(path);
  return paths;
}

const names = (changed: readonly { readonly name: string; readonly version: string }[]) =>
  changed.map(({ name, version }) => `${name} ${version}`);

test('packages come and go; pool paths follow the source package and leave the epoch out', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable', components: ['main', 'extra'] });
  const report = await add([
    { name: 'tool', version: '2:1.0-1', architecture: 'amd64' },
    { name: 'libz', version: '1.0', fields: { Source: 'libzip (1.0~src)' } },
    { name: 'tool', version: '1:9.0', architecture: 'amd64' },
  ]);
  expect(report).toMatchObject({ changed: true, removed: [], unchanged: [] });
  expect(await listed()).toEqual(['libz 1.0 all', 'tool 1:9.0 amd64', 'tool 2:1.0-1 amd64']);
  const paths = [
    'pool/main/libz/libzip/libz_1.0_all.deb',
    'pool/main/t/tool/tool_1.0-1_amd64.deb',
    'pool/main/t/tool/tool_9.0_amd64.deb',
  ];
  expect(await pool()).toEqual(paths);
  await add([{ name: 'more', version: '1' }], { component: 'extra' });
  expect(await listed('amd64', 'extra')).toEqual(['more 1 all']);
  await expect(add([{ name: 'more', version: '2' }], { component: 'other' })).rejects.toThrow('main, extra');

  const gone = await changeRepo(publishing.repo, 'own', {
    remove: [{ name: 'tool', version: '0:9.0' }, { name: 'libz' }],
  });
  expect(names(gone.removed)).toEqual(['libz 1.0']);
  await changeRepo(publishing.repo, 'own', { remove: [{ name: 'tool', version: '1:9.0' }] });
  expect(await listed()).toEqual(['tool 2:1.0-1 amd64']);
  expect(await pool()).toEqual(['pool/extra/m/more/more_1_all.deb', 'pool/main/t/tool/tool_1.0-1_amd64.deb']);
  await changeRepo(publishing.repo, 'own', { remove: [{ name: 'tool', architecture: 'arm64' }] });
  expect(await listed()).toEqual(['tool 2:1.0-1 amd64']);
});

test('the same package again changes nothing, down to the head', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  await add([{ name: 'tool', version: '1' }]);
  const before = await publishing.store.heads.read('own');
  publishing.clock = new Date('2026-03-01T00:00:00Z');
  const report = await add([{ name: 'tool', version: '1' }]);
  expect(report).toMatchObject({ changed: false, added: [] });
  expect(names(report.unchanged)).toEqual(['tool 1']);
  expect(await changeRepo(publishing.repo, 'own', { remove: [{ name: 'absent' }] })).toMatchObject({ changed: false });
  expect(await publishing.store.heads.read('own')).toEqual(before);
});

test('other bytes under the same identity are refused with both hashes, and nothing of the batch is added', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable', components: ['main', 'extra'] });
  const { added } = await add([{ name: 'tool', version: '1.0' }]);
  const there = added[0]?.sha256 as string;
  const other = { name: 'tool', version: '1.0', description: 'built again' };
  const before = await manifestNow();
  await expect(add([{ name: 'fine', version: '1' }, other])).rejects.toMatchObject({
    code: 'repo.conflict',
    message: expect.stringMatching(new RegExp(`tool 1.0 all.* expected ${there}, got (?!${there})[0-9a-f]{64}$`)),
    details: { there: { sha256: there } },
  });
  // dpkg takes these for the same version, and another component is the same repository.
  await expect(add([{ ...other, version: '0:1.0-0' }])).rejects.toMatchObject({ code: 'repo.conflict' });
  await expect(add([other], { component: 'extra' })).rejects.toMatchObject({ code: 'repo.conflict' });
  // One file name for two versions.
  await expect(add([{ ...other, version: '7:1.0' }])).rejects.toMatchObject({ code: 'repo.conflict' });
  await expect(
    add([
      { name: 'twice', version: '1' },
      { name: 'twice', version: '1', description: 'other' },
    ]),
  ).rejects.toMatchObject({
    code: 'repo.conflict',
  });
  expect(await manifestNow()).toEqual(before);

  const forced = await add([other], { force: true });
  expect(forced.removed).toMatchObject([{ name: 'tool', sha256: there }]);
  expect(await listed()).toEqual(['tool 1.0 all']);
  await add([{ ...other, version: '7:1.0' }], { force: true, component: 'extra' });
  expect(await listed()).toEqual(['tool 1.0 all']);
  expect(await listed('amd64', 'extra')).toEqual(['tool 7:1.0 all']);
});

test('a removal and an addition in one step replace a package', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  await add([{ name: 'tool', version: '1' }]);
  const report = await add([{ name: 'tool', version: '1', description: 'other bytes' }], {
    remove: [{ name: 'tool' }],
  });
  expect([report.added.length, report.removed.length]).toEqual([1, 1]);
  expect(await listed()).toEqual(['tool 1 all']);
  expect(await pool()).toEqual(['pool/main/t/tool/tool_1_all.deb']);
});

test('a new architecture takes the packages of all along', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  await add([
    { name: 'doc', version: '1' },
    { name: 'tool', version: '1', architecture: 'amd64' },
  ]);
  await add([{ name: 'tool', version: '1', architecture: 'arm64' }]);
  expect(await listed('arm64')).toEqual(['doc 1 all', 'tool 1 arm64']);
  expect(await listed('amd64')).toEqual(['doc 1 all', 'tool 1 amd64']);
  const { removed } = await changeRepo(publishing.repo, 'own', { remove: [{ name: 'doc' }] });
  expect(names(removed)).toEqual(['doc 1']);
  expect(await listed('arm64')).toEqual(['tool 1 arm64']);
});

test('what is no package, and what would lie outside the pool, is refused', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  const before = await manifestNow();
  const offer = (source: Uint8Array) =>
    changeRepo(publishing.repo, 'own', { add: [{ origin: 'x.deb', source: [source] }] });
  await expect(offer(Buffer.from('no package'))).rejects.toMatchObject({ code: 'format.syntax' });
  const whole = await buildDeb({ name: 'tool', version: '1' });
  await expect(offer(whole.subarray(0, -50))).rejects.toMatchObject({ code: 'format.syntax' });
  await expect(add([{ name: 'tool', version: '1', fields: { Source: '../../etc' } }])).rejects.toMatchObject({
    code: 'format.syntax',
  });
  await expect(add([{ name: 'tool', version: '1/../../2' }])).rejects.toMatchObject({ code: 'format.syntax' });
  await expect(add([{ name: 'a/b', version: '1' }])).rejects.toMatchObject({ code: 'format.syntax' });
  expect(await manifestNow()).toEqual(before);
});

test('a package too large to be held in memory is stored as it comes', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  const whole = await buildDeb({
    name: 'large',
    version: '1',
    compression: 'none',
    files: { data: Buffer.alloc(5 * 1024 * 1024) },
  });
  const chunks = Array.from({ length: 60 }, (_, at) => whole.subarray(at * 100_000, (at + 1) * 100_000));
  const offer = (source: Iterable<Uint8Array>) =>
    changeRepo(publishing.repo, 'own', { add: [{ origin: 'x', source }] });
  await expect(offer(chunks.slice(0, -10))).rejects.toMatchObject({ code: 'format.syntax' });
  const { added } = await offer(chunks);
  expect(added).toMatchObject([{ name: 'large', sha256: hash('sha256', whole) }]);
  expect(await publishing.store.objects.stat(added[0]?.sha256 ?? '')).toMatchObject({ sizeBytes: whole.length });
});

test('only local repositories can be changed, and a name is given once', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  await expect(createRepo(publishing.repo, 'own', { suite: 'stable' })).rejects.toMatchObject({ code: 'store.exists' });
  await expect(createRepo(publishing.repo, 'two', { suite: '../up' })).rejects.toMatchObject({
    code: 'usage.argument',
  });
  await expect(changeRepo(publishing.repo, 'none', {})).rejects.toMatchObject({ code: 'store.not-found' });
  const head = await publishing.store.heads.read('own');
  if (head === undefined) throw new Error('there is no head');
  await publishing.store.heads.write({ ...head, name: 'debian', form: 'verbatim' }, undefined);
  await expect(changeRepo(publishing.repo, 'debian', {})).rejects.toMatchObject({ code: 'repo.not-local' });
});

test('property: any course of changes ends in what a plain list says, and the catalog agrees with a rebuilt one', async () => {
  const pkg = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    version: fc.constantFrom('1', '2'),
    architecture: fc.constantFrom('all', 'amd64', 'arm64'),
  });
  const step = fc.record({
    add: fc.array(pkg, { maxLength: 3 }),
    remove: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 1 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 4 }), async (steps) => {
      const own = await Publishing.make();
      const catalog = openCatalog(':memory:');
      const deps = { ...own.repo, recordChange: catalog.recordChange };
      await createRepo(deps, 'own', { suite: 'stable', architectures: ['amd64', 'arm64'], compressions: ['gz'] });
      const model = new Set<string>();
      for (const { add, remove } of steps) {
        const debs = add.map(async (each) => ({ origin: each.name, source: [await buildDeb(each)] }));
        await changeRepo(deps, 'own', { add: await Promise.all(debs), remove: remove.map((name) => ({ name })) });
        for (const text of model) if (remove.some((name) => text.startsWith(`${name} `))) model.delete(text);
        for (const { name, version, architecture } of add) model.add(`${name} ${version} ${architecture}`);
      }
      const found = (from: typeof catalog) => ['a', 'b', 'c'].flatMap((name) => from.search(name, { limit: 99 }));
      const texts = found(catalog).map(({ name, version, architecture }) => `${name} ${version} ${architecture}`);
      expect([...new Set(texts)].sort()).toEqual([...model].sort());
      const rebuilt = openCatalog(':memory:');
      await rebuildCatalog({ store: own.store, catalog: rebuilt });
      expect(found(rebuilt)).toEqual(found(catalog));
      await own.close();
    }),
    { numRuns: 8 },
  );
}, 120_000);

test('a catalog that cannot be written is a warning: the new state stands', async () => {
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  const notes: string[] = [];
  const recordChange = async () => {
    throw new Error('database is locked');
  };
  const debs = [{ origin: 'x', source: [await buildDeb({ name: 'tool', version: '1' })] }];
  await changeRepo(
    { ...publishing.repo, recordChange },
    'own',
    { add: debs },
    {
      onEvent: (event) => event.type === 'note' && notes.push(event.message),
    },
  );
  expect(notes).toEqual([expect.stringContaining('store rebuild')]);
  expect(await listed()).toEqual(['tool 1 all']);
});
