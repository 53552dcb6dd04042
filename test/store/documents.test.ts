import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sealDocument } from '../../src/store/documents.ts';
import { initStore, openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import {
  fakeSign,
  NOON,
  putMirror,
  sha256Of,
  takeSnapshot,
  temporaryFolder,
  temporaryStore,
} from '../support/temporary-store.ts';

describe('store', () => {
  test('init makes it once, open finds it', async () => {
    const dir = join(await temporaryFolder(), 'deep', 'inside');
    const id = '0c7e5b4a-0000-4000-8000-000000000001';
    const store = await initStore(dir, { now: NOON, id });
    expect(store.identity).toMatchObject({ format: 'kubedos-store/1', id, created: '2026-03-01T12:00:00Z' });
    expect((await openStore(dir)).identity).toEqual(store.identity);
    await expect(initStore(dir, { now: NOON })).rejects.toMatchObject({ code: 'store.exists' });
    await expect(openStore(join(dir, 'none'))).rejects.toMatchObject({ code: 'store.none' });
  });

  test('a copy without its empty folders is a store', async () => {
    const { dir } = await temporaryStore();
    for (const name of await readdir(dir)) if (name !== 'store.json') await rm(join(dir, name), { recursive: true });
    const store = await openStore(dir);
    await putMirror(store, 'debian', { a: '1' });
    expect((await takeSnapshot(store)).id).toMatch(/^1-/);
  });

  test('files stay in their area', async () => {
    const store = await temporaryStore();
    expect(await store.file('cache')).toBe(join(store.dir, 'cache'));
    const file = await store.file('partial', 'debian', 'ab', 'x.deb');
    expect(file).toBe(join(store.dir, 'partial', 'debian', 'ab', 'x.deb'));
    await writeFile(file, '');
    await expect(store.file('partial', '..', 'store.json')).rejects.toMatchObject({ code: 'format.path' });
    await expect(store.file('partial', '/etc')).rejects.toMatchObject({ code: 'format.path' });
  });

  test('of a later kubedos is refused as such', async () => {
    const { dir } = await temporaryStore();
    await writeFile(join(dir, 'store.json'), sealDocument({ format: 'kubedos-store/2', id: 'x' }));
    await expect(openStore(dir)).rejects.toMatchObject({ code: 'store.version' });
  });
});

describe('heads', () => {
  test('are written by compare-and-swap of the root', async () => {
    const store = await temporaryStore();
    const first = await putMirror(store, 'debian', { a: '1' });
    expect(await store.heads.read('debian')).toEqual(first);
    await expect(store.heads.write(first, undefined)).rejects.toMatchObject({ code: 'store.raced' });
    await expect(store.heads.write(first, sha256Of('other'))).rejects.toMatchObject({ code: 'store.raced' });
    const second = await putMirror(store, 'debian', { a: '2' }, { memory: { etag: '"x"', dates: [1, 2] } });
    expect(await store.heads.list()).toEqual([second]);
    expect(await store.heads.remove('debian')).toBe(true);
    expect(await store.heads.remove('debian')).toBe(false);
    expect(await store.heads.read('debian')).toBeUndefined();
  });

  test('are durable only after their objects', async () => {
    const store = await temporaryStore();
    await putMirror(store, 'debian', { a: 'content' });
    expect(await (await openStore(store.dir)).objects.stat(sha256Of('content'))).toBeDefined();
    const head = await store.heads.read('debian');
    if (!head) throw new Error('no head');
    const absent = { ...head, manifest: { ...head.manifest, root: sha256Of('absent') } };
    await expect(store.heads.write(absent, head.manifest.root)).rejects.toMatchObject({ code: 'store.not-found' });
  });

  test.each(['', '..', 'a/b', '-x', 'a b', 'x'.repeat(129), '.hidden'])('refuses the name %j', async (name) => {
    const store = await temporaryStore();
    const head = await putMirror(store, 'debian', { a: '1' });
    await expect(store.heads.write({ ...head, name }, undefined)).rejects.toMatchObject({ code: 'usage.argument' });
    expect(await store.heads.read(name)).toBeUndefined();
  });

  test('one that says it is another is damaged', async () => {
    const store = await temporaryStore();
    await putMirror(store, 'debian', { a: '1' });
    await writeFile(join(store.dir, 'heads', 'ubuntu.json'), await readFile(join(store.dir, 'heads', 'debian.json')));
    await expect(store.heads.read('ubuntu')).rejects.toMatchObject({ code: 'store.corrupt' });
  });
});

describe('channels', () => {
  async function twoSnapshots(): Promise<{ store: Store; first: string; second: string }> {
    const store = await temporaryStore();
    await putMirror(store, 'debian', { a: '1' });
    const first = await takeSnapshot(store);
    await putMirror(store, 'debian', { a: '2' });
    const second = await takeSnapshot(store);
    return { store, first: first.id, second: second.id };
  }

  test('move by compare-and-swap and remember where they were', async () => {
    const { store, first, second } = await twoSnapshots();
    const { channels } = store;
    expect(await channels.move('stable', first, { now: NOON, expected: undefined })).toEqual({
      format: 'kubedos-channel/1',
      name: 'stable',
      snapshot: first,
      version: 1,
      time: '2026-03-01T12:00:00Z',
      history: [],
    });
    await expect(channels.move('stable', second, { now: NOON, expected: undefined })).rejects.toMatchObject({
      code: 'store.raced',
    });
    await expect(channels.move('stable', second, { now: NOON, expected: second })).rejects.toMatchObject({
      code: 'store.raced',
    });
    const later = new Date('2026-03-02T00:00:00Z');
    const moved = await channels.move('stable', second, { now: later, expected: first });
    expect(moved).toMatchObject({ snapshot: second, version: 2, time: '2026-03-02T00:00:00Z' });
    expect(moved.history).toEqual([{ snapshot: first, time: '2026-03-01T12:00:00Z' }]);
    expect(await channels.move('stable', second, { now: NOON })).toEqual(moved);
    expect(await channels.list()).toEqual([moved]);
  });

  test('of two that race one wins', async () => {
    const { store, first, second } = await twoSnapshots();
    await store.channels.move('stable', first, { now: NOON });
    const racers = [store, await openStore(store.dir), await openStore(store.dir), store];
    const results = await Promise.allSettled(
      racers.map(({ channels }) => channels.move('stable', second, { now: NOON, expected: first })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect((await store.channels.read('stable'))?.version).toBe(2);
  });

  test('history is bounded', async () => {
    const { store, first, second } = await twoSnapshots();
    for (let n = 0; n < 103; n++) await store.channels.move('x', n % 2 ? first : second, { now: NOON });
    expect(await store.channels.read('x')).toMatchObject({ version: 103, history: { length: 100 } });
  });

  test('point at snapshots that are there, and have names that are no ids', async () => {
    const { store, first } = await twoSnapshots();
    await expect(store.channels.move('x', '9-0123456789abcdef', { now: NOON })).rejects.toMatchObject({
      code: 'store.not-found',
    });
    for (const name of ['12', '1-ab', '../x', '']) {
      await expect(store.channels.move(name, first, { now: NOON })).rejects.toMatchObject({ code: 'usage.argument' });
    }
    expect(await store.channels.remove('nothing')).toBe(false);
    expect(await store.channels.read('../../store')).toBeUndefined();
  });
});

describe('labels', () => {
  test('are changed by one at a time', async () => {
    const store = await temporaryStore();
    const other = await openStore(store.dir);
    const id = '1-0123456789abcdef';
    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (n % 2 ? store : other).labels.update((labels) => ({ ...labels, tags: { ...labels.tags, [`tag-${n}`]: id } })),
      ),
    );
    expect(Object.keys((await store.labels.read()).tags).length).toBe(10);
  });

  test('take no tag that could be an id, nor ids that are none', async () => {
    const { labels } = await temporaryStore();
    for (const tags of [{ '12': '1-0123456789abcdef' }, { 'a b': '1-0123456789abcdef' }]) {
      await expect(labels.update((old) => ({ ...old, tags }))).rejects.toMatchObject({ code: 'usage.argument' });
    }
    await expect(labels.update((old) => ({ ...old, protected: ['stable'] }))).rejects.toMatchObject({
      code: 'store.corrupt',
    });
    expect(await labels.read()).toEqual({ tags: {}, protected: [], acknowledged: {} });
  });
});

test.each(['store.json', 'heads/debian.json', 'channels/stable.json', 'labels.json'])(
  'each flipped bit of %s is noticed',
  async (name) => {
    const store = await temporaryStore();
    await putMirror(store, 'debian', { a: '1' });
    const { id } = await takeSnapshot(store);
    await store.channels.move('stable', id, { now: NOON });
    await store.labels.update((labels) => ({ ...labels, tags: { golden: id } }));
    const read = async () => {
      const fresh = await openStore(store.dir);
      return [await fresh.heads.list(), await fresh.channels.list(), await fresh.labels.read()];
    };
    await read();
    const file = join(store.dir, name);
    const bytes = await readFile(file);
    for (let at = 0; at < bytes.length; at += 7) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(file, flipped);
      await expect(read(), `byte ${at}`).rejects.toMatchObject({ code: 'store.corrupt' });
    }
  },
);

test('stray files in the folders of documents are passed over', async () => {
  const store = await temporaryStore();
  await mkdir(join(store.dir, 'snapshots', 'lost+found'));
  await writeFile(join(store.dir, 'snapshots', 'notes.json'), 'x');
  expect(await store.snapshots.list()).toEqual([]);
  await putMirror(store, 'debian', { a: '1' });
  const { created } = await store.snapshots.create({ heads: await store.heads.list(), now: NOON, sign: fakeSign });
  expect(created).toBe(true);
});
