import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fetcher, folder, LARGE, SMALL, sha256, upstream, wanted } from './fetching.ts';

describe.each([
  ['small', SMALL],
  ['large', LARGE],
])('a %s file', (path, bytes) => {
  test('arrives with its hash, and is counted as it comes', async () => {
    const server = await upstream();
    const partial = join(await folder(), 'partial');
    let counted = 0;
    const fetched = await fetcher().file([server.url], wanted(path, bytes), {
      partial,
      onBytes: (count) => {
        counted += count;
      },
    });
    expect(fetched).toEqual({ file: partial, sha256: sha256(bytes), sizeBytes: bytes.length });
    expect((await readFile(partial)).equals(bytes)).toBe(true);
    expect(counted).toBe(bytes.length);
    expect(server.seen[0]?.headers['accept-encoding']).toBe('identity');
  });

  test.each(['sha512', 'sha1', 'md5'] as const)('is held against %s, and its SHA-256 told', async (algorithm) => {
    const server = await upstream();
    const partial = join(await folder(), 'partial');
    const fetched = await fetcher().file([server.url], wanted(path, bytes, algorithm), { partial });
    expect(fetched.sha256).toBe(sha256(bytes));
    const wrong = { ...wanted(path, bytes, algorithm), digest: { algorithm, hex: '0'.repeat(32) } };
    await expect(fetcher().file([server.url], wrong, { partial })).rejects.toMatchObject({ code: 'net.hash-mismatch' });
  });

  test('comes over a connection that is reset in the middle', async () => {
    const server = await upstream();
    server.script(`/${path}`, { kind: 'reset', after: 10_000 }, { kind: 'truncate', after: 5_000 });
    const partial = join(await folder(), 'partial');
    const notes: string[] = [];
    await fetcher({ onEvent: (event) => event.type === 'note' && notes.push(event.message) }).file(
      [server.url],
      wanted(path, bytes),
      { partial },
    );
    expect((await readFile(partial)).equals(bytes)).toBe(true);
    expect(server.seen).toHaveLength(3);
    expect(notes).toHaveLength(2);
  });

  test('of other bytes is refused, and nothing of it stays', async () => {
    const server = await upstream();
    server.always(`/${path}`, { kind: 'other-bytes' });
    const partial = join(await folder(), 'partial');
    await expect(fetcher().file([server.url], wanted(path, bytes), { partial })).rejects.toMatchObject({
      code: 'net.hash-mismatch',
    });
    await expect(readFile(partial)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(server.seen).toHaveLength(1);
  });

  test('comes from the next upstream where the first has other bytes', async () => {
    const [bad, good] = [await upstream(), await upstream()];
    bad.always(`/${path}`, { kind: 'other-bytes' });
    const partial = join(await folder(), 'partial');
    await fetcher().file([bad.url, good.url], wanted(path, bytes), { partial });
    expect((await readFile(partial)).equals(bytes)).toBe(true);
  });

  test('that has no end is cut off at its promised size', async () => {
    const server = await upstream();
    server.always(`/${path}`, { kind: 'endless' });
    const partial = join(await folder(), 'partial');
    let counted = 0;
    const failure = fetcher().file([server.url], wanted(path, bytes), {
      partial,
      onBytes: (count) => {
        counted = Math.max(counted, counted + count);
      },
    });
    await expect(failure).rejects.toMatchObject({ code: 'net.size' });
    expect(counted).toBeLessThanOrEqual(bytes.length);
    expect(server.seen).toHaveLength(1);
  });

  test.each([1, -1])('that is announced %i byte off is refused before its body', async (off) => {
    const server = await upstream();
    server.always(`/${path}`, { kind: 'announce', sizeBytes: bytes.length + off });
    const partial = join(await folder(), 'partial');
    await expect(fetcher().file([server.url], wanted(path, bytes), { partial })).rejects.toMatchObject({
      code: 'net.size',
    });
    expect(server.seen).toHaveLength(1);
  });

  test('that stops short each time fails by its size after all tries', async () => {
    const server = await upstream();
    server.always(`/${path}`, { kind: 'truncate', after: 100 });
    const partial = join(await folder(), 'partial');
    await expect(fetcher().file([server.url], wanted(path, bytes), { partial })).rejects.toMatchObject({
      code: 'net.size',
      retryable: true,
    });
    expect(server.seen).toHaveLength(3);
  });
});

test('a large file over a line that breaks ten times comes nevertheless, since each try brings something', async () => {
  const server = await upstream();
  server.script('/large', ...Array.from({ length: 10 }, () => ({ kind: 'reset', after: 140_000 }) as const));
  const partial = join(await folder(), 'partial');
  await fetcher().file([server.url], wanted('large', LARGE), { partial });
  expect((await readFile(partial)).equals(LARGE)).toBe(true);
  expect(server.seen.slice(1).every(({ headers }) => headers.range !== undefined)).toBe(true);
});

describe('what is there already', () => {
  test('is not asked for again', async () => {
    const server = await upstream();
    const partial = join(await folder(), 'partial');
    await writeFile(partial, LARGE.subarray(0, 700_000));
    const counts: number[] = [];
    await fetcher().file([server.url], wanted('large', LARGE), { partial, onBytes: (count) => counts.push(count) });
    expect((await readFile(partial)).equals(LARGE)).toBe(true);
    expect(server.seen.map(({ headers }) => headers.range)).toEqual(['bytes=700000-']);
    expect(counts[0]).toBe(700_000);
  });

  test('needs no request when it is all of it', async () => {
    const server = await upstream();
    const partial = join(await folder(), 'partial');
    await writeFile(partial, LARGE);
    const fetched = await fetcher().file([server.url], wanted('large', LARGE), { partial });
    expect(fetched.sha256).toBe(sha256(LARGE));
    expect(server.seen).toEqual([]);
  });

  test.each([
    ['other bytes', Buffer.alloc(700_000, 'x'), 2],
    ['all, of other bytes', Buffer.alloc(LARGE.length, 'x'), 1],
    ['longer than the file', Buffer.alloc(LARGE.length + 1, 'x'), 1],
    ['empty', Buffer.alloc(0), 1],
  ])(
    'and is of no use (%s) is thrown away, and the file fetched once from its beginning',
    async (_, junk, requests) => {
      const server = await upstream();
      const partial = join(await folder(), 'partial');
      await writeFile(partial, junk);
      let counted = 0;
      await fetcher().file([server.url], wanted('large', LARGE), {
        partial,
        onBytes: (count) => {
          counted += count;
        },
      });
      expect((await readFile(partial)).equals(LARGE)).toBe(true);
      expect(server.seen).toHaveLength(requests);
      expect(counted).toBe(LARGE.length);
    },
  );

  test.each([
    ['answers 200 with everything', { kind: 'ignore-range' } as const, 1],
    ['answers 416', { kind: 'refuse-range' } as const, 2],
  ])('is given up where the server %s', async (_, behaviour, requests) => {
    const server = await upstream();
    server.always('/large', behaviour);
    const partial = join(await folder(), 'partial');
    await writeFile(partial, LARGE.subarray(0, 700_000));
    await fetcher().file([server.url], wanted('large', LARGE), { partial });
    expect((await readFile(partial)).equals(LARGE)).toBe(true);
    expect(server.seen).toHaveLength(requests);
  });

  test.each([
    { start: 0, total: LARGE.length },
    { start: 700_000, total: LARGE.length + 5 },
  ])('does not take a range that is another than asked: $start of $total', async (range) => {
    const server = await upstream();
    server.always('/large', { kind: 'wrong-range', ...range });
    const partial = join(await folder(), 'partial');
    await writeFile(partial, LARGE.subarray(0, 700_000));
    await expect(fetcher().file([server.url], wanted('large', LARGE), { partial })).rejects.toMatchObject({
      code: 'net.size',
    });
  });

  test('stays for the next run when the network fails', async () => {
    const server = await upstream();
    server.script('/large', { kind: 'reset', after: 500_000 });
    server.always('/large', { kind: 'status', status: 500 });
    const partial = join(await folder(), 'partial');
    await expect(fetcher().file([server.url], wanted('large', LARGE), { partial })).rejects.toMatchObject({
      code: 'net.status',
    });
    const left = await readFile(partial);
    expect(left.length).toBeGreaterThan(0);
    expect(left.equals(LARGE.subarray(0, left.length))).toBe(true);
  });
});

test('an empty file is a file', async () => {
  const server = await upstream({ '/empty': Buffer.alloc(0) });
  const partial = join(await folder(), 'partial');
  await fetcher().file([server.url], wanted('empty', Buffer.alloc(0)), { partial });
  expect(await readFile(partial)).toHaveLength(0);
});

test('by-hash is asked first, the plain path where that is missing or of other bytes', async () => {
  const server = await upstream({ '/by-hash/x': SMALL });
  const partial = join(await folder(), 'partial');
  const file = { ...wanted('small', SMALL), alternatePath: 'by-hash/x' };
  await fetcher().file([server.url], file, { partial });
  expect(server.seen.map(({ path }) => path)).toEqual(['/by-hash/x']);
  server.script('/by-hash/x', { kind: 'status', status: 404 }, { kind: 'other-bytes' });
  await fetcher().file([server.url], file, { partial });
  await fetcher().file([server.url], file, { partial });
  expect(server.seen.map(({ path }) => path).slice(1)).toEqual(['/by-hash/x', '/small', '/by-hash/x', '/small']);
});

test('a disk that cannot be written to is no fault of the network, and not tried again', async () => {
  const server = await upstream();
  const partial = join(await folder(), 'no-such-folder', 'partial');
  await expect(fetcher().file([server.url], wanted('small', SMALL), { partial })).rejects.toMatchObject({
    code: 'store.io',
  });
  await expect(fetcher().file([server.url], wanted('large', LARGE), { partial })).rejects.toMatchObject({
    code: 'store.io',
  });
  expect(server.seen.length).toBeLessThanOrEqual(1);
});

test('a full disk is told as such', async () => {
  const server = await upstream();
  // By a link, so that whatever goes wrong does not remove the device.
  const partial = join(await folder(), 'partial');
  await symlink('/dev/full', partial);
  await expect(fetcher().file([server.url], wanted('large', LARGE), { partial })).rejects.toMatchObject({
    code: 'store.no-space',
  });
});

describe('a file whose size nobody signed', () => {
  const unsized = (path: string, bytes: Buffer, limit = 10_000_000) => ({
    ...wanted(path, bytes),
    sizeBytes: limit,
    sizeIsLimit: true as const,
  });

  test('comes in the size that upstream says, also when it breaks off', async () => {
    const server = await upstream();
    server.script('/large', { kind: 'reset', after: 500_000 });
    const partial = join(await folder(), 'partial');
    const fetched = await fetcher().file([server.url], unsized('large', LARGE), { partial });
    expect(fetched).toMatchObject({ sizeBytes: LARGE.length, sha256: sha256(LARGE) });
    expect((await readFile(partial)).equals(LARGE)).toBe(true);
  });

  test('that is there already needs no request', async () => {
    const server = await upstream();
    const partial = join(await folder(), 'partial');
    await writeFile(partial, LARGE);
    const fetched = await fetcher().file([server.url], unsized('large', LARGE), { partial });
    expect(fetched.sizeBytes).toBe(LARGE.length);
    expect(server.seen).toEqual([]);
  });

  test('beyond its limit, announced or not, is refused', async () => {
    const server = await upstream();
    const partial = join(await folder(), 'partial');
    const failure = () => fetcher().file([server.url], unsized('large', LARGE, LARGE.length - 1), { partial });
    await expect(failure()).rejects.toMatchObject({ code: 'net.size' });
    server.always('/large', { kind: 'endless' });
    await expect(failure()).rejects.toMatchObject({ code: 'net.size' });
  });
});
