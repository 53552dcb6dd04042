import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkStore } from '../../src/store/check.ts';
import { runGc } from '../../src/store/gc.ts';
import { SYNC_ALL_FROM } from '../../src/store/object-batch.ts';
import { initStore, openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import { fakeVerify, NOON, putMirror, sha256Of, takeSnapshot, temporaryFolder } from '../support/temporary-store.ts';
import { UnreliableDisk } from '../support/unreliable-disk.ts';

/** Each step when there is time, every seventh from a random one on otherwise; a failure names its step. */
const STRIDE = process.env.KUBEDOS_TEST_FULL ? 1 : 7;
const LATER = new Date('2026-04-01T12:00:00Z');

/** A store with a snapshot in a channel, in a folder that is copied for each crash. */
async function baseStore(): Promise<string> {
  const dir = join(await temporaryFolder(), 'base');
  const store = await initStore(dir, { now: NOON });
  await putMirror(store, 'debian', { a: 'old', b: 'kept' });
  const { id } = await takeSnapshot(store);
  await store.channels.move('stable', id, { now: NOON });
  await putMirror(store, 'debian', { a: 'between', b: 'kept' });
  await takeSnapshot(store);
  await store.close();
  return dir;
}

/** What a state of the store looks like to a reader. */
async function stateOf(store: Store): Promise<unknown> {
  const channel = await store.channels.read('stable');
  return {
    head: (await store.heads.read('debian'))?.manifest.root,
    snapshots: await store.snapshots.list(),
    channel: channel?.snapshot,
    tags: (await store.labels.read()).tags,
  };
}

/** Everything that changes a store, one step after the other; may be begun again at any point. */
async function changeEverything(store: Store): Promise<void> {
  await putMirror(store, 'debian', { a: 'new', b: 'kept', c: 'more' });
  const snapshot = await takeSnapshot(store, LATER);
  await store.channels.move('stable', snapshot.id, { now: LATER });
  await store.labels.update((labels) => ({ ...labels, tags: { golden: snapshot.id } }));
  for (const id of await store.snapshots.list()) if (id !== snapshot.id) await store.snapshots.delete(id);
  await runGc(store, { now: new Date(Date.now() + 1000), graceMs: 0 });
}

async function crashAt(base: string, step: number, disk: 'killed' | 'power cut'): Promise<boolean> {
  const dir = join(await temporaryFolder(), 'store');
  await cp(base, dir, { recursive: true });
  const unreliable = new UnreliableDisk(step);
  const store = await openStore(dir, { files: unreliable.files }).catch(() => undefined);
  const ended = store
    ? await changeEverything(store).then(
        () => true,
        () => false,
      )
    : false;
  if (ended && !unreliable.stopped) return false;
  await store?.close().catch(() => undefined);
  if (disk === 'power cut') unreliable.loseUnsynced();

  const reopened = await openStore(dir, { files: new UnreliableDisk().files });
  const report = await checkStore(reopened, { verify: fakeVerify });
  expect(report.findings, `${disk} at step ${step}`).toEqual([]);
  expect(await stateOf(reopened)).toMatchObject({ head: expect.any(String), channel: expect.any(String) });
  await changeEverything(reopened);
  expect((await checkStore(reopened, { verify: fakeVerify })).clean).toBe(true);
  expect((await reopened.snapshots.list()).length).toBe(1);
  expect((await reopened.objects.read(await hashOf(reopened, 'a'), 10))?.toString()).toBe('new');
  await reopened.close();
  return true;
}

async function hashOf(store: Store, path: string): Promise<string> {
  const { lookupPath } = await import('../../src/store/manifest.ts');
  const [mirror] = (await store.snapshots.resolve('stable')).document.mirrors;
  return (await lookupPath(store.objects, mirror?.manifest.root ?? '', path))?.sha256 ?? '';
}

test.each(['killed', 'power cut'] as const)(
  '%s at any step, the store is whole and the same commands finish',
  async (disk) => {
    const base = await baseStore();
    let step = 1 + Math.floor(Math.random() * STRIDE);
    while (await crashAt(base, step, disk)) step += STRIDE;
    // One step for each change: were it a handful, the disk would not have been watched.
    expect(step).toBeGreaterThan(80);
  },
  120_000,
);

test('a power cut while many objects are made durable together: what is in its place is whole', async () => {
  const texts = Array.from({ length: SYNC_ALL_FROM }, (_, index) => `object ${index}`);
  let steps = 0;
  for (let step = 1 + Math.floor(Math.random() * STRIDE); ; step += STRIDE) {
    const dir = join(await temporaryFolder(), 'store');
    await (await initStore(dir, { now: NOON })).close();
    const disk = new UnreliableDisk(step);
    const store = await openStore(dir, { files: disk.files });
    const ended = await Promise.all(texts.map((text) => store.objects.put([Buffer.from(text)])))
      .then(() => store.objects.flush())
      .then(
        () => true,
        () => false,
      );
    disk.loseUnsynced();
    const reopened = await openStore(dir);
    let found = 0;
    for await (const { sha256 } of reopened.objects.list()) {
      const bytes = await reopened.objects.read(sha256, 100);
      expect(sha256Of(bytes?.toString() ?? ''), `at step ${step}`).toBe(sha256);
      found += 1;
    }
    if (ended && !disk.stopped) {
      expect(found).toBe(SYNC_ALL_FROM);
      break;
    }
    steps += 1;
  }
  expect(steps).toBeGreaterThan((2 * SYNC_ALL_FROM) / STRIDE);
});

test('killed while a store is made, making it again succeeds', async () => {
  for (let step = 1; ; step++) {
    const dir = join(await temporaryFolder(), 'store');
    const disk = new UnreliableDisk(step);
    const made = await initStore(dir, { now: NOON, files: disk.files }).catch(() => undefined);
    if (made && !disk.stopped) break;
    disk.loseUnsynced();
    const again = await initStore(dir, { now: NOON }).catch(() => openStore(dir));
    await putMirror(again, 'debian', { a: '1' });
    await again.close();
  }
});
