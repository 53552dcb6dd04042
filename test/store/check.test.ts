import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkStore, type Finding } from '../../src/store/check.ts';
import { sealDocument } from '../../src/store/documents.ts';
import { loadRoot } from '../../src/store/manifest-format.ts';
import { scrubStore } from '../../src/store/scrub.ts';
import type { Sha256, Store } from '../../src/store/types.ts';
import { fakeVerify, NOON, putMirror, sha256Of, takeSnapshot, temporaryStore } from '../support/temporary-store.ts';

const EVIDENCE = {
  source: 'https://ftp.debian.org/debian bookworm',
  document: sha256Of('release'),
  signature: null,
  keyring: sha256Of('keys'),
  fingerprints: [],
  date: null,
  validUntil: null,
};

/** Two mirrors; the snapshot has an older state of one of them. */
async function setUp(): Promise<{ store: Store; id: string }> {
  const store = await temporaryStore();
  for (const text of ['release', 'keys', 'earlier index']) await store.objects.put([Buffer.from(text)]);
  await putMirror(store, 'debian', { 'pool/a.deb': 'a', 'pool/b.deb': 'b' }, { evidence: [EVIDENCE] });
  await putMirror(store, 'local', { 'pool/c.deb': 'c' });
  const { id } = await takeSnapshot(store);
  await store.channels.move('stable', id, { now: NOON });
  await store.labels.update((labels) => ({ ...labels, tags: { golden: id } }));
  const generations = [[{ path: 'x', sha256: sha256Of('earlier index'), sizeBytes: 13 }]];
  await putMirror(store, 'debian', { 'pool/a.deb': 'a2', 'pool/b.deb': 'b' }, { memory: { generations } });
  return { store, id };
}

const place = (store: Store, sha256: Sha256) => store.objects.localPath?.(sha256) ?? '';

async function overwrite(file: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const bytes = change(await readFile(file));
  await chmod(file, 0o644);
  await writeFile(file, bytes);
}

const flipAt = (at: number) => (bytes: Buffer) => {
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 4;
  return bytes;
};

const check = async (store: Store): Promise<readonly Finding[]> =>
  (await checkStore(store, { verify: fakeVerify })).findings;

test('a sound store has no findings', async () => {
  const { store } = await setUp();
  expect(await checkStore(store, { verify: fakeVerify })).toMatchObject({
    clean: true,
    findings: [],
    snapshots: 1,
    lists: 4,
    unnamed: 0,
    // a, a2, b, c; three roots and chunks; Release, keys, the earlier index
    objects: 13,
  });
  expect(await readdir(join(store.dir, 'tmp'))).toEqual([]);
});

describe('objects', () => {
  test('one that is missing is named with each path, mirror and snapshot', async () => {
    const { store, id } = await setUp();
    await rm(place(store, sha256Of('b')));
    const finding = { kind: 'missing-object', object: sha256Of('b'), path: 'pool/b.deb', mirror: 'debian' };
    expect(await check(store)).toEqual([
      { ...finding, message: expect.stringContaining('head of mirror debian: pool/b.deb') },
      { ...finding, snapshot: id, message: expect.stringContaining(`snapshot ${id}, mirror debian: pool/b.deb`) },
    ]);
  });

  test('one of another size is named with both sizes', async () => {
    const { store, id } = await setUp();
    await overwrite(place(store, sha256Of('c')), () => Buffer.from('ccc'));
    expect(await check(store)).toMatchObject([
      {
        kind: 'wrong-size',
        mirror: 'local',
        path: 'pool/c.deb',
        message: expect.stringContaining('3 bytes, expected 1'),
      },
      { kind: 'wrong-size', mirror: 'local', snapshot: id },
    ]);
  });

  test.each([
    ['evidence of a snapshot', 'release'],
    ['keys', 'keys'],
    ['earlier publications of a head', 'earlier index'],
  ])('%s is missed as well', async (_, content) => {
    const { store } = await setUp();
    await rm(place(store, sha256Of(content)));
    expect(await check(store)).toMatchObject([{ kind: 'missing-object', object: sha256Of(content), mirror: 'debian' }]);
  });

  test('a flipped bit is found by scrub, and from then on by check', async () => {
    const { store, id } = await setUp();
    await overwrite(place(store, sha256Of('a')), flipAt(0));
    expect(await check(store)).toEqual([]);
    const report = await scrubStore(store);
    expect(report).toMatchObject({ complete: true, healed: [] });
    expect(report.bad).toEqual([
      {
        sha256: sha256Of('a'),
        sizeBytes: 1,
        storedAtMs: expect.any(Number),
        reason: `its bytes hash to ${sha256Of('e')}`,
        uses: [{ role: 'file', path: 'pool/a.deb', kind: 'snapshot', holder: id, mirror: 'debian' }],
      },
    ]);
    expect(store.bad.has(sha256Of('a'))).toBe(true);
    expect(await check(store)).toMatchObject([{ kind: 'bad-object', path: 'pool/a.deb', snapshot: id }]);
    await store.objects.put([Buffer.from('a')]);
    await store.objects.flush();
    expect(await check(store)).toEqual([]);
  });
});

describe('lists', () => {
  test.each([0, 70, 1000])('a flipped bit of a chunk (byte %i)', async (at) => {
    const { store, id } = await setUp();
    const head = await store.heads.read('local');
    const root = await loadRoot(store.objects, head?.manifest.root ?? '');
    const chunk = root.table.sha256(0);
    await overwrite(place(store, chunk), flipAt(at));
    expect(await check(store)).toMatchObject([
      { kind: 'manifest', mirror: 'local', message: expect.stringContaining(chunk) },
      { kind: 'manifest', mirror: 'local', snapshot: id },
    ]);
  });

  test('a damaged chunk is marked, so that writing the list again repairs it', async () => {
    const { store } = await setUp();
    const { root } = (await store.heads.read('local'))?.manifest ?? { root: '' };
    const chunk = (await loadRoot(store.objects, root)).table.sha256(0);
    await overwrite(place(store, chunk), flipAt(70));
    await check(store);
    expect(await store.bad.list()).toEqual([chunk]);
    await putMirror(store, 'local', { 'pool/c.deb': 'c' });
    expect(await check(store)).toEqual([]);
    expect(await store.bad.list()).toEqual([]);
  });

  test.each([0, 20, 1000])('a flipped bit of a root (byte %i)', async (at) => {
    const { store, id } = await setUp();
    const [mirror] = (await store.snapshots.read(id))?.document.mirrors ?? [];
    const root = mirror?.manifest.root ?? '';
    await overwrite(place(store, root), flipAt(at));
    expect(await check(store)).toMatchObject([
      { kind: 'manifest', mirror: 'debian', snapshot: id, message: expect.stringContaining(root) },
    ]);
  });

  test('a chunk or a root that is missing', async () => {
    const { store } = await setUp();
    const { root } = (await store.heads.read('debian'))?.manifest ?? { root: '' };
    const chunk = (await loadRoot(store.objects, root)).table.sha256(0);
    await rm(place(store, chunk));
    expect(await check(store)).toMatchObject([{ kind: 'manifest', mirror: 'debian' }]);
    await rm(place(store, root));
    expect(await check(store)).toMatchObject([{ kind: 'manifest', mirror: 'debian' }]);
  });

  test('totals that are not those of the list', async () => {
    const { store } = await setUp();
    const head = await store.heads.read('local');
    if (!head) throw new Error('no head');
    await store.heads.write({ ...head, manifest: { ...head.manifest, bytes: 2 } }, head.manifest.root);
    expect(await check(store)).toMatchObject([{ kind: 'manifest', mirror: 'local' }]);
  });
});

describe('documents', () => {
  test('each flipped bit of a snapshot, its signature and its checksums', async () => {
    const { store, id } = await setUp();
    for (const ending of ['.json', '.json.asc', '.sha256']) {
      const file = join(store.dir, 'snapshots', `${id}${ending}`);
      const good = await readFile(file);
      for (let at = 0; at < good.length; at += 31) {
        await writeFile(file, flipAt(at)(Buffer.from(good)));
        const findings = await check(store);
        expect(findings.length, `${ending} byte ${at}`).toBeGreaterThan(0);
        expect(findings.some(({ kind, snapshot }) => ['snapshot', 'signature'].includes(kind) && snapshot === id)).toBe(
          true,
        );
      }
      await writeFile(file, good);
    }
    expect(await check(store)).toEqual([]);
  });

  test('a signature by somebody else', async () => {
    const { store, id } = await setUp();
    const snapshot = await store.snapshots.read(id);
    await store.snapshots.insert(snapshot?.bytes ?? Buffer.alloc(0), 'another signature\n');
    expect(await check(store)).toMatchObject([{ kind: 'signature', snapshot: id }]);
    expect((await checkStore(store)).findings).toEqual([]);
  });

  test.each(['channels/stable.json', 'labels.json', 'heads/local.json'])('a flipped bit of %s', async (name) => {
    const { store } = await setUp();
    await overwrite(join(store.dir, name), flipAt(40));
    const [finding, ...more] = await check(store);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ kind: name.replace(/s?[./].*/, name.startsWith('labels') ? 's' : '') });
  });

  test('pointers at snapshots that are gone', async () => {
    const { store, id } = await setUp();
    for (const ending of ['.json', '.json.asc', '.sha256']) await rm(join(store.dir, 'snapshots', `${id}${ending}`));
    expect(await check(store)).toMatchObject([
      { kind: 'channel', channel: 'stable', snapshot: id },
      { kind: 'labels', snapshot: id, message: expect.stringContaining('tag golden') },
    ]);
  });

  test('a channel that says it is another', async () => {
    const { store } = await setUp();
    const channel = await store.channels.read('stable');
    await writeFile(join(store.dir, 'channels', 'lab.json'), sealDocument({ ...channel }));
    expect(await check(store)).toMatchObject([{ kind: 'channel', channel: 'lab' }]);
  });
});

test('can be stopped', async () => {
  const { store } = await setUp();
  await expect(checkStore(store, {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  expect(await readdir(join(store.dir, 'tmp'))).toEqual([]);
});
