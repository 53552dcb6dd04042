import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AccessRecord } from '../../src/server/deps.ts';
import type { Listening } from '../../src/server/listen.ts';
import { ServedStore } from '../support/served-store.ts';

const run = promisify(execFile);
const LARGE = randomBytes(40_000_003);
const records: AccessRecord[] = [];

let served: ServedStore;
let server: Listening;
let port: number;
beforeAll(async () => {
  served = await ServedStore.make();
  const debian = {
    'small.deb': 'small',
    'large.iso': LARGE,
    'medium.xz': LARGE.subarray(0, 1_500_000),
    'dists/x/InRelease': 'r',
  };
  await served.release('stable', { debian }, '2026-05-01T00:00:00Z');
  server = await served.listen({ accessLog: (record) => records.push(record) });
  port = Number(new URL(server.url).port);
});
afterAll(() => served.close());
beforeEach(() => {
  records.length = 0;
});

/** Sends text as it is and gathers what comes until the server closes, or until `enough`. */
function raw(text: string, enough: (answer: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
      if (enough(answer)) socket.end();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    socket.write(text);
  });
}

const curl = async (...argv: string[]): Promise<Buffer> =>
  (await run('curl', ['-sS', '--noproxy', '*', ...argv], { encoding: 'buffer', maxBuffer: 100_000_000 })).stdout;

/** Objects that this process holds open. */
async function openObjects(): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((path) => /\/objects\/..\//.test(path));
}

describe('bytes', () => {
  test.each(['large.iso', 'medium.xz'])('%s arrives whole, and its file is closed', async (name) => {
    const body = await curl(`${server.url}/c/stable/debian/${name}`);
    expect(body.equals(name === 'large.iso' ? LARGE : LARGE.subarray(0, 1_500_000))).toBe(true);
    await vi.waitFor(async () => expect(await openObjects()).toEqual([]));
  });

  test('parts that cross buffers', async () => {
    const url = `${server.url}/c/stable/debian/large.iso`;
    for (const [start, end] of [
      [0, 1],
      [1_048_575, 1_048_577],
      [999, 3_333_333],
      [39_000_000, 40_000_003],
    ] as const) {
      const body = await curl('-r', `${start}-${end - 1}`, url);
      expect(body.equals(LARGE.subarray(start, end))).toBe(true);
    }
    expect((await curl('-r', '-7', url)).equals(LARGE.subarray(-7))).toBe(true);
  });

  test('several parts of a large file, as curl reads them', async () => {
    const body = await curl('-r', '0-1999999,20000000-20000009', `${server.url}/c/stable/debian/large.iso`);
    expect(body.includes(LARGE.subarray(0, 2_000_000))).toBe(true);
    expect(body.includes('Content-Range: bytes 20000000-20000009/40000003\r\n\r\n')).toBe(true);
    expect(body.includes(LARGE.subarray(20_000_000, 20_000_010))).toBe(true);
  });

  test('curl goes on where it stopped', async () => {
    const etag = String(await curl('-I', `${server.url}/c/stable/debian/large.iso`)).match(/etag: (.*)\r/i)?.[1] ?? '';
    const rest = await curl('-C', '39999999', '-H', `If-Range: ${etag}`, `${server.url}/c/stable/debian/large.iso`);
    expect(rest.equals(LARGE.subarray(39_999_999))).toBe(true);
  });

  test('a dozen clients at once get what they asked for', async () => {
    const bodies = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const response = await fetch(`${server.url}/c/stable/debian/large.iso`, {
          headers: { range: `bytes=${i * 1000}-${3_000_000 + i}` },
        });
        return Buffer.from(await response.arrayBuffer()).equals(LARGE.subarray(i * 1000, 3_000_001 + i));
      }),
    );
    expect(bodies.every(Boolean)).toBe(true);
  });
});

describe('connections', () => {
  test('are kept, and pipelined requests answered in their order', async () => {
    const get = (path: string): string => `GET /c/stable/debian/${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answer = await raw(
      get('large.iso') +
        get('small.deb') +
        get('none') +
        get('medium.xz').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    const heads = [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map((match) => match[1]);
    expect(heads).toEqual(['200', '200', '404', '200']);
    expect(answer.endsWith(LARGE.subarray(0, 1_500_000).toString('latin1'))).toBe(true);
  });

  test('that break in the middle leave nothing open', async () => {
    await raw(
      'GET /c/stable/debian/large.iso HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3),
      (answer) => answer.length > 100_000,
    );
    await vi.waitFor(async () => expect(await openObjects()).toEqual([]), { timeout: 5000 });
    await vi.waitFor(() => expect(records.length).toBe(3));
    expect(records.map(({ complete }) => complete)).toEqual([false, false, false]);
    expect(served.log).toEqual([]);
  });

  test('get the same answer the third time as the first, and parts of it when they ask', async () => {
    const get = (headers = {}): Promise<Response> => fetch(`${server.url}/c/stable/debian/small.deb`, { headers });
    for (let i = 0; i < 3; i++) {
      const response = await get();
      expect([response.status, await response.text(), response.headers.get('content-length')]).toEqual([
        200,
        'small',
        '5',
      ]);
      const part = await get({ range: 'bytes=1-2' });
      expect([part.status, await part.text()]).toEqual([206, 'ma']);
      const unchanged = await get({ 'if-none-match': response.headers.get('etag') ?? '' });
      expect([unchanged.status, await unchanged.text()]).toEqual([304, '']);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  test('of HTTP/1.0', async () => {
    const answer = await raw('GET /c/stable/debian/small.deb HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*\r\nConnection: close\r\n\r\nsmall$/s);
  });
});

describe('paths as they come over the wire', () => {
  test.each([
    ['/c/stable/debian/../../../store.json', 400],
    ['/c/../s/x', 400],
    ['/c/stable/debian/%2e%2e/%2e%2e/store.json', 400],
    ['/c/stable/debian/..%2f..%2fstore.json', 400],
    ['/c/stable/debian/small.deb%00', 400],
    ['/web/../package.json', 404],
    ['/web/..%2fpackage.json', 404],
    ['/web/style.css', 200],
    ['http://other.example.org/c/stable/debian/small.deb', 200],
    ['http://other.example.org/healthz', 200],
    ['/c/stable/debian/small.deb?x=../..', 200],
    ['//c/stable/debian/small.deb', 404],
  ])('%s', async (target, status) => {
    const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

describe('the access log', () => {
  test('has a record for each request, with the bytes of the body and nothing secret', async () => {
    await curl(
      '-H',
      'Authorization: Bearer geheim',
      '-A',
      'apt/2.6',
      `${server.url}/c/stable/debian/small.deb?token=geheim`,
    );
    await curl(`${server.url}/api/channels?x=geheim`);
    await vi.waitFor(() => expect(records.length).toBe(2));
    expect(records[0]).toMatchObject({
      remote: '127.0.0.1',
      method: 'GET',
      path: '/c/stable/debian/small.deb',
      status: 200,
      bytes: 5,
      userAgent: 'apt/2.6',
      complete: true,
    });
    expect(records[1]).toMatchObject({ path: '/api/channels', status: 200 });
    expect(JSON.stringify(records)).not.toContain('geheim');
  });

  test('and the metrics count', async () => {
    await curl(`${server.url}/c/stable/debian/small.deb`);
    const metrics = String(await curl(`${server.url}/metrics`));
    const count = Number(/kubedos_http_requests_total\{area="c",status="2xx"\} (\d+)/.exec(metrics)?.[1]);
    expect(count).toBeGreaterThan(0);
    expect(metrics).toContain('kubedos_http_requests_in_flight 1');
    const again = String(await curl(`${server.url}/metrics`));
    expect(Number(/kubedos_http_requests_total\{area="c",status="2xx"\} (\d+)/.exec(again)?.[1])).toBe(count);
  });
});
