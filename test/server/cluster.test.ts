import cluster from 'node:cluster';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWorkers, type Workers } from '../../src/server/cluster.ts';
import { ServedStore } from '../support/served-store.ts';

const LARGE_BYTES = 20_000_000;
const log: string[] = [];

let served: ServedStore;
let workers: Workers;
beforeAll(async () => {
  served = await ServedStore.make();
  await served.release(
    'stable',
    { debian: { 'large.iso': Buffer.alloc(LARGE_BYTES, 3), a: 'a' } },
    '2026-05-01T00:00:00Z',
  );
  workers = await startWorkers({
    count: 2,
    exec: join(import.meta.dirname, '../support/serve-worker.ts'),
    args: [served.dir, '0'],
    execArgv: ['--import', 'tsx'],
    log: ({ message }) => log.push(message),
  });
});
afterAll(async () => {
  await workers.close();
  await served.close();
});

/** On a connection of its own, so that the processes take turns. */
function get(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(`${workers.url}${path}`, { agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('latin1')) text += chunk;
      resolve(text);
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('two processes answer on one port, and the figures are those of both', async () => {
  for (let i = 0; i < 6; i++) expect(await get('/c/stable/debian/a')).toBe('a');
  await vi.waitFor(async () =>
    expect(await get('/metrics')).toContain('kubedos_http_requests_total{area="c",status="2xx"} 6'),
  );
});

test('a move is seen by both at once', async () => {
  for (let n = 1; n <= 6; n++) {
    await served.release(
      'stable',
      { debian: { a: `${n}`, 'large.iso': Buffer.alloc(LARGE_BYTES, 3) } },
      `2026-05-02T00:00:0${n}Z`,
    );
    expect([await get('/c/stable/debian/a'), await get('/c/stable/debian/a')]).toEqual([`${n}`, `${n}`]);
  }
});

test('one that dies is replaced', async () => {
  const victim = Object.values(cluster.workers ?? {})[0];
  victim?.process.kill('SIGKILL');
  await vi.waitFor(() => expect(log.join('\n')).toMatch(/ended \(SIGKILL\); starting another/));
  await vi.waitFor(() => expect(Object.keys(cluster.workers ?? {}).length).toBe(2), { timeout: 10_000 });
  expect(await get('/healthz')).toBe('ok\n');
});

test('stopping waits for what is being sent', async () => {
  const body = await new Promise<number>((resolve, reject) => {
    const asked = request(`${workers.url}/c/stable/debian/large.iso`, { agent: false }, (response) => {
      response.pause();
      const rest = async (): Promise<number> => {
        let bytes = 0;
        for await (const chunk of response) bytes += chunk.length;
        return bytes;
      };
      const closed = workers.close();
      rest().then((bytes) => closed.then(() => resolve(bytes)), reject);
    });
    asked.on('error', reject);
    asked.end();
  });
  expect(await body).toBe(LARGE_BYTES);
  expect(Object.keys(cluster.workers ?? {})).toEqual([]);
});
