import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/store/canonical-json.ts';
import { checkStore } from '../../src/store/check.ts';
import { snapshotId } from '../../src/store/snapshot-document.ts';
import type { Store } from '../../src/store/types.ts';
import {
  entriesOf,
  fakeSign,
  NOON,
  putMirror,
  sha256Of,
  takeSnapshot,
  temporaryStore,
} from '../support/temporary-store.ts';

async function sequenceOf(count: number): Promise<{ store: Store; ids: string[] }> {
  const store = await temporaryStore();
  const ids: string[] = [];
  for (let n = 1; n <= count; n++) {
    await putMirror(store, 'debian', { a: String(n) });
    ids.push((await takeSnapshot(store)).id);
  }
  return { store, ids };
}

test('the signed bytes are canonical JSON, named by sequence and hash', async () => {
  const store = await temporaryStore();
  const evidence = {
    source: 'https://ftp.debian.org/debian bookworm',
    document: sha256Of('InRelease'),
    signature: null,
    keyring: null,
    fingerprints: ['A'.repeat(40)],
    date: '2026-02-28T00:00:00Z',
    validUntil: null,
  };
  await store.objects.put([Buffer.from('InRelease')]);
  const security = await putMirror(store, 'security', { b: '2' });
  const debian = await putMirror(store, 'debian', { a: '1' }, { kind: 'apt', evidence: [evidence] });
  const { snapshot, created } = await store.snapshots.create({
    heads: [security, debian],
    now: new Date('2026-03-01T12:00:00.789Z'),
    sign: fakeSign,
    note: 'before the move',
  });
  expect(created).toBe(true);
  const document = {
    format: 'kubedos-snapshot/1',
    store: store.identity.id,
    sequence: 1,
    time: '2026-03-01T12:00:00Z',
    parent: null,
    note: 'before the move',
    mirrors: [
      { name: 'debian', kind: 'apt', form: 'verbatim', manifest: debian.manifest, evidence: [evidence] },
      { name: 'security', kind: 'files', form: 'verbatim', manifest: security.manifest, evidence: [] },
    ],
  };
  const bytes = `${canonicalJson(document)}\n`;
  expect(snapshot.document).toEqual(document);
  expect(snapshot.bytes.toString()).toBe(bytes);
  expect(snapshot.id).toBe(`1-${sha256Of(bytes).slice(0, 16)}`);
  expect(snapshot.signature).toBe(await fakeSign(Buffer.from(bytes)));
  const file = join(store.dir, 'snapshots', snapshot.id);
  expect(await readFile(`${file}.json`, 'utf8')).toBe(bytes);
  expect(await readFile(`${file}.json.asc`, 'utf8')).toBe(snapshot.signature);
  expect(await readFile(`${file}.sha256`, 'utf8')).toBe(
    `${sha256Of(bytes)}  ${snapshot.id}.json\n${sha256Of(snapshot.signature)}  ${snapshot.id}.json.asc\n`,
  );
  expect(await store.snapshots.read(snapshot.id)).toEqual(snapshot);
});

test('numbers grow, parents are named, and nothing new makes no snapshot', async () => {
  const { store, ids } = await sequenceOf(3);
  expect(ids.map((id) => Number.parseInt(id, 10))).toEqual([1, 2, 3]);
  expect((await store.snapshots.read(ids[2] ?? ''))?.document.parent).toBe(ids[1]);
  const heads = await store.heads.list();
  const again = await store.snapshots.create({ heads, now: new Date('2027-01-01'), sign: fakeSign });
  expect([again.created, again.snapshot.id]).toEqual([false, ids[2]]);
  expect(await store.snapshots.list()).toEqual(ids);
});

test('a number is not used again, though its snapshot is deleted', async () => {
  const { store, ids } = await sequenceOf(3);
  for (const id of ids) await store.snapshots.delete(id);
  expect(await store.snapshots.list()).toEqual([]);
  expect((await takeSnapshot(store)).id).toMatch(/^4-/);
});

test('many that are made at once get numbers of their own', async () => {
  const store = await temporaryStore();
  const heads = [];
  for (let n = 0; n < 8; n++) heads.push(await putMirror(store, `mirror-${n}`, { a: String(n) }));
  const made = await Promise.all(
    heads.map((head) => store.snapshots.create({ heads: [head], now: NOON, sign: fakeSign })),
  );
  expect(made.map(({ snapshot }) => snapshot.document.sequence).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a list that is not in the store is not taken', async () => {
  const store = await temporaryStore();
  const head = await putMirror(store, 'debian', { a: '1' });
  const absent = { ...head, manifest: { ...head.manifest, root: sha256Of('absent') } };
  await expect(store.snapshots.create({ heads: [absent], now: NOON, sign: fakeSign })).rejects.toMatchObject({
    code: 'store.not-found',
  });
  expect(await store.snapshots.list()).toEqual([]);
});

test('a signature that fails leaves nothing', async () => {
  const store = await temporaryStore();
  const heads = [await putMirror(store, 'debian', { a: '1' })];
  const failure = new Error('wrong passphrase');
  const sign = () => Promise.reject(failure);
  await expect(store.snapshots.create({ heads, now: NOON, sign })).rejects.toBe(failure);
  expect(await store.snapshots.list()).toEqual([]);
});

test('snapshots of other stores are filed beside the own ones, once', async () => {
  const { store, ids } = await sequenceOf(2);
  const foreign = await sequenceOf(2);
  for (const id of [...foreign.ids, ...foreign.ids]) {
    const snapshot = await foreign.store.snapshots.read(id);
    if (!snapshot) throw new Error('no snapshot');
    expect(await store.snapshots.insert(snapshot.bytes, snapshot.signature)).toEqual(snapshot);
  }
  const expected = store.identity.id < foreign.store.identity.id ? [...ids, ...foreign.ids] : [...foreign.ids, ...ids];
  expect(await store.snapshots.list()).toEqual(expected);
  await putMirror(store, 'debian', { a: 'own' });
  expect(await takeSnapshot(store)).toMatchObject({ document: { sequence: 3, parent: ids[1] } });
  await expect(store.snapshots.resolve('2')).rejects.toMatchObject({
    code: 'store.not-found',
    message: expect.stringContaining(`${foreign.ids[1]}`),
  });
});

test('bytes that are no snapshot are not filed', async () => {
  const { store, ids } = await sequenceOf(1);
  const snapshot = await store.snapshots.read(ids[0] ?? '');
  const text = snapshot?.bytes.toString() ?? '';
  const refused = async (bytes: string, code = 'store.corrupt') =>
    expect(store.snapshots.insert(Buffer.from(bytes), 's')).rejects.toMatchObject({ code });
  await refused('');
  await refused(text.trimEnd());
  await refused(text.replace('{', '{ '));
  await refused(text.replace('"sequence":1', '"sequence":0'));
  await refused(text.replace('"note":null,', ''));
  await refused(text.replace('kubedos-snapshot/1', 'kubedos-snapshot/2'), 'store.version');
  await refused(text.replace(/"root":"[0-9a-f]{64}"/, `"root":"${sha256Of('absent')}"`), 'store.not-found');
  const later = `${text.slice(0, -2)},"zz-new":1}\n`;
  expect((await store.snapshots.insert(Buffer.from(later), 's')).bytes.toString()).toBe(later);
});

test('is found by id, number, prefix, tag and channel', async () => {
  const { store, ids } = await sequenceOf(12);
  const [first = '', second = ''] = ids;
  await store.labels.update((labels) => ({ ...labels, tags: { golden: second } }));
  await store.channels.move('stable', first, { now: NOON });
  const found = async (reference: string) => (await store.snapshots.resolve(reference)).id;
  expect(await found(first)).toBe(first);
  expect(await found('1')).toBe(first);
  expect(await found('12')).toBe(ids[11]);
  expect(await found(second.slice(0, 6))).toBe(second);
  expect(await found('golden')).toBe(second);
  expect(await found('stable')).toBe(first);
  for (const none of ['13', '1-zz', 'nothing', '', '../1', 'toString', '1-0000000000000000']) {
    await expect(store.snapshots.resolve(none), none).rejects.toMatchObject({ code: 'store.not-found' });
  }
});

test('is not deleted while something holds it', async () => {
  const { store, ids } = await sequenceOf(4);
  const [byChannel = '', byHand = '', byReceipt = '', tagged = ''] = ids;
  await store.channels.move('stable', byChannel, { now: NOON });
  await store.labels.update(() => ({
    tags: { golden: tagged },
    protected: [byHand],
    acknowledged: { 'dark-1': byReceipt },
  }));
  for (const id of [byChannel, byHand, byReceipt]) {
    await expect(store.snapshots.delete(id)).rejects.toMatchObject({ code: 'store.protected' });
    expect(await store.snapshots.read(id)).toBeDefined();
  }
  await expect(store.snapshots.delete('9-0123456789abcdef')).rejects.toMatchObject({ code: 'store.not-found' });
  await store.snapshots.delete(tagged);
  expect((await store.labels.read()).tags).toEqual({});
  await store.channels.move('stable', byHand, { now: NOON });
  await store.snapshots.delete(byChannel);
  expect(await store.snapshots.list()).toEqual([byHand, byReceipt]);
});

test('a damaged one does not hide the others', async () => {
  const { store, ids } = await sequenceOf(3);
  const file = join(store.dir, 'snapshots', `${ids[1]}.json`);
  const bytes = await readFile(file);
  const digitOfTheFormat = bytes.indexOf('kubedos-snapshot/1') + 'kubedos-snapshot/'.length;
  for (const at of [0, 10, digitOfTheFormat, 100, bytes.length - 2, bytes.length - 1]) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    await writeFile(file, flipped);
    await expect(store.snapshots.read(ids[1] ?? '')).rejects.toMatchObject({ code: 'store.corrupt' });
    expect((await store.snapshots.list()).toSorted()).toEqual(ids);
    expect((await store.snapshots.resolve('3')).id).toBe(ids[2]);
  }
  await writeFile(file, bytes);
  await rm(`${file}.asc`);
  await expect(store.snapshots.read(ids[1] ?? '')).rejects.toMatchObject({ code: 'store.corrupt' });
});

test('one of a newer kubedos does not hide the others', async () => {
  const { store, ids } = await sequenceOf(2);
  const bytes = Buffer.from('{"format":"kubedos-snapshot/2"}\n');
  const newer = snapshotId(9, bytes);
  await writeFile(join(store.dir, 'snapshots', `${newer}.json`), bytes);
  await expect(store.snapshots.read(newer)).rejects.toMatchObject({ code: 'store.version' });
  expect((await store.snapshots.list()).toSorted()).toEqual([...ids, newer]);
  expect((await store.snapshots.resolve('2')).id).toBe(ids[1]);
  const { findings } = await checkStore(store);
  expect(findings).toMatchObject([
    { kind: 'snapshot', snapshot: newer, message: expect.stringContaining('newer than this kubedos') },
  ]);
  await putMirror(store, 'debian', { a: '3' });
  expect((await takeSnapshot(store)).document).toMatchObject({ sequence: 10, parent: ids[1] });
});

test('adds its own documents and nothing else', async () => {
  const { store } = await sequenceOf(1);
  await putMirror(store, 'debian', Object.fromEntries(entriesOf({ x: '' }).map(({ path }) => [path, 'new'])));
  const before = await objectCount(store);
  const { bytes } = await takeSnapshot(store);
  expect(await objectCount(store)).toBe(before);
  expect(bytes.length).toBeLessThan(1000);
});

async function objectCount(store: Store): Promise<number> {
  let count = 0;
  for await (const _ of store.objects.list()) count += 1;
  return count;
}
