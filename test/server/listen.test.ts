import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ServedStore } from '../support/served-store.ts';

const run = promisify(execFile);
const LARGE_BYTES = 30_000_000;

let served: ServedStore;
beforeEach(async () => {
  served = await ServedStore.make();
  await served.release('stable', { debian: { 'large.iso': Buffer.alloc(LARGE_BYTES, 5) } }, '2026-05-01T00:00:00Z');
});
afterEach(() => served.close());

/** Begins a download and stops reading after the head. */
function slowDownload(url: string): Promise<{ rest(): Promise<number> }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/c/stable/debian/large.iso`, (response) => {
      response.pause();
      const rest = async (): Promise<number> => {
        let bytes = 0;
        for await (const chunk of response) bytes += chunk.length;
        return bytes;
      };
      resolve({ rest });
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the address', () => {
  test.each(['0.0.0.0', '::', '192.0.2.1', 'mirror.example.org'])(
    '%s is refused without being told so',
    async (host) => {
      await expect(served.listen({}, { host })).rejects.toMatchObject({
        code: 'usage.bind',
        hint: expect.stringContaining('--allow-remote'),
      });
    },
  );

  test('beyond loopback where that is wanted', async () => {
    const { url } = await served.listen({}, { host: '0.0.0.0', allowRemote: true });
    expect((await fetch(`http://127.0.0.1:${new URL(url).port}/healthz`)).status).toBe(200);
  });

  test('a port that is taken is named', async () => {
    const { url } = await served.listen();
    await expect(served.listen({}, { port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'usage.argument',
      hint: expect.stringContaining('--port'),
    });
  });
});

describe('stopping', () => {
  test('lets answers finish, takes nobody new, and closes idle connections at once', async () => {
    const server = await served.listen({}, { drainMs: 20_000 });
    await (await fetch(`${server.url}/healthz`)).text();
    const download = await slowDownload(server.url);
    const closed = server.close();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    expect(await download.rest()).toBe(LARGE_BYTES);
    expect(await closed).toBe(true);
    expect(await server.close()).toBe(true);
  });

  test('does not wait for clients that keep their connection after the answer', async () => {
    const server = await served.listen({}, { drainMs: 20_000 });
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').pause();
    socket.write('GET /c/stable/debian/large.iso HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable');
    const closed = server.close();
    socket.resume();
    expect(await closed).toBe(true);
    socket.destroy();
  });

  test('breaks at the deadline what does not end', async () => {
    const server = await served.listen({}, { drainMs: 100 });
    const download = await slowDownload(server.url);
    expect(await server.close()).toBe(false);
    await expect(download.rest()).rejects.toThrow();
  });

  test('an idle server stops at once', async () => {
    const server = await served.listen();
    await (await fetch(`${server.url}/healthz`)).text();
    expect(await server.close()).toBe(true);
  });

  test('readiness goes before', async () => {
    const app = await served.app();
    expect((await app.hono.request('/readyz')).status).toBe(200);
    app.drain();
    expect((await app.hono.request('/readyz')).status).toBe(503);
    expect((await app.hono.request('/healthz')).status).toBe(200);
  });
});

describe('TLS', () => {
  test('from files', async () => {
    const certFile = join(served.dir, 'cert.pem');
    const keyFile = join(served.dir, 'key.pem');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    await run('openssl', [
      'req',
      '-x509',
      ...ec,
      '-nodes',
      '-days',
      '2',
      ...subject,
      '-keyout',
      keyFile,
      '-out',
      certFile,
    ]);
    const { url } = await served.listen({}, { host: 'localhost', tls: { certFile, keyFile } });
    expect(url).toMatch(/^https:\/\/localhost:\d+$/);
    const argv = ['-sS', '--noproxy', '*', '--cacert', certFile, `${url}/c/stable/debian/large.iso`];
    const { stdout } = await run('curl', argv, { encoding: 'buffer', maxBuffer: 100_000_000 });
    expect(stdout.equals(Buffer.alloc(LARGE_BYTES, 5))).toBe(true);
    const page = await run('curl', ['-sS', '--noproxy', '*', '--cacert', certFile, `${url}/`]);
    expect(page.stdout).toContain(`<h1>`);
  });

  test('files that are none are named', async () => {
    const file = join(served.dir, 'nonsense.pem');
    await expect(served.listen({}, { tls: { certFile: file, keyFile: file } })).rejects.toMatchObject({
      code: 'store.io',
    });
    await writeFile(file, 'nonsense');
    await expect(served.listen({}, { tls: { certFile: file, keyFile: file } })).rejects.toMatchObject({
      code: 'usage.argument',
    });
  });
});
