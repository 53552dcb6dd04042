/** Many real apts update while their channel moves on and back under them: each ends in one state, whole. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clientSources } from '../../src/publish/client-config.ts';
import { AptClient } from '../support/apt-client.ts';
import { type FakeComponent, type FakeFiles, fakeArchive } from '../support/fake-archive.ts';
import { buildDeb, type FakePackage } from '../support/fake-deb.ts';
import { type FakeKey, fakeKey } from '../support/fake-key.ts';
import { ServedStore } from '../support/served-store.ts';

const CLIENTS = 32;
const MOVES = 100;
/** Fewer than the server remembers, so that no client can fall out of what it still answers. */
const STATES = 6;
/** Counted and not timed: on a busy machine, too, there are many moves within one client's update. */
const REQUESTS_PER_MOVE = 3;
/** The first one without any lists, the others with those of some state. */
const ROUNDS = 2;

// A run of `apt-get update` costs up to a second of a processor, since it starts some forty processes; there are 66.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 60_000 });

const COMPONENTS = { main: ['first', 'second'], contrib: ['third'] } as const;
const NAMES = Object.values(COMPONENTS).flat();

let served: ServedStore;
let clients: AptClient[];
beforeEach(async () => {
  served = await ServedStore.make();
  clients = await Promise.all(Array.from({ length: CLIENTS }, () => AptClient.make({ niceness: 10 })));
});
afterEach(async () => {
  await served.close();
  await Promise.all(clients.map((client) => client.remove()));
});

/** All packages of state n are of version n; the index of each component is of another size in each state. */
function packageOf(name: string, n: number): FakePackage {
  return { name, version: String(n), description: `${name} ${'of this state '.repeat(n * 10)}` };
}

/** Of one date, so that apt takes every state for no older than any other. */
function state(key: FakeKey, n: number): Promise<FakeFiles> {
  const components: Record<string, FakeComponent> = {};
  for (const [component, names] of Object.entries(COMPONENTS))
    components[component] = { packages: names.map((name) => packageOf(name, n)) };
  return fakeArchive({ key, suites: [{ suite: 'moving', components, date: new Date('2026-01-01T00:00:00Z') }] });
}

/** Update, then fetch all: the number of the one state that everything must be of. */
async function round(client: AptClient): Promise<number> {
  expect(await client.update()).toMatchObject({ status: 0, complaints: [] });
  const { files, complaints } = await client.download(...NAMES);
  expect(complaints).toEqual([]);
  const n = Number(/_(\d+)_/.exec([...files.keys()].join())?.[1]);
  const expected = NAMES.map((name) => buildDeb(packageOf(name, n)));
  expect([...files.keys()].sort()).toEqual(NAMES.map((name) => `${name}_${n}_all.deb`).sort());
  expect(Buffer.concat([...files.values()]).equals(Buffer.concat(await Promise.all(expected)))).toBe(true);
  return n;
}

test(`${CLIENTS} apts are in one state each, whichever, while the channel moves ${MOVES} times`, async () => {
  const key = await fakeKey();
  const snapshots: string[] = [];
  for (let n = 1; n <= STATES; n++) {
    const files = Object.fromEntries(await state(key, n));
    snapshots.push((await served.release('stable', { site: files }, `2026-02-0${n}T00:00:00Z`)).id);
  }
  let moves = 0;
  let requests = 0;
  let current = STATES - 1;
  let moving = Promise.resolve();
  // Half of the way forward through all states, again and again, and half of it back.
  const move = async (): Promise<void> => {
    current = (current + (moves < MOVES / 2 ? 1 : STATES - 1)) % STATES;
    await served.store.channels.move('stable', snapshots[current] ?? '', { now: new Date() });
    moves++;
  };
  const accessLog = (): void => {
    if (++requests % REQUESTS_PER_MOVE === 0 && requests <= MOVES * REQUESTS_PER_MOVE) moving = moving.then(move);
  };
  const { url } = await served.listen({ accessLog });
  const layout = { suite: 'moving', components: Object.keys(COMPONENTS), architectures: ['amd64'], sources: false };
  const suites = [{ ...layout, key: key.publicArmored }];
  const sources = clientSources({ url: `${url}/c/stable/site/`, suites, checkValidUntil: true });
  for (const client of clients) await client.setSources(sources);

  const seen = new Set<number>();
  const follow = async (client: AptClient): Promise<void> => {
    for (let i = 0; i < ROUNDS; i++) seen.add(await round(client));
  };
  await Promise.all(clients.map(follow));
  await moving;

  expect(moves).toBe(MOVES);
  expect(seen.size).toBeGreaterThan(STATES / 2);
  // Nothing stale stays behind.
  for (const client of clients.slice(0, 2)) expect(await round(client)).toBe(current + 1);
  expect(served.log).toEqual([]);
});
