import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseLines } from '../../src/store/line-table.ts';
import { diffManifests, lookupPath, ManifestReader, readManifest, writeManifest } from '../../src/store/manifest.ts';
import { loadRoot, parseRoot } from '../../src/store/manifest-format.ts';
import type { Store } from '../../src/store/types.ts';
import { manyEntries } from '../support/many-entries.ts';
import { sha256Of, temporaryStore } from '../support/temporary-store.ts';

const hash = sha256Of('');
const other = sha256Of('other');

describe('chunks', () => {
  const parse = (text: string | Buffer) => parseLines(Buffer.from(text), { at: 0, numbers: 1, what: 'chunk' });

  test('a good one', () => {
    const table = parse(`${hash} 0 a\n${other} 12 a/b c\n`);
    expect([table.count, table.path(1), table.sha256(1), table.number(1, 0)]).toEqual([2, 'a/b c', other, 12]);
  });

  test.each<[string, string | Buffer]>([
    ['no newline at the end', `${hash} 0 a`],
    ['an empty line', `${hash} 0 a\n\n`],
    ['a short hash', `${hash.slice(1)} 0 a\n`],
    ['an upper-case hash', `${hash.toUpperCase()} 0 a\n`],
    ['two spaces', `${hash}  0 a\n`],
    ['no size', `${hash} a\n`],
    ['a size with a leading zero', `${hash} 01 a\n`],
    ['a negative size', `${hash} -1 a\n`],
    ['a size beyond 16 digits', `${hash} 12345678901234567 a\n`],
    ['a size that is no exact number', `${hash} 9007199254740992 a\n`],
    ['no path', `${hash} 0 \n`],
    ['an absolute path', `${hash} 0 /a\n`],
    ['a path that escapes', `${hash} 0 a/../b\n`],
    ['a dot', `${hash} 0 ./b\n`],
    ['an empty segment', `${hash} 0 a//b\n`],
    ['a slash at the end', `${hash} 0 a/\n`],
    ['a NUL', `${hash} 0 a\0\n`],
    ['a carriage return', `${hash} 0 a\r\n`],
    ['a backslash', `${hash} 0 a\\b\n`],
    ['a path twice', `${hash} 0 a\n${hash} 0 a\n`],
    ['paths out of order', `${hash} 0 b\n${hash} 0 a\n`],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from(`${hash} 0 `), Buffer.from([0xc3, 0x0a])])],
    ['an overlong path', `${hash} 0 ${'x'.repeat(4096)}\n`],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrowError(expect.objectContaining({ code: 'store.corrupt' }));
  });

  test('the message names the line', () => {
    expect(() => parse(`${hash} 0 a\n${hash} 0 b\nx\n`)).toThrowError('read chunk: line 3: expected a SHA-256');
  });
});

describe('roots', () => {
  const line = `${hash} 9 2 5 a\n`;
  const parse = (text: string) => parseRoot(hash, Buffer.from(text));

  test('a good one', () => {
    const root = parse(`kubedos-manifest 1\nfiles 2\nbytes 5\n${line}`);
    expect(root.ref).toEqual({ root: hash, files: 2, bytes: 5 });
    expect(root.chunk(0)).toEqual({ sha256: hash, sizeBytes: 9, files: 2, bytes: 5 });
  });

  test.each([
    ['nothing', ''],
    ['another first line', `manifest 1\nfiles 2\nbytes 5\n${line}`],
    ['a wrong number of files', `kubedos-manifest 1\nfiles 3\nbytes 5\n${line}`],
    ['a wrong sum of bytes', `kubedos-manifest 1\nfiles 2\nbytes 6\n${line}`],
    ['a leading zero', `kubedos-manifest 1\nfiles 02\nbytes 5\n${line}`],
    ['a chunk twice', `kubedos-manifest 1\nfiles 4\nbytes 10\n${line}${line}`],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrowError(expect.objectContaining({ code: 'store.corrupt' }));
  });

  test('a later format is said to be one', () => {
    expect(() => parse('kubedos-manifest 2\n')).toThrowError(expect.objectContaining({ code: 'store.version' }));
  });
});

describe('on disk', () => {
  async function setUp() {
    const store = await temporaryStore();
    const entries = manyEntries(2000);
    const { root } = await writeManifest(store.objects, entries);
    await store.objects.flush();
    const { table } = await loadRoot(store.objects, root);
    return { store, root, chunk: table.sha256(3), inChunk: table.path(3), elsewhere: table.path(1) };
  }

  const flip = async (store: Store, sha256: string, at: number) => {
    const file = store.objects.localPath?.(sha256) ?? '';
    const bytes = await readFile(file);
    bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
    await chmod(file, 0o644);
    await writeFile(file, bytes);
  };

  const drain = async (items: AsyncIterable<unknown>) => {
    for await (const _ of items);
  };

  test('any flipped bit in a chunk is noticed by who reads it, and by nobody else', async () => {
    const { store, root, chunk, inChunk, elsewhere } = await setUp();
    const empty = await writeManifest(store.objects, []);
    for (const at of [0, 63, 64, 65, 66, 80, 1000, 5000]) {
      await flip(store, chunk, at);
      const damaged = { code: 'store.bad-object', message: expect.stringContaining(chunk) };
      const { objects } = store;
      await expect(lookupPath(objects, root, inChunk)).rejects.toMatchObject(damaged);
      await expect(drain(readManifest(objects, root))).rejects.toMatchObject(damaged);
      await expect(drain(diffManifests(objects, root, empty.root))).rejects.toMatchObject(damaged);
      await expect(new ManifestReader(objects).lookup(root, inChunk)).rejects.toMatchObject(damaged);
      expect(await lookupPath(objects, root, elsewhere)).toBeDefined();
      await flip(store, chunk, at);
    }
    expect(await lookupPath(store.objects, root, inChunk)).toBeDefined();
  });

  test('any flipped bit in a root is noticed', async () => {
    const { store, root, inChunk } = await setUp();
    for (const at of [0, 17, 25, 40, 100, 700]) {
      await flip(store, root, at);
      await expect(lookupPath(store.objects, root, inChunk)).rejects.toMatchObject({ code: 'store.bad-object' });
      await flip(store, root, at);
    }
  });

  test('a missing chunk and a missing root are different errors', async () => {
    const { store, root, chunk, inChunk } = await setUp();
    await rm(store.objects.localPath?.(chunk) ?? '');
    await expect(lookupPath(store.objects, root, inChunk)).rejects.toMatchObject({ code: 'store.corrupt' });
    await expect(lookupPath(store.objects, hash, inChunk)).rejects.toMatchObject({ code: 'store.not-found' });
  });
});
