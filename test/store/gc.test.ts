import { chmod, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkStore } from '../../src/store/check.ts';
import { GRACE_MS, planGc, runGc } from '../../src/store/gc.ts';
import { openStore } from '../../src/store/store.ts';
import type { Sha256, Store } from '../../src/store/types.ts';
import { fakeVerify, putMirror, sha256Of, takeSnapshot, temporaryStore } from '../support/temporary-store.ts';

/** Long enough after everything that the tests store. */
const later = () => new Date(Date.now() + GRACE_MS + 1000);

async function hashes(store: Store): Promise<Sha256[]> {
  const found: Sha256[] = [];
  for await (const { sha256 } of store.objects.list()) found.push(sha256);
  return found;
}

async function putLoose(store: Store, ...contents: string[]): Promise<void> {
  for (const content of contents) await store.objects.put([Buffer.from(content)]);
  await store.objects.flush();
}

test('keeps what heads, snapshots, evidence, publications, specs and callers name', async () => {
  const store = await temporaryStore();
  const evidence = {
    source: 's',
    document: sha256Of('release'),
    signature: sha256Of('release.gpg'),
    keyring: sha256Of('keys'),
    fingerprints: [],
    date: null,
    validUntil: null,
  };
  await putLoose(store, 'release', 'release.gpg', 'keys', 'spec', 'generation', 'artifact', 'garbage 1', 'garbage 22');
  await putMirror(store, 'debian', { a: 'in the snapshot' }, { evidence: [evidence] });
  await takeSnapshot(store);
  const generations = { bookworm: [[{ path: 'p', sha256: sha256Of('generation'), sizeBytes: 10 }]] };
  await putMirror(store, 'debian', { a: 'in the head' }, { spec: sha256Of('spec'), memory: { generations } });
  const before = await hashes(store);
  const garbage = [sha256Of('garbage 1'), sha256Of('garbage 22')].sort();
  const options = { now: later(), extraRoots: () => [sha256Of('artifact')] };

  const seen: Sha256[] = [];
  const plan = await planGc(store, { ...options, onObject: ({ sha256 }) => seen.push(sha256) });
  expect(plan).toMatchObject({ objects: 2, bytes: 19, graceObjects: 0, keptObjects: before.length - 2, files: [] });
  expect(plan.listed.map(({ sha256 }) => sha256)).toEqual(garbage);
  expect(seen).toEqual(garbage);
  expect(await hashes(store)).toEqual(before);

  expect(await runGc(store, options)).toMatchObject({ objects: 2, bytes: 19 });
  expect(await hashes(store)).toEqual(before.filter((sha256) => !garbage.includes(sha256)));
  expect((await checkStore(store, { verify: fakeVerify })).findings).toEqual([]);
  expect(await planGc(store, options)).toMatchObject({ objects: 0, bytes: 0 });
  await runGc(store, { now: later() });
  expect(await hashes(store)).not.toContain(sha256Of('artifact'));
});

test('keeps what is young, and says so', async () => {
  const store = await temporaryStore();
  await putLoose(store, 'young');
  const now = new Date(Date.now() + GRACE_MS - 60_000);
  expect(await runGc(store, { now })).toMatchObject({ objects: 0, graceObjects: 1, graceBytes: 5 });
  expect((await hashes(store)).length).toBe(1);
  expect(await runGc(store, { now, graceMs: GRACE_MS - 120_000 })).toMatchObject({ objects: 1, graceObjects: 0 });
  expect(await hashes(store)).toEqual([]);
});

test('what a deleted snapshot alone had goes, what others share stays', async () => {
  const store = await temporaryStore();
  await putMirror(store, 'debian', { a: 'only in the first', b: 'in both' });
  const first = await takeSnapshot(store);
  await putMirror(store, 'debian', { a: 'only in the second', b: 'in both' });
  await takeSnapshot(store);
  await store.snapshots.delete(first.id);
  await runGc(store, { now: later() });
  const left = await hashes(store);
  expect(left).not.toContain(sha256Of('only in the first'));
  expect(left).toEqual(expect.arrayContaining(['only in the second', 'in both'].map(sha256Of)));
  expect((await checkStore(store)).clean).toBe(true);
});

test('never runs beside another writer', async () => {
  const store = await temporaryStore();
  await putLoose(store, 'garbage');
  const other = await openStore(store.dir);
  await other.withWriter('sync debian', async () => {
    await expect(runGc(store, { now: later() })).rejects.toMatchObject({ code: 'store.locked' });
    expect(await planGc(store, { now: later() })).toMatchObject({ objects: 1 });
  });
  expect((await hashes(store)).length).toBe(1);
});

describe('removes nothing when it cannot know what is needed', () => {
  test.each<[string, (store: Store, id: string) => string]>([
    ['a chunk', (store) => store.objects.localPath?.(sha256Of(`${sha256Of('x')} 1 a\n`)) ?? ''],
    ['a head', (store) => join(store.dir, 'heads', 'debian.json')],
    ['a snapshot', (store, id) => join(store.dir, 'snapshots', `${id}.json`)],
  ])('%s is damaged', async (_, fileOf) => {
    const store = await temporaryStore();
    await putMirror(store, 'debian', { a: 'x' });
    const { id } = await takeSnapshot(store);
    await putLoose(store, 'garbage');
    const file = fileOf(store, id);
    await chmod(file, 0o644);
    await writeFile(file, 'damaged');
    const before = await hashes(store);
    await expect(runGc(store, { now: later() })).rejects.toMatchObject({ kind: 'damage' });
    expect(await hashes(store)).toEqual(before);
  });
});

test('stale temporary and partial files go, fresh ones and a used cache stay', async () => {
  const store = await temporaryStore();
  const now = new Date();
  const put = async (area: 'tmp' | 'partial' | 'cache', name: string, ageDays: number) => {
    const file = await store.file(area, ...name.split('/'));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, 'abc');
    const time = new Date(now.getTime() - ageDays * GRACE_MS);
    await utimes(file, time, time);
    return file;
  };
  await put('tmp', 'sort-1/7', 2);
  await put('partial', 'debian/old.deb', 2);
  await put('cache', 'publish/old', 40);
  await put('cache', 'publish/used', 10);
  await put('partial', 'debian/new.deb', 0);
  await mkdir(await store.file('tmp', 'bundle-1', 'documents', 'x').then(dirname), { recursive: true });
  // Change times cannot be set back, so the clock goes on instead.
  const future = new Date(now.getTime() + 1.5 * GRACE_MS);
  const names = async (options: { now: Date }) =>
    (await planGc(store, options)).files.map(({ file }) => file.slice(store.dir.length + 1)).sort();
  expect(await names({ now })).toEqual([]);
  expect(await names({ now: future })).toEqual([
    'partial/debian/new.deb',
    'partial/debian/old.deb',
    'tmp/bundle-1/documents',
    'tmp/sort-1/7',
  ]);
  await runGc(store, { now: future });
  expect(await readdir(join(store.dir, 'tmp'))).toEqual([]);
  expect(await readdir(join(store.dir, 'partial'))).toEqual([]);
  expect((await readdir(join(store.dir, 'cache', 'publish'))).sort()).toEqual(['old', 'used']);
  expect(await readdir(store.dir)).toEqual(expect.arrayContaining(['tmp', 'partial', 'cache']));
  await runGc(store, { now: new Date(now.getTime() + 31 * GRACE_MS) });
  expect(await readdir(join(store.dir, 'cache'))).toEqual([]);
});
