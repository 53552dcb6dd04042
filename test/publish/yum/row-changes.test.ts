/** The catalog is told what changed, and knows the same as if it had been told everything. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Catalog, openCatalog } from '../../../src/catalog/catalog.ts';
import { comparePaths } from '../../../src/formats/path.ts';
import { mirrorRows } from '../../../src/publish/package-rows.ts';
import { recordMirrorState } from '../../../src/publish/rebuild-catalog.ts';
import { rpmRowChanges } from '../../../src/publish/yum/row-changes.ts';
import { writeManifest } from '../../../src/store/manifest.ts';
import { type FakeRepository, type FakeRpm, fakeYum } from '../../support/fake-yum.ts';
import { Publishing } from '../../support/publishing.ts';

let publishing: Publishing;
let catalog: Catalog;
beforeEach(async () => {
  publishing = await Publishing.make();
  catalog = openCatalog(':memory:');
});
afterEach(async () => {
  catalog.close();
  await publishing.close();
});

/** The root of a mirror of these repositories, by folder. */
async function state(repositories: Readonly<Record<string, Partial<FakeRepository>>>): Promise<string> {
  const { store, key } = publishing;
  const whole = Object.entries(repositories).map(([folder, each]) => [
    folder,
    { packages: [], timestamp: 1_714_608_000, signed: false, ...each },
  ]);
  const entries = [];
  for (const [path, bytes] of await fakeYum({ key, repositories: Object.fromEntries(whole) }))
    entries.push({ path, ...(await store.objects.put([bytes])) });
  return (
    await writeManifest(
      store.objects,
      entries.sort((a, b) => comparePaths(a.path, b.path)),
    )
  ).root;
}

const rpms = (names: readonly string[], version = '1'): FakeRpm[] => names.map((name) => ({ name, version }));
const changes = (before: string, root: string) => rpmRowChanges(publishing.store.objects, { before, root });
const shown = (rows: readonly { readonly name: string; readonly version: string }[] = []) =>
  rows.map(({ name, version }) => `${name} ${version}`).sort();

const NAMES = Array.from({ length: 8 }, (_, n) => `package-${n}`);

test('after any changes the catalog is as one that was told the last state alone', async () => {
  const listed = fc.array(fc.record({ name: fc.constantFrom(...NAMES), version: fc.constantFrom('1', '2') }), {
    maxLength: 10,
  });
  const states = fc.array(fc.record({ main: listed, extra: listed, checksum: fc.constantFrom('sha256', 'sha512') }), {
    minLength: 2,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(states, async (all) => {
      const { objects } = publishing.store;
      const [told, fresh] = [openCatalog(':memory:'), openCatalog(':memory:')];
      let root = '';
      for (const { main, extra, checksum } of all as { main: FakeRpm[]; extra: FakeRpm[]; checksum: 'sha256' }[]) {
        root = await state({ main: { packages: main }, extra: { packages: extra, checksum } });
        await recordMirrorState({ store: publishing.store, catalog: told }, 'fake', { kind: 'yum', root });
      }
      await fresh.recordMirror('fake', root, mirrorRows(objects, { kind: 'yum', root }));
      const answers = (of: Catalog) => [of.search('package', { limit: 100 }), of.recordedMirrors()];
      expect(answers(told)).toEqual(answers(fresh));
      told.close();
      fresh.close();
    }),
    { numRuns: 25 },
  );
});

describe('what is told', () => {
  test('are the rows that one of both states has', async () => {
    const before = await state({ main: { packages: rpms(NAMES) } });
    const others = [
      ...rpms(['before']),
      ...rpms(NAMES.slice(0, 3)),
      ...rpms(['package-3'], '2'),
      ...rpms(NAMES.slice(4)),
    ];
    const told = await changes(before, await state({ main: { packages: others } }));
    expect(shown(told?.added)).toEqual(['before 1-1', 'package-3 2-1']);
    expect(shown(told?.removed)).toEqual(['package-3 1-1']);
    expect(await changes(before, before)).toEqual({ added: [], removed: [] });
  });

  test('is a repository that is new or gone', async () => {
    const [both, one] = [
      await state({ main: { packages: rpms(['a']) }, extra: { packages: rpms(['b']) } }),
      await state({ main: { packages: rpms(['a']) } }),
    ];
    expect(shown((await changes(one, both))?.added)).toEqual(['b 1-1']);
    expect(shown((await changes(both, one))?.removed)).toEqual(['b 1-1']);
  });
});

describe('all is read', () => {
  test('where a package is told of otherwise, or listed once less, or by another kind of checksum', async () => {
    const packages = rpms(NAMES);
    const before = await state({ main: { packages } });
    const editPrimary = (text: string): string => text.replace('The package package-1', 'Another summary');
    expect(await changes(before, await state({ main: { packages, editPrimary } }))).toBeUndefined();
    const twice = await state({ main: { packages: [...packages, ...rpms(['package-7'])] } });
    expect(await changes(twice, before)).toBeUndefined();
    const weak = await state({ main: { packages, checksum: 'sha512' } });
    expect(await changes(before, weak)).toBeUndefined();
  });

  test('where checksums do not say which object it is: that may be another one, or come later', async () => {
    const main = { packages: rpms(NAMES), checksum: 'sha512' } as const;
    const before = await state({ main: { ...main, unserved: (path) => path.includes('package-2') } });
    expect(await changes(before, await state({ main }))).toBeUndefined();
  });

  test('where too much differs, or the state before is no longer there', async () => {
    const { store } = publishing;
    const many = Array.from({ length: 2001 }, (_, n) => `many-${n}`);
    const [few, root] = [await state({ main: {} }), await state({ main: { packages: rpms(many) } })];
    expect(await changes(few, root)).toBeUndefined();
    await catalog.recordMirror('fake', '0'.repeat(64), []);
    const report = await recordMirrorState({ store, catalog }, 'fake', { kind: 'yum', root });
    expect(report).toEqual({ added: 2001, removed: 0 });
    expect(catalog.recordedMirrors()).toEqual([{ mirror: 'fake', root }]);
  });
});
