import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codecOf } from '../../src/publish/codecs.ts';
import { KEPT_UNUSED_MS, PieceCache } from '../../src/publish/piece-cache.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pieces-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const piece = (text: string) => ({ content: Buffer.from(text), sha256: text.repeat(64) });
const fileOf = (text: string) => join(dir, codecOf('gz').id, text.repeat(2), text.repeat(62));
const names = async () =>
  (await readdir(dir, { recursive: true })).filter((path) => path.length > 70).map((path) => path.at(-1));

test('pieces that nobody used for long are removed, once a day; those in use stay', async () => {
  const cache = new PieceCache(dir);
  for (const text of ['a', 'b', 'c']) await cache.compress(piece(text), codecOf('gz'));
  const old = new Date(Date.now() - KEPT_UNUSED_MS - 1000);
  await utimes(fileOf('a'), old, old);
  await utimes(fileOf('b'), old, old);
  await writeFile(join(dir, 'tmp-1-left-by-a-kill'), '');
  await utimes(join(dir, 'tmp-1-left-by-a-kill'), old, old);
  await cache.kept(piece('b'), codecOf('gz'));
  expect((await stat(fileOf('b'))).mtimeMs).toBeGreaterThan(old.getTime() + 1000);

  await cache.tidy();
  expect((await names()).sort()).toEqual(['b', 'c']);
  expect((await readdir(dir)).sort()).toEqual([codecOf('gz').id, 'tidied']);
  await utimes(fileOf('c'), old, old);
  await cache.tidy();
  expect((await names()).sort()).toEqual(['b', 'c']);
  await cache.tidy(new Date(Date.now() + 25 * 3600 * 1000));
  expect(await names()).toEqual(['b']);
});

test('the name of the zstd codec says which library made the bytes', async () => {
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(codecOf('zst').id.endsWith(`-${dependencies['zstd-napi']}`)).toBe(true);
});
