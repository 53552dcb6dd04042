import { describe, expect, test } from 'vitest';
import { clientAddress, combinedLine, jsonLine, LineBuffer } from '../../src/server/access-log.ts';
import { isLoopback, urlOf } from '../../src/server/bind-address.ts';
import { contentTypeOf } from '../../src/server/content-type.ts';
import { areaOf } from '../../src/server/metrics.ts';
import { SendBuffers } from '../../src/server/send-buffers.ts';
import { channelCacheControl, isByHash, outlivesMove } from '../../src/server/stable-path.ts';
import { readableAge, readableBytes } from '../../src/server/units.ts';
import { groupedFingerprint } from '../../src/trust/fingerprint.ts';

test.each([
  ['pool/a/a_1_amd64.deb', 'application/vnd.debian.binary-package'],
  ['dists/x/InRelease', 'text/plain; charset=utf-8'],
  ['dists/x/Release.gpg', 'application/pgp-signature'],
  ['dists/x/main/binary-amd64/Packages.xz', 'application/x-xz'],
  ['dists/x/main/binary-amd64/Packages', 'text/plain; charset=utf-8'],
  ['dists/x/main/Contents-amd64', 'text/plain; charset=utf-8'],
  ['x.ISO', 'application/vnd.efi.iso'],
  ['x.constructor', 'application/octet-stream'],
  ['.deb', 'application/octet-stream'],
  ['by-hash/SHA256/abc', 'application/octet-stream'],
])('content type of %s', (path, type) => expect(contentTypeOf(path)).toBe(type));

describe('paths that outlive a move', () => {
  const hash = 'a'.repeat(64);
  test.each([
    [`dists/bookworm/main/binary-amd64/by-hash/SHA256/${hash}`, true],
    [`dists/bookworm/main/binary-amd64/by-hash/MD5Sum/${'a'.repeat(32)}`, true],
    ['pool/main/a/a_1.deb', true],
    ['debian/pool/main/a/a_1.orig.tar.xz', true],
    ['./a_1_amd64.deb', true],
    ['dists/bookworm/InRelease', false],
    ['dists/bookworm/main/binary-amd64/Packages.xz', false],
    ['dists/bookworm/by-hash/SHA256/InRelease', false],
    ['pools/x', false],
  ])('%s', (path, outlives) => expect(outlivesMove(path)).toBe(outlives));

  test('only names that hold the hash are kept for ever', () => {
    expect(isByHash(`x/by-hash/SHA256/${hash}`)).toBe(true);
    expect(channelCacheControl(`x/by-hash/SHA256/${hash}`)).toMatch(/immutable/);
    expect(channelCacheControl('pool/a_1.deb')).toBe('public, max-age=3600');
    expect(channelCacheControl('dists/x/InRelease')).toBe('public, no-cache');
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['[::1]', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.0.2.1', false],
  ['mirror.example.org', false],
  ['localhost.example.org', false],
  ['', false],
])('loopback: %s', (host, loopback) => expect(isLoopback(host)).toBe(loopback));

test('URLs of IPv6 addresses have brackets', () => {
  expect(urlOf('https', '::1', 8443)).toBe('https://[::1]:8443');
  expect(urlOf('http', 'localhost', 80)).toBe('http://localhost:80');
});

describe('access lines', () => {
  const record = {
    time: new Date('2026-06-01T02:03:04Z'),
    remote: '127.0.0.1',
    method: 'GET',
    path: '/c/x/"y\\',
    status: 200,
    bytes: 12,
    durationMs: 1.23456,
    userAgent: 'apt "2.6"\u0085',
    complete: true,
  };
  test('combined', () => {
    expect(combinedLine(record)).toBe(
      '127.0.0.1 - - [01/Jun/2026:02:03:04 +0000] "GET /c/x/\\x22y\\x5C HTTP/1.1" 200 12 "-" "apt \\x222.6\\x22\\x85"',
    );
  });
  test('JSON', () => {
    const line = jsonLine(record);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toEqual({ ...record, time: '2026-06-01T02:03:04.000Z', durationMs: 1.235 });
  });
});

test('labels of metrics are few', () => {
  expect(['/c/x/y', '/api/x', '/', '/anything', '/s'].map(areaOf)).toEqual(['c', 'api', 'page', 'page', 's']);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_949, '99.9 kB'],
  [99_950, '100 kB'],
  [999_600, '1.0 MB'],
  [48_200_000_000, '48.2 GB'],
  [8e15, '8.0 PB'],
])('%d bytes', (bytes, text) => expect(readableBytes(bytes)).toBe(text));

test('ages', () => {
  const now = new Date('2026-06-01T12:00:00Z');
  const ago = (seconds: number): string => readableAge(new Date(now.getTime() - seconds * 1000), now);
  expect([0, 60, 7200, 86_400, 90_000_000, -7200].map(ago)).toEqual([
    'just now',
    '1 minute ago',
    '2 hours ago',
    '1 day ago',
    '2 years ago',
    'in 2 hours',
  ]);
});

test.each([
  ['127.0.0.1', '203.0.113.9, 192.0.2.1', '192.0.2.1'],
  ['::ffff:127.0.0.1', '2001:db8::1', '2001:db8::1'],
  ['::1', 'unknown', '::1'],
  ['::1', undefined, '::1'],
  ['192.0.2.7', '192.0.2.1', '192.0.2.7'],
  [undefined, '192.0.2.1', '-'],
])('who asked, of %s and %s: %s', (address, forwarded, client) =>
  expect(clientAddress(address, forwarded)).toBe(client),
);

test('fingerprints in fours', () => expect(groupedFingerprint('AABBCCDDEEFF')).toBe('AABB CCDD EEFF'));

test('big buffers are lent out up to a limit and come back', () => {
  const pool = new SendBuffers(1);
  const first = pool.lend(5_000_000);
  const second = pool.lend(5_000_000);
  expect([first[0].length, second[0].length]).toEqual([1024 * 1024, 64 * 1024]);
  pool.giveBack(second, true);
  pool.giveBack(first, true);
  expect(pool.lend(5_000_000) === first).toBe(true);
  pool.giveBack(first, false);
  expect(pool.lend(5_000_000) === first).toBe(false);
  expect(pool.lend(10)[0].length).toBe(64 * 1024);
});

test('access lines are written together, in their order, and none is lost at a stop', () => {
  const written: string[] = [];
  const buffer = new LineBuffer((text) => written.push(text));
  buffer.add('a');
  buffer.add('b');
  expect(written).toEqual([]);
  buffer.flush();
  buffer.flush();
  expect(written).toEqual(['a\nb\n']);
  for (let i = 0; i < 2000; i++) buffer.add('x'.repeat(99));
  expect(written.length).toBeGreaterThan(2);
  buffer.flush();
  expect(written.join('').length).toBe(4 + 200_000);
});
