import { chmod, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { ProgressEvent } from '../../src/progress.ts';
import { napFor, scrubStore } from '../../src/store/scrub.ts';
import type { Store } from '../../src/store/types.ts';
import { putMirror, sha256Of, temporaryStore } from '../support/temporary-store.ts';

async function setUp(): Promise<Store> {
  const store = await temporaryStore();
  const contents = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`file-${n}`, `content ${n}`]));
  await putMirror(store, 'debian', contents);
  return store;
}

async function damage(store: Store, content: string, bytes: string): Promise<void> {
  const file = store.objects.localPath?.(sha256Of(content)) ?? '';
  await chmod(file, 0o644);
  await writeFile(file, bytes);
}

test('says how far it is', async () => {
  const store = await setUp();
  const events: ProgressEvent[] = [];
  const report = await scrubStore(store, {}, { onEvent: (event) => events.push(event) });
  expect(report).toMatchObject({ complete: true, objects: 52, bad: [], healed: [] });
  expect(events).toContainEqual({ type: 'phase', phase: 'scrub', files: 52, bytes: report.bytes });
  expect(events.at(-1)).toEqual({ type: 'advance', files: 52, bytes: report.bytes });
});

test('goes on where it was stopped, and says what it found since', async () => {
  const store = await setUp();
  for (let n = 0; n < 50; n++) await damage(store, `content ${n}`, 'x');
  const seen: string[] = [];
  let runs = 0;
  for (;;) {
    const report = await scrubStore(store, { maxBytes: 10 });
    seen.push(...report.bad.map(({ sha256 }) => sha256));
    runs += 1;
    if (report.complete) break;
  }
  expect(runs).toBeGreaterThan(3);
  expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => sha256Of(`content ${n}`)).sort());
  expect(await store.bad.list()).toEqual(seen);
  expect((await scrubStore(store)).bad.length).toBe(50);
});

test('keeps what it did when it is stopped by a signal', async () => {
  const store = await setUp();
  const stop = new AbortController();
  const onEvent = (event: ProgressEvent) => {
    if (event.type === 'advance' && event.files === 20) stop.abort();
  };
  await expect(scrubStore(store, {}, { signal: stop.signal, onEvent })).rejects.toMatchObject({ code: 'cancelled' });
  const events: ProgressEvent[] = [];
  const rest = await scrubStore(store, {}, { onEvent: (event) => events.push(event) });
  expect(events.filter(({ type }) => type === 'advance').length).toBe(32);
  expect(rest.objects).toBe(52);
  expect(await scrubStore(store, { restart: true })).toMatchObject({ objects: 52 });
});

test('lifts the mark of what is sound again', async () => {
  const store = await setUp();
  await store.bad.add(sha256Of('content 7'));
  expect((await scrubStore(store)).healed).toEqual([sha256Of('content 7')]);
  expect(await store.bad.list()).toEqual([]);
});

test('damage that no list names has no uses', async () => {
  const store = await setUp();
  await store.objects.put([Buffer.from('stray')]);
  await store.objects.flush();
  await damage(store, 'stray', 'stras');
  expect((await scrubStore(store)).bad).toMatchObject([{ sha256: sha256Of('stray'), uses: [] }]);
});

test('rests as long as the rate demands', () => {
  expect(napFor(1_000_000, 1_000_000, 0)).toBe(1000);
  expect(napFor(1_000_000, 500_000, 1500)).toBe(500);
  expect(napFor(1_000_000, 1_000_000, 990)).toBe(0);
  expect(napFor(1_000_000, 1_000_000, 5000)).toBe(0);
});

test('with a rate it reads all the same', async () => {
  const store = await setUp();
  expect(await scrubStore(store, { bytesPerSecond: 1e9 })).toMatchObject({ complete: true, objects: 52 });
});
