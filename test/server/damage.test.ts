import { chmod, truncate, unlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ManifestEntry } from '../../src/store/types.ts';
import { ServedStore } from '../support/served-store.ts';

const SMALL = 'pool/small.deb';
const LARGE = 'pool/large.deb';
const LARGE_BYTES = 3_000_000;

let served: ServedStore;
beforeEach(async () => {
  served = await ServedStore.make();
  await served.release(
    'stable',
    { debian: { [SMALL]: 'small', [LARGE]: Buffer.alloc(LARGE_BYTES, 1) } },
    '2026-05-01T00:00:00Z',
  );
});
afterEach(() => served.close());

async function entryOf(path: string): Promise<ManifestEntry> {
  const root = (await served.store.heads.read('debian'))?.manifest.root ?? '';
  const entry = await served.manifests.lookup(root, path);
  if (entry === undefined) throw new Error(`no ${path}`);
  return entry;
}

async function fileOf(path: string): Promise<string> {
  const file = served.store.objects.localPath?.((await entryOf(path)).sha256) ?? '';
  await chmod(file, 0o644);
  return file;
}

describe.each([SMALL, LARGE])('%s', (path) => {
  test.each([
    ['missing', (file: string) => unlink(file), /is missing/],
    ['cut short', (file: string) => truncate(file, 2), /has 2 bytes/],
    ['too long', (file: string) => truncate(file, 10_000_000), /has 10000000 bytes|10000000 bytes, expected/],
  ])('%s: 500, the reason in the log, marked as bad', async (_, harm, reason) => {
    await harm(await fileOf(path));
    const app = await served.app();
    const response = await app.hono.request(`/c/stable/debian/${path}`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain((await entryOf(path)).sha256);
    const log = served.log.map(({ message }) => message).join('\n');
    expect(log).toMatch(reason);
    expect(log).toContain(`serve ${path}: object ${(await entryOf(path)).sha256}`);
    await vi.waitFor(async () => expect(served.store.bad.has((await entryOf(path)).sha256)).toBe(true));
  });

  test('known as bad: 500 for GET and HEAD, also after it was served from memory', async () => {
    const app = await served.app();
    const sound = await app.hono.request(`/c/stable/debian/${path}`);
    expect([sound.status, (await sound.arrayBuffer()).byteLength]).toEqual([200, (await entryOf(path)).sizeBytes]);
    await served.store.bad.add((await entryOf(path)).sha256);
    expect((await app.hono.request(`/c/stable/debian/${path}`)).status).toBe(500);
    expect((await app.hono.request(`/c/stable/debian/${path}`, { method: 'HEAD' })).status).toBe(500);
    await served.store.bad.clear((await entryOf(path)).sha256);
    const again = await app.hono.request(`/c/stable/debian/${path}`);
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  test('gone with its deleted snapshot: 404 and no damage', async () => {
    const app = await served.app();
    const old = (await served.store.snapshots.list())[0] ?? '';
    const { sha256 } = await entryOf(path);
    expect((await app.hono.request(`/s/${old}/debian/${path}`, { method: 'HEAD' })).status).toBe(200);
    await served.release('stable', { debian: { x: 'y' } }, '2026-05-02T00:00:00Z');
    await served.store.snapshots.delete(old);
    await served.store.objects.remove(sha256);
    expect((await app.hono.request(`/s/${old}/debian/${path}`)).status).toBe(404);
    expect(served.store.bad.has(sha256)).toBe(false);
  });
});

test('a flipped bit in a small object is never served', async () => {
  await writeFile(await fileOf(SMALL), 'smalm');
  const app = await served.app();
  expect((await app.hono.request(`/c/stable/debian/${SMALL}`)).status).toBe(500);
  expect(served.log.map(({ message }) => message).join('\n')).toMatch(/its bytes hash to/);
  await vi.waitFor(async () => expect(served.store.bad.has((await entryOf(SMALL)).sha256)).toBe(true));
});

test('a hook that fails is a line in the log', async () => {
  await unlink(await fileOf(SMALL));
  const app = await served.app({ onDamage: () => Promise.reject(new Error('read-only disk')) });
  expect((await app.hono.request(`/c/stable/debian/${SMALL}`)).status).toBe(500);
  await vi.waitFor(() => expect(served.log.some(({ message }) => message.includes('read-only disk'))).toBe(true));
});

test('a file that shrinks while it is sent breaks the connection and is reported', async () => {
  const { url } = await served.listen();
  const file = await fileOf(LARGE);
  const { sha256 } = await entryOf(LARGE);
  // Opened when the size is still right; the client reads slowly, so that the end is not read yet.
  const big = Buffer.alloc(60_000_000, 7);
  await served.release('big', { big: { 'pool/big.deb': big } }, '2026-05-03T00:00:00Z');
  const root = (await served.store.heads.read('big'))?.manifest.root ?? '';
  const entry = await served.manifests.lookup(root, 'pool/big.deb');
  const place = served.store.objects.localPath?.(entry?.sha256 ?? '') ?? '';
  await chmod(place, 0o644);
  const response = await fetch(`${url}/c/big/big/pool/big.deb`);
  await truncate(place, 1_000_000);
  await expect(response.arrayBuffer()).rejects.toThrow();
  await vi.waitFor(() => expect(served.store.bad.has(entry?.sha256 ?? '')).toBe(true));
  expect(served.store.bad.has(sha256)).toBe(false);
  expect(file).not.toBe(place);
});

test('a damaged manifest is a 500 with the reason in the log alone', async () => {
  const root = (await served.store.heads.read('debian'))?.manifest.root ?? '';
  await unlink(served.store.objects.localPath?.(root) ?? '');
  const app = await served.app();
  const response = await app.hono.request(`/c/stable/debian/${SMALL}`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain(root);
  expect(served.log.map(({ message }) => message).join('\n')).toContain(root);
});
