import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandLine } from '../support/command-line.ts';

let line: CommandLine;
beforeEach(async () => {
  line = new CommandLine();
  await line.must(['init']);
  await line.must(['repo', 'create', 'ours']);
  await line.must(['snapshot', 'create', '--channel', 'stable']);
});
afterEach(() => line.remove());

/** On a connection of its own, so that the processes take turns. */
function get(url: string, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, headers }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('kubedos serve', () => {
  it('--workers: one port, one log of whole lines, one sum of figures, and a clean end of all', async () => {
    const server = await line.serve(['--workers', '2', '--access-log', 'json', '--trust-proxy']);
    const long = 'x'.repeat(10_000);
    const asked = Array.from({ length: 40 }, (_, n) => {
      const headers = { 'x-forwarded-for': `made.up, 192.0.2.${n}` };
      return get(`${server.url}/c/stable/ours/dists/stable/InRelease?${n}`, { ...headers, 'user-agent': long });
    });
    for (const text of await Promise.all(asked)) expect(text).toContain('BEGIN PGP SIGNED MESSAGE');
    await vi.waitFor(async () =>
      expect(await get(`${server.url}/metrics`)).toContain('kubedos_http_requests_total{area="c",status="2xx"} 40'),
    );
    // What is asked just before the end is in the log as well.
    await get(`${server.url}/healthz`);
    expect(await server.stop()).toBe(0);
    const [first, ...lines] = server.out.trimEnd().split('\n');
    expect(first).toContain(', 2 processes');
    expect(lines.pop()).toBe('stopped');
    const records = lines.map((text) => JSON.parse(text) as { path: string; remote: string; userAgent: string });
    const files = records.filter(({ path }) => path.endsWith('/InRelease'));
    expect(files.map(({ remote }) => Number(remote.replace('192.0.2.', ''))).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, n) => n),
    );
    expect(files.every(({ userAgent }) => userAgent === long)).toBe(true);
    expect(records.some(({ path }) => path === '/healthz')).toBe(true);
    expect(server.err).toBe('');
  });

  it('says once why its processes cannot listen', async () => {
    const first = await line.serve();
    const port = new URL(first.url).port;
    const second = await line.kubedos(['serve', '--workers', '2', '--port', port]);
    expect(second.status).toBe(2);
    expect(second.err.match(/EADDRINUSE/g)).toHaveLength(1);
    const open = await line.kubedos(['serve', '--workers', '2', '--host', '0.0.0.0', '--port', '0', '--json']);
    expect([open.status, open.json]).toEqual([2, { error: expect.objectContaining({ code: 'usage.bind' }) }]);
    expect(await first.stop('SIGINT')).toBe(0);
  });

  it('believes no X-Forwarded-For unless it is told to', async () => {
    const server = await line.serve(['--access-log', 'combined']);
    await get(`${server.url}/healthz`, { 'x-forwarded-for': '192.0.2.1' });
    await server.stop();
    expect(server.out).toMatch(/^127\.0\.0\.1 - - .*healthz/m);
  });
});
