import { expect, test } from 'vitest';
import { storeStats } from '../../src/store/stats.ts';
import { putMirror, takeSnapshot, temporaryStore } from '../support/temporary-store.ts';

test('counts what is logical, physical, shared, unnamed, and what each deletion frees', async () => {
  const store = await temporaryStore();
  await putMirror(store, 'debian', { a: 'x'.repeat(1000), b: 'y'.repeat(100) });
  const first = await takeSnapshot(store);
  await putMirror(store, 'debian', { a: 'z'.repeat(3000), b: 'y'.repeat(100), c: 'y'.repeat(100) });
  const second = await takeSnapshot(store);
  await store.objects.put([Buffer.alloc(7)]);
  await store.objects.flush();
  const stats = await storeStats(store);
  expect(stats.logical).toEqual({ files: 8, bytes: 1100 + 3200 + 3200 });
  // Head and second snapshot name the same: only the first has something alone.
  const only = stats.holders.find((one) => one.holder === first.id);
  expect(only).toMatchObject({ kind: 'snapshot', files: 2, bytes: 1100, frees: { objects: 3 } });
  const listBytes = (only?.frees.bytes ?? 0) - 1000;
  expect(listBytes).toBeGreaterThan(200);
  for (const holder of [second.id, 'debian']) {
    expect(stats.holders.find((one) => one.holder === holder)).toMatchObject({
      files: 3,
      bytes: 3200,
      frees: { objects: 0, bytes: 0 },
    });
  }
  expect(stats.unnamed).toEqual({ objects: 1, bytes: 7 });
  expect(stats.shared.objects).toBe(4);
  expect(stats.physical.objects).toBe(8);
  expect(stats.physical.bytes).toBe(stats.shared.bytes + stats.unnamed.bytes + 1000 + listBytes);
});

test('an empty store has nothing', async () => {
  const none = { objects: 0, bytes: 0 };
  expect(await storeStats(await temporaryStore())).toEqual({
    logical: { files: 0, bytes: 0 },
    physical: none,
    shared: none,
    unnamed: none,
    holders: [],
  });
});
