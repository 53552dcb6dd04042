import { execFileSync } from 'node:child_process';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { importBundle } from '../../src/bundle/import.ts';
import type { CarriedRoot } from '../../src/bundle/prepare.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { checkStore } from '../../src/store/check.ts';
import { initStore, openStore } from '../../src/store/store.ts';
import { type BundlePair, contentOf, filesBelow, makePair } from '../support/bundle-pair.ts';
import { flipBit } from '../support/corrupt.ts';
import { randomFiles } from '../support/random-files.ts';
import { EPOCH, setMirror, takeSnapshot } from '../support/sender-store.ts';
import { sha256Of } from '../support/temporary-store.ts';

async function sent(): Promise<BundlePair> {
  const pair = await makePair();
  await setMirror(pair.sender.store, 'debian', {
    ...randomFiles(80, 8000),
    large: randomFiles(1, 150_000).f0 ?? '',
  });
  await takeSnapshot(pair.sender, 1, 'stable');
  await pair.send();
  return pair;
}

test('stopped at any point nothing is visible, and the same command goes on with what is held', async () => {
  const pair = await sent();
  const whole = await contentOf(pair.sender.store, 'stable', 'debian');
  const read: number[] = [];
  for (const stopAfter of [1, 20, 30, 10]) {
    const controller = new AbortController();
    const onEvent = (event: ProgressEvent): void => {
      if (event.type === 'phase' && event.phase === 'import') read.push(event.bytes ?? 0);
      if (event.type === 'advance' && event.files >= stopAfter) controller.abort();
    };
    const run = importBundle(pair.importDeps, { from: [pair.path('media')] }, { signal: controller.signal, onEvent });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(await pair.receiver.store.snapshots.list()).toEqual([]);
    expect(await pair.receiver.store.heads.list()).toEqual([]);
    // What a kill would lose is what was not flushed yet; what is durable is not read again.
    await pair.receiver.store.objects.flush();
  }
  expect(read).toEqual([...read].sort((a, b) => b - a));
  expect(read.at(-1)).toBeLessThan(read[0] ?? 0);
  expect(await pair.take()).toMatchObject({ imported: true });
  expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toEqual(whole);
  expect(await readdir(join(pair.receiver.store.dir, 'partial'))).toEqual([]);
});

test('a volume with damage: all else is taken, another copy of the volume supplies the rest', async () => {
  const pair = await sent();
  const [folder = ''] = (await readdir(pair.path('media'))).map((name) => pair.path('media', name));
  await cp(folder, pair.path('copy'), { recursive: true });
  await flipBit(join(folder, 'pack-0001.tar'), 600);
  await flipBit(join(pair.path('copy'), 'pack-0001.tar'), 30_000);
  const failed = await pair.take().catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'bundle.damaged', details: { damage: [{ volume: 1, file: 'pack-0001.tar' }] } });
  // Each copy is damaged elsewhere: together they are whole.
  expect(await pair.take({ from: [pair.path('media'), pair.path('copy')] })).toMatchObject({ imported: true });
  expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toEqual(
    await contentOf(pair.sender.store, 'stable', 'debian'),
  );
});

test('an object that the receiver knows as damaged is taken again', async () => {
  const pair = await sent();
  await pair.take();
  const { store } = pair.receiver;
  const { sha256 } = await store.objects.put([randomFiles(80, 8000).f9 ?? Buffer.alloc(0)]);
  await flipBit(store.objects.localPath?.(sha256) ?? '', 3);
  await store.bad.add(sha256);
  const again = await pair.take();
  expect(again).toMatchObject({ imported: false });
  expect(again.newBytes).toBe(randomFiles(80, 8000).f9?.length);
  expect(store.bad.has(sha256)).toBe(false);
  expect(await contentOf(store, 'stable', 'debian')).toEqual(await contentOf(pair.sender.store, 'stable', 'debian'));
});

test('an older bundle brings back what a newer one does not carry, and moves nothing', async () => {
  const pair = await sent();
  await pair.take();
  await setMirror(pair.sender.store, 'debian', { ...randomFiles(80, 8000), more: 'more' });
  const { id } = await takeSnapshot(pair.sender, 2, 'stable');
  const [first = ''] = await pair.sender.store.snapshots.list();
  await pair.send({ to: pair.path('newer'), base: { snapshot: first } });
  await pair.take({ from: [pair.path('newer')] });
  const { store } = pair.receiver;
  await store.objects.remove(sha256Of(randomFiles(80, 8000).f9 ?? ''));
  expect((await checkStore(store)).clean).toBe(false);
  expect(await pair.take()).toMatchObject({ imported: false, channels: [], heads: [] });
  expect((await checkStore(store)).clean).toBe(true);
  expect((await store.channels.read('stable'))?.snapshot).toBe(id);
});

test('a bundle of its own brings back what the sender lost, and nothing else', async () => {
  const pair = await sent();
  const { store } = pair.sender;
  const deps = {
    ...pair.importDeps,
    store,
    followRoots: (id: string, roots: readonly CarriedRoot[]) => pair.senderRoots.follow(id, roots),
  };
  const from = { from: [pair.path('media')] };
  expect(await importBundle(deps, from, {})).toMatchObject({ imported: false, newBytes: 0 });
  const lost = randomFiles(80, 8000).f9 ?? '';
  await store.objects.remove(sha256Of(lost));
  expect(await importBundle(deps, from, {})).toMatchObject({ imported: false, channels: [], newBytes: lost.length });
  expect((await checkStore(store)).clean).toBe(true);
  const [id = ''] = await store.snapshots.list();
  await store.channels.remove('stable');
  await store.snapshots.delete(id);
  await expect(importBundle(deps, from, {})).rejects.toMatchObject({ code: 'bundle.audience' });
});

describe('what the dark side made itself', () => {
  test('a mirror of its own by the same name keeps its head; other channels stay where they are', async () => {
    const pair = await sent();
    const { store } = pair.receiver;
    await setMirror(store, 'debian', { own: 'own' });
    const own = await takeSnapshot(pair.receiver, 0, 'ours');
    expect(await pair.take()).toMatchObject({ keptHeads: ['debian'], heads: [] });
    expect((await store.channels.read('ours'))?.snapshot).toBe(own.id);
    expect(await contentOf(store, 'ours', 'debian')).toEqual({ own: 'own' });
    expect((await store.heads.read('debian'))?.memory).toEqual({});
  });

  test('imported heads follow the next bundle, and can be put in a snapshot of its own', async () => {
    const pair = await sent();
    await pair.take();
    const { store } = pair.receiver;
    await setMirror(store, 'local', { 'own.deb': 'own' });
    await takeSnapshot(pair.receiver, 3, 'both');
    expect(Object.keys(await contentOf(store, 'both', 'debian'))).toHaveLength(81);
    await setMirror(pair.sender.store, 'debian', { a: 'newer' });
    await takeSnapshot(pair.sender, 4, 'stable');
    await pair.send({ to: pair.path('newer') });
    expect(await pair.take({ from: [pair.path('newer')] })).toMatchObject({ heads: ['debian'], keptHeads: [] });
    expect(await contentOf(store, 'stable', 'debian')).toEqual({ a: 'newer' });
    expect(Object.keys(await contentOf(store, 'both', 'debian'))).toHaveLength(81);
  });
});

test('too little space on the dark side is said before the first pack; when it runs out, what came stays', async () => {
  const pair = await sent();
  const disk = pair.path('dark-disk');
  execFileSync('mkdir', [disk]);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  let store = await initStore(join(disk, 'store'), { now: EPOCH });
  const deps = { ...pair.importDeps, store };
  await writeFile(join(disk, 'filler'), Buffer.alloc(7_900_000));
  await expect(importBundle(deps, { from: [pair.path('media')] }, {})).rejects.toMatchObject({
    code: 'store.no-space',
  });
  await rm(join(disk, 'filler'));
  const onEvent = (event: ProgressEvent): void => {
    if (event.type !== 'advance' || event.files !== 20) return;
    try {
      execFileSync('sh', ['-c', `cat /dev/zero > ${join(disk, 'filler')} 2>/dev/null; true`]);
    } catch {}
  };
  await expect(importBundle(deps, { from: [pair.path('media')] }, { onEvent })).rejects.toMatchObject({
    code: 'store.no-space',
  });
  await store.close().catch(() => undefined);
  await rm(join(disk, 'filler'));
  store = await openStore(join(disk, 'store'));
  expect(await store.snapshots.list()).toEqual([]);
  expect(await importBundle({ ...deps, store }, { from: [pair.path('media')] }, {})).toMatchObject({ imported: true });
  expect(await contentOf(store, 'stable', 'debian')).toEqual(await contentOf(pair.sender.store, 'stable', 'debian'));
  await store.close();
});

test('media are read in place and not written to', async () => {
  const pair = await sent();
  const before = await filesBelow(pair.path('media'));
  execFileSync('chmod', ['-R', 'a-w', pair.path('media')]);
  await pair.take();
  execFileSync('chmod', ['-R', 'u+w', pair.path('media')]);
  expect(await filesBelow(pair.path('media'))).toEqual(before);
});
