import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../src/server/app.ts';
import { EARLIER_STATES } from '../../src/server/views.ts';
import { ServedStore } from '../support/served-store.ts';

const byHash = (n: number): string => `dists/x/main/by-hash/SHA256/${String(n).repeat(64)}`;
const state = (n: number): Record<string, Record<string, string>> => ({
  debian: {
    'dists/x/InRelease': `release ${n}`,
    'dists/x/main/Packages': `packages ${n}`,
    [byHash(n)]: `packages ${n}`,
    [`pool/a_${n}.deb`]: `deb ${n}`,
  },
});
const time = (n: number): string => `2026-05-01T00:00:0${n}Z`;
const date = (n: number): string => new Date(time(n)).toUTCString();

let served: ServedStore;
beforeEach(async () => {
  served = await ServedStore.make();
});
afterEach(() => served.close());

const text = async (app: App, path: string): Promise<string> => {
  const response = await app.hono.request(`/c/stable/debian/${path}`);
  return response.ok ? response.text() : String(response.status);
};
const status = async (app: App, path: string, headers: Record<string, string>): Promise<number> =>
  (await app.hono.request(`/c/stable/debian/${path}`, { headers })).status;

describe.each([
  ['with a stamp', {}],
  ['without one', { channelStamp: undefined }],
])('a channel %s', (_, deps) => {
  test('moves are seen by the next request', async () => {
    const app = await served.app(deps);
    expect(await text(app, 'dists/x/InRelease')).toBe('404');
    const ids: string[] = [];
    for (const n of [1, 2]) ids.push((await served.release('stable', state(n), time(n))).id);
    for (let i = 0; i < 20; i++) {
      await served.store.channels.move('stable', ids[i % 2] ?? '', { now: new Date() });
      expect(await text(app, 'dists/x/InRelease')).toBe(`release ${(i % 2) + 1}`);
    }
    await served.store.channels.remove('stable');
    expect(await text(app, 'dists/x/InRelease')).toBe('404');
  });

  test('many readers meanwhile see one state each, and never an older one afterwards', async () => {
    const app = await served.app(deps);
    const ids: string[] = [];
    for (const n of [1, 2]) ids.push((await served.release('stable', state(n), time(n))).id);
    let floor = 0;
    const reader = async (): Promise<void> => {
      while (floor < 15) {
        const before = floor;
        const version = /^release (\d)$/.exec(await text(app, 'dists/x/InRelease'))?.[1];
        // The state of move n is n % 2 + 1; nothing moved since: it must be that of the last move.
        if (before === floor && before > 0) expect([before, version]).toEqual([before, String((before % 2) + 1)]);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const mover = async (): Promise<void> => {
      for (let n = 1; n <= 15; n++) {
        // While it moves, either is right.
        floor = -1;
        await served.store.channels.move('stable', ids[n % 2] ?? '', { now: new Date() });
        floor = n;
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    };
    await Promise.all([mover(), ...Array.from({ length: 8 }, reader)]);
  });
});

describe('a client in the middle of an update', () => {
  test('still gets indexes by hash and packages of the state before, and nothing else of it', async () => {
    const app = await served.app();
    await served.release('stable', state(1), time(1));
    await served.release('stable', state(2), time(2));
    expect(await text(app, byHash(1))).toBe('packages 1');
    expect(await text(app, 'pool/a_1.deb')).toBe('deb 1');
    expect(await text(app, 'dists/x/main/Packages')).toBe('packages 2');
    await served.release('stable', { debian: { 'dists/x/InRelease': 'release 3' } }, time(3));
    expect(await text(app, 'dists/x/main/Packages')).toBe('404');
    expect(await text(app, byHash(1))).toBe('packages 1');
  });

  test('the states that are searched are bounded; returning to an old one does not use them up', async () => {
    const app = await served.app();
    const ids: string[] = [];
    for (let n = 0; n <= EARLIER_STATES + 1; n++) {
      const files = { debian: { InRelease: `${n}`, [`pool/a_${n}.deb`]: `${n}` } };
      ids.push((await served.release('stable', files, `2026-05-01T00:01:${String(n).padStart(2, '0')}Z`)).id);
    }
    expect(await text(app, 'pool/a_0.deb')).toBe('404');
    expect(await text(app, 'pool/a_1.deb')).toBe('1');
    for (let i = 0; i < 30; i++)
      await served.store.channels.move('stable', ids[9 - (i % 2)] ?? '', { now: new Date() });
    expect(await text(app, 'pool/a_2.deb')).toBe('2');
  });

  test('a snapshot that was deleted is passed over', async () => {
    const app = await served.app();
    const first = await served.release('stable', state(1), time(1));
    await served.release('stable', state(2), time(2));
    await served.store.snapshots.delete(first.id);
    expect(await text(app, byHash(1))).toBe('404');
  });

  test('a snapshot knows no earlier states', async () => {
    const app = await served.app();
    await served.release('stable', state(1), time(1));
    const second = await served.release('stable', state(2), time(2));
    expect((await app.hono.request(`/s/${second.id}/debian/${byHash(1)}`)).status).toBe(404);
  });
});

describe('dates', () => {
  test('after a rollback the newer date does not count as unchanged', async () => {
    const app = await served.app();
    const first = await served.release('stable', state(1), time(1));
    await served.release('stable', state(2), time(2));
    await served.store.channels.move('stable', first.id, { now: new Date() });
    expect(await status(app, 'dists/x/InRelease', { 'if-modified-since': date(2) })).toBe(200);
    expect(await status(app, 'dists/x/InRelease', { 'if-modified-since': date(1) })).toBe(304);
  });

  test('two states of one second are told apart', async () => {
    const app = await served.app();
    await served.release('stable', state(1), time(1));
    await served.release('stable', state(2), time(1));
    expect(await status(app, 'dists/x/InRelease', { 'if-modified-since': date(1) })).toBe(200);
    expect(await status(app, 'pool/a_2.deb', { 'if-modified-since': date(1) })).toBe(200);
  });

  test('a download goes on although the channel moved, if the file is the same', async () => {
    const app = await served.app();
    const files = (n: number): Record<string, Record<string, string>> => ({
      debian: { 'pool/a.deb': 'same', 'pool/b.deb': `other ${n}` },
    });
    await served.release('stable', files(1), time(1));
    await served.release('stable', files(2), time(2));
    const resume = { range: 'bytes=2-', 'if-range': date(1) };
    expect(await status(app, 'pool/a.deb', resume)).toBe(206);
    expect(await status(app, 'pool/b.deb', resume)).toBe(200);
    expect(await status(app, 'pool/a.deb', { 'if-modified-since': date(1) })).toBe(304);
  });
});
