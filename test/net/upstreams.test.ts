import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Behaviour } from '../support/bad-upstream.ts';
import { fetcher, folder, LARGE, SMALL, upstream, wanted } from './fetching.ts';

const NOBODY = 'http://127.0.0.1:1';

async function outcome(...behaviours: Behaviour[]) {
  const server = await upstream();
  server.script('/small', ...behaviours);
  const partial = join(await folder(), 'partial');
  const notes: string[] = [];
  const onEvent = (event: { type: string; message?: string }) => notes.push(event.message ?? '');
  const failure = await fetcher({ onEvent })
    .file([server.url], wanted('small', SMALL), { partial })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { failure, requests: server.seen.length, notes };
}

describe('an answer that is no file', () => {
  test.each([
    [404, 'net.not-found', 1],
    [410, 'net.not-found', 1],
    [401, 'net.auth', 1],
    [403, 'net.auth', 1],
    [400, 'net.status', 1],
    [500, 'net.status', 3],
    [502, 'net.status', 3],
    [429, 'net.status', 3],
  ])('%i: %s after %i requests', async (status, code, requests) => {
    const scripted = Array.from({ length: 9 }, () => ({ kind: 'status', status }) as const);
    expect(await outcome(...scripted)).toMatchObject({ failure: { code }, requests });
  });

  test('passes when the next try gets the file', async () => {
    const down = { kind: 'status', status: 503 } as const;
    expect(await outcome(down, down)).toMatchObject({ failure: undefined, requests: 3 });
  });

  test('with Retry-After is tried again after that and no sooner', async () => {
    const { failure, notes } = await outcome({ kind: 'status', status: 429, headers: { 'retry-after': '0' } });
    expect(failure).toBeUndefined();
    expect(notes[0]).toContain('try 2 of 3 in 0.0 s');
  });
});

describe('of several upstreams', () => {
  test('the next is asked where one has no such file, refuses, fails or cannot be reached', async () => {
    const good = await upstream();
    for (const status of [404, 403, 500]) {
      const bad = await upstream();
      bad.always('/small', { kind: 'status', status });
      const partial = join(await folder(), 'partial');
      await fetcher().file([NOBODY, bad.url, good.url], wanted('small', SMALL), { partial });
      expect((await readFile(partial)).equals(SMALL)).toBe(true);
    }
  });

  test('the second goes on where the first broke off', async () => {
    const [first, second] = [await upstream(), await upstream()];
    first.script('/large', { kind: 'reset', after: 500_000 });
    first.always('/large', { kind: 'status', status: 500 });
    const partial = join(await folder(), 'partial');
    await fetcher().file([first.url, second.url], wanted('large', LARGE), { partial });
    expect((await readFile(partial)).equals(LARGE)).toBe(true);
    expect(second.seen[0]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test('one that failed all its tries is asked last for a while', async () => {
    const [first, second] = [await upstream(), await upstream()];
    first.always('/small', { kind: 'status', status: 500 });
    const shared = fetcher();
    const dir = await folder();
    for (const name of ['a', 'b', 'c']) {
      await shared.file([first.url, second.url], wanted('small', SMALL), { partial: join(dir, name) });
    }
    expect(first.seen).toHaveLength(3);
    expect(second.seen).toHaveLength(3);
  });

  test('none has it: not found only where all say so', async () => {
    const [first, second] = [await upstream(), await upstream()];
    const partial = join(await folder(), 'partial');
    const file = wanted('nowhere', SMALL);
    await expect(fetcher().file([first.url, second.url], file, { partial })).rejects.toMatchObject({
      code: 'net.not-found',
    });
    await expect(fetcher().file([first.url, NOBODY], file, { partial })).rejects.toMatchObject({ code: 'net.failed' });
    await expect(readFile(partial)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('all fail differently: the message has every reason', async () => {
    const [first, second] = [await upstream(), await upstream()];
    first.always('/small', { kind: 'status', status: 403 });
    second.always('/small', { kind: 'truncate', after: 5 });
    const partial = join(await folder(), 'partial');
    await expect(fetcher().file([first.url, second.url], wanted('small', SMALL), { partial })).rejects.toMatchObject({
      code: 'net.failed',
      message: expect.stringMatching(/answered 403.*ended after \d+ of 20000/),
    });
  });
});

describe('redirects', () => {
  test('are followed, within a host and to another', async () => {
    const [first, second] = [await upstream(), await upstream()];
    first.always('/small', { kind: 'redirect', to: '/there', status: 301 });
    first.always('/there', { kind: 'redirect', to: `${second.url}/small`, status: 307 });
    const partial = join(await folder(), 'partial');
    await fetcher().file([first.url], wanted('small', SMALL), { partial });
    expect((await readFile(partial)).equals(SMALL)).toBe(true);
  });

  test('in a circle end', async () => {
    const server = await upstream();
    server.always('/small', { kind: 'redirect', to: '/small' });
    const partial = join(await folder(), 'partial');
    await expect(fetcher().file([server.url], wanted('small', SMALL), { partial })).rejects.toMatchObject({
      code: 'net.redirects',
    });
    expect(server.seen).toHaveLength(6);
  });

  test('to a local file or to nonsense are refused', async () => {
    for (const to of ['file:///etc/passwd', 'http://[']) {
      const server = await upstream();
      server.always('/small', { kind: 'redirect', to });
      const partial = join(await folder(), 'partial');
      await expect(fetcher().file([server.url], wanted('small', SMALL), { partial })).rejects.toMatchObject({
        code: 'net.redirects',
      });
    }
  });

  test('carry no credentials to another host', async () => {
    const [first, second] = [await upstream(), await upstream()];
    first.script('/small', { kind: 'redirect', to: '/again' }, { kind: 'serve' });
    first.always('/again', { kind: 'redirect', to: `${second.url}/small` });
    const partial = join(await folder(), 'partial');
    const withLogin = first.url.replace('http://', 'http://me:secret@');
    await fetcher().file([withLogin], wanted('small', SMALL), { partial });
    expect(first.seen.map(({ headers }) => headers.authorization)).toEqual(
      Array(2).fill(`Basic ${Buffer.from('me:secret').toString('base64')}`),
    );
    expect(second.seen[0]?.headers.authorization).toBeUndefined();
  });
});

describe('a transfer that does not move', () => {
  const impatient = { stallMs: 80, minBytesPerSecond: 1000, tries: 2 };

  test.each([{ kind: 'silent' } as const, { kind: 'drip' } as const])('fails: $kind', async (behaviour) => {
    const server = await upstream();
    server.always('/large', behaviour);
    const partial = join(await folder(), 'partial');
    await expect(fetcher(impatient).file([server.url], wanted('large', LARGE), { partial })).rejects.toMatchObject({
      code: 'net.stalled',
    });
    expect(server.seen).toHaveLength(2);
  });

  test('because we hold it back does not', async () => {
    const server = await upstream();
    const partial = join(await folder(), 'partial');
    // 500 kB at 500 kB/s take several times what counts as a stall, with 64 kB coming at once; a busy machine's first byte
    // does not take that long.
    const file = wanted('half', LARGE.subarray(0, 500_000));
    const other = await upstream({ '/half': LARGE.subarray(0, 500_000) });
    const limited = fetcher({ stallMs: 200, minBytesPerSecond: 50_000_000, rateBytesPerSecond: 500_000, tries: 1 });
    await limited.file([other.url], file, { partial });
    expect(server.seen).toEqual([]);
  });
});

describe('stopping', () => {
  test('ends transfers, pauses and queues, and keeps the part', async () => {
    const server = await upstream();
    server.always('/large', { kind: 'drip' });
    server.always('/small', { kind: 'status', status: 500 });
    const dir = await folder();
    const stop = new AbortController();
    const patient = fetcher({ perHost: 1, backoffMs: 60_000 });
    const running = [
      patient.file([server.url], wanted('small', SMALL), { partial: join(dir, 'a'), signal: stop.signal }),
      patient.file([server.url], wanted('large', LARGE), { partial: join(dir, 'b'), signal: stop.signal }),
      patient.file([server.url], wanted('large', LARGE), { partial: join(dir, 'c'), signal: stop.signal }),
    ];
    const ended = Promise.allSettled(running);
    while (server.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    for (const result of await ended) expect(result).toMatchObject({ reason: { code: 'cancelled' } });
    await expect(
      patient.file([server.url], wanted('small', SMALL), { partial: join(dir, 'd'), signal: stop.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test('no more requests to a host than told, however many files of whatever size', async () => {
  const server = await upstream();
  for (const path of ['/small', '/large']) server.always(path, { kind: 'late', ms: 5 });
  const dir = await folder();
  const shared = fetcher({ perHost: 3 });
  const files = [wanted('small', SMALL), wanted('large', LARGE)];
  await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      shared.file([server.url], files[i % 4 === 0 ? 1 : 0] ?? wanted('small', SMALL), { partial: join(dir, `${i}`) }),
    ),
  );
  expect(server.peak()).toBe(3);
  expect(server.seen).toHaveLength(60);
});

test('paths travel encoded by segment, and may not escape', async () => {
  const path = 'pool/g++_12~rc1_amd64 é#?.deb';
  const sent = '/debian/pool/g%2B%2B_12~rc1_amd64%20%C3%A9%23%3F.deb';
  const server = await upstream({ [sent]: SMALL });
  const partial = join(await folder(), 'partial');
  await fetcher().file([`${server.url}/debian/`], wanted(path, SMALL), { partial });
  expect(server.seen.map((request) => request.path)).toEqual([sent]);
  await expect(fetcher().file([`${server.url}/debian`], wanted('../small', SMALL), { partial })).rejects.toMatchObject({
    code: 'format.path',
  });
});
