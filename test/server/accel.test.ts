import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ServedStore } from '../support/served-store.ts';

const LARGE = randomBytes(3_000_000);
const installed = spawnSync('nginx', ['-v']).status === 0;

let served: ServedStore;
let nginx: ChildProcess | undefined;
let front = '';
beforeAll(async () => {
  served = await ServedStore.make();
  await served.release('stable', { debian: { 'large+1.iso': LARGE, 'small.deb': 'small' } }, '2026-05-01T00:00:00Z');
});
afterAll(async () => {
  nginx?.kill();
  await served.close();
});

const options = () => ({ accelPrefix: '/objects', accelRoot: join(served.dir, 'objects') });

describe('X-Accel-Redirect', () => {
  test('stands for large objects, and names the object, not the path', async () => {
    const app = await served.app({ options: options() });
    const response = await app.hono.request('/c/stable/debian/large%2B1.iso');
    expect(response.headers.get('x-accel-redirect')).toMatch(/^\/objects\/([0-9a-f]{2})\/\1[0-9a-f]{62}$/);
    expect(response.headers.get('content-length')).toBeNull();
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/);
    expect(await response.text()).toBe('');
  });

  test.each([
    ['small objects', 'small.deb', {}, 200],
    ['parts', 'large+1.iso', { range: 'bytes=0-9' }, 206],
    ['what the client has', 'large+1.iso', { 'if-modified-since': 'Fri, 01 May 2026 00:00:00 GMT' }, 304],
  ])('not for %s', async (_, path, headers, status) => {
    const app = await served.app({ options: options() });
    const response = await app.hono.request(`/c/stable/debian/${path}`, { headers: headers as Record<string, string> });
    expect([response.status, response.headers.get('x-accel-redirect')]).toEqual([status, null]);
    await response.body?.cancel();
  });

  test('not for one that is cut short on the disk', async () => {
    await served.release('cut', { cut: { 'cut.iso': Buffer.alloc(2_000_000, 9) } }, '2026-05-02T00:00:00Z');
    const root = (await served.store.heads.read('cut'))?.manifest.root ?? '';
    const sha256 = (await served.manifests.lookup(root, 'cut.iso'))?.sha256 ?? '';
    const place = served.store.objects.localPath?.(sha256) ?? '';
    await chmod(place, 0o644);
    await truncate(place, 1_999_999);
    const app = await served.app({ options: options() });
    expect((await app.hono.request('/c/cut/cut/cut.iso')).status).toBe(500);
  });

  test('not for a damaged object', async () => {
    const head = await served.store.heads.read('debian');
    const entry = await served.manifests.lookup(head?.manifest.root ?? '', 'large+1.iso');
    const sha256 = entry?.sha256 ?? '';
    await served.store.bad.add(sha256);
    const app = await served.app({ options: options() });
    expect((await app.hono.request('/c/stable/debian/large+1.iso')).status).toBe(500);
    await served.store.bad.clear(sha256);
  });
});

describe.skipIf(!installed)('behind nginx', () => {
  beforeAll(async () => {
    const back = await served.listen({ options: options() });
    const port = await freePort();
    front = `http://127.0.0.1:${port}`;
    const dir = join(served.dir, '..', 'nginx');
    await mkdir(dir);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${dir}/${name};`,
    );
    // The two locations are those of docs/operators.md.
    const config = `daemon off; user root; pid ${dir}/pid; error_log ${dir}/error.log;
events {}
http { access_log off; sendfile on; ${paths.join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${back.url};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
    location /objects/ {
      internal;
      alias ${served.dir}/objects/;
      etag off;
      if_modified_since off;
      add_header ETag $upstream_http_etag;
      add_header Last-Modified $upstream_http_last_modified;
    }
  }
}`;
    await writeFile(join(dir, 'nginx.conf'), config);
    nginx = spawn('nginx', ['-c', join(dir, 'nginx.conf')], { stdio: 'ignore' });
    await vi.waitFor(async () => expect((await fetch(`${front}/healthz`)).status).toBe(200), { timeout: 10_000 });
  });

  test('the bytes and the validators arrive', async () => {
    const direct = await (await served.app()).hono.request('/c/stable/debian/large+1.iso', { method: 'HEAD' });
    const response = await fetch(`${front}/c/stable/debian/large%2B1.iso`);
    expect(Buffer.from(await response.arrayBuffer()).equals(LARGE)).toBe(true);
    for (const name of ['etag', 'last-modified', 'content-length', 'content-type', 'cache-control'])
      expect([name, response.headers.get(name)]).toEqual([name, direct.headers.get(name)]);
    expect(response.headers.get('x-accel-redirect')).toBeNull();
  });

  test('conditions and ranges work as without it', async () => {
    const get = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${front}/c/stable/debian/large+1.iso`, { headers });
    const etag = (await get({})).headers.get('etag') ?? '';
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    expect((await get({ 'if-modified-since': 'Fri, 01 May 2026 00:00:00 GMT' })).status).toBe(304);
    const part = await get({ range: 'bytes=10-19', 'if-range': etag });
    expect([part.status, Buffer.from(await part.arrayBuffer()).equals(LARGE.subarray(10, 20))]).toEqual([206, true]);
    expect((await get({ range: 'bytes=0-1', 'if-range': '"x"' })).status).toBe(200);
  });

  test('the objects themselves cannot be asked for', async () => {
    const head = await served.store.heads.read('debian');
    const root = head?.manifest.root ?? '';
    expect((await fetch(`${front}/objects/${root.slice(0, 2)}/${root}`)).status).toBe(404);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
