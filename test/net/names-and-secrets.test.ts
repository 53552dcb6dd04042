/** URLs, netrc files, proxies: who gets which credentials, and where they must never be seen. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/net/failures.ts';
import { parseNetrc } from '../../src/net/netrc.ts';
import { proxyFromEnv } from '../../src/net/proxy.ts';
import { rateLimit } from '../../src/net/rate.ts';
import { parseUpstream, placeBelow, redactUrl } from '../../src/net/url.ts';
import { fetcher, folder, SMALL, upstream, wanted } from './fetching.ts';

describe('redactUrl', () => {
  test.each([
    ['https://me:secret@example.org/debian', 'https://example.org/debian'],
    ['https://example.org/debian?token=secret&x=1#frag', 'https://example.org/debian?…'],
    ['file:///srv/debian', 'file:///srv/debian'],
    ['me:secret', '(not a URL)'],
    ['not a URL with secret', '(not a URL)'],
  ])('%s', (url, shown) => expect(redactUrl(url)).toBe(shown));
});

describe('parseUpstream', () => {
  test('takes the credentials out', () => {
    const upstream = parseUpstream('https://me%40x:p%3Aw@example.org:8443/debian?token=t');
    const { root, credentials, host } = upstream;
    expect(root.href).toBe('https://example.org:8443/debian?token=t');
    expect(credentials).toEqual({ login: 'me@x', password: 'p:w' });
    expect(host).toBe('https://example.org:8443');
    expect(placeBelow(upstream, 'a/b+')).toEqual({ origin: host, path: '/debian/a/b%2B?token=t' });
  });

  test.each(['ftp://example.org/', 'example.org/debian', 'https://me:secret@[/', 'https://me:%zz@example.org/'])(
    'refuses %s without repeating it',
    (url) => {
      expect(() => parseUpstream(url)).toThrow(expect.objectContaining({ code: 'usage.argument' }));
      expect(() => parseUpstream(url)).toThrow(/^(?!.*(?:secret|%zz))/);
    },
  );
});

describe('netrc', () => {
  const lookup = parseNetrc(`
# comment machine bogus login x
machine example.org login me password p#w # trailing comment
machine multi.example.org
  login you
  account none
  password
     spread
macdef init
machine evil.example.org login a password b

machine port.example.org:8443/private login deep password path
machine upper.example.org login "quoted" password x
default login anonymous password guest
`);
  const of = (url: string) => lookup?.(new URL(url));

  test.each([
    ['https://example.org/x', 'me', 'p#w'],
    ['https://multi.example.org/', 'you', 'spread'],
    ['https://evil.example.org/', 'anonymous', 'guest'],
    ['https://port.example.org:8443/private/pool', 'deep', 'path'],
    ['https://port.example.org:8443/privateer', 'anonymous', 'guest'],
    ['https://port.example.org/private', 'anonymous', 'guest'],
    ['https://sub.example.org/', 'anonymous', 'guest'],
    ['http://127.0.0.1:8080/', 'anonymous', 'guest'],
  ])('%s: %s', (url, login, password) => expect(of(url)).toEqual({ login, password }));

  test('nothing goes in the clear to another machine', () => {
    expect(of('http://example.org/x')).toBeUndefined();
    expect(of('http://127.example.org/x')).toBeUndefined();
  });

  test('without default, strangers get nothing', () => {
    expect(parseNetrc('machine a.example.org login x password y')?.(new URL('https://b.example.org/'))).toBeUndefined();
    expect(parseNetrc('# nothing')).toBeUndefined();
  });
});

describe('proxies', () => {
  const choose = proxyFromEnv({
    http_proxy: 'proxy.example.org:3128',
    HTTPS_PROXY: 'http://me:secret@proxy.example.org:3129',
    no_proxy: 'internal.example.org, .corp, 10.0.0.0/8,192.0.2.7 host.example.org:8080',
  });
  test.each([
    ['http://ftp.debian.org/', 'proxy.example.org:3128'],
    ['https://ftp.debian.org/', 'proxy.example.org:3129'],
    ['http://internal.example.org/', undefined],
    ['http://a.internal.example.org/', undefined],
    ['http://notinternal.example.org/', 'proxy.example.org:3128'],
    ['http://a.corp/', undefined],
    ['http://10.1.2.3/', undefined],
    ['http://11.1.2.3/', 'proxy.example.org:3128'],
    ['http://192.0.2.7/', undefined],
    ['http://host.example.org:8080/', undefined],
    ['http://host.example.org/', 'proxy.example.org:3128'],
    ['http://localhost:1234/', undefined],
    ['http://[::1]/', undefined],
  ])('%s: %s', (url, proxy) => expect(choose(new URL(url))?.host).toBe(proxy));

  test('none where none is set, or all are exempt', () => {
    expect(proxyFromEnv({})(new URL('http://example.org/'))).toBeUndefined();
    expect(proxyFromEnv({ http_proxy: 'http://p:1', NO_PROXY: '*' })(new URL('http://example.org/'))).toBeUndefined();
  });

  test('a proxy that is no URL is refused without repeating it', () => {
    expect(() => proxyFromEnv({ http_proxy: 'socks5://me:secret@x' })).toThrow(/^(?!.*secret)/);
  });

  test('plain http goes through in absolute form, https by CONNECT, both with the proxy’s credentials', async () => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers['proxy-authorization']}`);
      response.end(SMALL);
    });
    proxy.on('connect', (request, socket) => {
      seen.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://me:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const proxied = fetcher({ env: { http_proxy: url, https_proxy: url }, tries: 1 });
    const partial = join(await folder(), 'partial');
    await proxied.file(['http://upstream.example.org/debian'], wanted('small', SMALL), { partial });
    const failure = proxied.file(['https://upstream.example.org/debian'], wanted('small', SMALL), { partial });
    await expect(failure).rejects.toMatchObject({ code: 'net.failed', message: expect.not.stringContaining('secret') });
    const token = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(seen).toEqual([
      `GET http://upstream.example.org/debian/small upstream.example.org ${token}`,
      `CONNECT upstream.example.org:443 ${token}`,
    ]);
    proxy.closeAllConnections();
    proxy.close();
  });
});

test('credentials are sent, and are in no message, event or result', async () => {
  const server = await upstream({ '/Release': SMALL });
  server.always('/small', { kind: 'status', status: 500 });
  const told: unknown[] = [];
  const url = `${server.url.replace('http://', 'http://me:hunter2@')}/?token=hunter2`;
  const shared = fetcher({ onEvent: (event) => told.push(event) });
  const partial = join(await folder(), 'partial');
  for (const path of ['small', 'nowhere']) {
    const failure = await shared.file([url], wanted(path, SMALL), { partial }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    told.push(String(failure), JSON.stringify(failure), (failure as Error).stack);
  }
  told.push(await shared.document([url], 'Release', { maxBytes: 100_000 }).catch(String));
  expect(server.seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:hunter2').toString('base64')}`);
  expect(server.seen[0]?.path).toBe('/small?token=hunter2');
  expect(JSON.stringify(told)).not.toMatch(/hunter2|bWU6aHVudGVyMg/);
});

test('netrc credentials go to the host that they are for', async () => {
  const server = await upstream();
  const partial = join(await folder(), 'partial');
  const netrc = 'machine 127.0.0.1 login me password word\nmachine other.example.org login x password y\n';
  await fetcher({ netrc }).file([server.url], wanted('small', SMALL), { partial });
  expect(server.seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:word').toString('base64')}`);
});

test('Retry-After is seconds or a date, and bounded', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(parseRetryAfter('7', now)).toBe(7000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:09 GMT', now)).toBe(9000);
  expect(parseRetryAfter('Thu, 01 Jan 2025 00:00:09 GMT', now)).toBe(0);
  expect(parseRetryAfter('999999', now)).toBe(120_000);
  expect(parseRetryAfter('soon', now)).toBeUndefined();
  expect(parseRetryAfter(undefined, now)).toBeUndefined();
});

test('the rate limit makes up for short pauses, not for long ones', () => {
  let now = 0;
  const limit = rateLimit(1000, () => now);
  expect(limit.take(250)).toBe(0);
  expect(limit.take(100)).toBe(100);
  now += 100;
  expect(limit.take(50)).toBe(50);
  now += 60_000;
  expect(limit.take(250)).toBe(0);
  expect(limit.take(1)).toBe(1);
});
