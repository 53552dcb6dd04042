import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FileSystem, nodeFileSystem } from '../../src/store/file-system.ts';
import { FLUSH_OBJECTS, SYNC_ALL_FROM } from '../../src/store/object-batch.ts';
import { openStore } from '../../src/store/store.ts';
import type { ObjectRef } from '../../src/store/types.ts';
import { testObjectStore } from '../contracts/object-store.ts';
import { sha256Of, temporaryStore } from '../support/temporary-store.ts';

testObjectStore('directory', async () => {
  const store = await temporaryStore();
  const folder = await store.file('partial');
  return {
    folder,
    open: async () => (await openStore(store.dir)).objects,
    leftovers: async () => (await readdir(join(store.dir, 'tmp'))).length,
    close: async () => undefined,
  };
});

const errno = (code: string) => Object.assign(new Error(`${code}: made up`), { code });

/** The real file system, but for what `overrides` says; `count` counts the calls of each kind. */
function watched(overrides: Partial<FileSystem> = {}): { files: FileSystem; count: Map<string, number> } {
  const count = new Map<string, number>();
  const all = { ...nodeFileSystem, ...overrides };
  const files = Object.fromEntries(
    Object.entries(all).map(([name, call]) => [
      name,
      (...args: never[]) => {
        count.set(name, (count.get(name) ?? 0) + 1);
        return (call as (...args: never[]) => unknown)(...args);
      },
    ]),
  ) as unknown as FileSystem;
  return { files, count };
}

test('objects are read-only files by their hash', async () => {
  const store = await temporaryStore();
  const { sha256 } = await store.objects.put([Buffer.from('content')]);
  const adopted = await store.file('partial', 'x');
  await writeFile(adopted, 'adopted', { mode: 0o600 });
  const second = { sha256: sha256Of('adopted'), sizeBytes: 7 };
  await store.objects.adopt(adopted, second);
  // As a strict umask leaves it.
  const strict = await store.file('partial', 'y');
  await writeFile(strict, 'strict', { mode: 0o400 });
  const third = { sha256: sha256Of('strict'), sizeBytes: 6 };
  await store.objects.adopt(strict, third);
  await store.objects.flush();
  for (const name of [sha256, second.sha256, third.sha256]) {
    const file = join(store.dir, 'objects', name.slice(0, 2), name);
    expect(store.objects.localPath?.(name)).toBe(file);
    expect((await stat(file)).mode & 0o777).toBe(0o444);
    expect(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ).toBe(name);
  }
});

test('a few calls to the system for each object', async () => {
  const { files, count } = watched();
  const store = await temporaryStore(files);
  await store.objects.put([Buffer.from('makes the folders known')]);
  for (let index = 0; index < 256; index++) await store.objects.put([Buffer.from(`warm ${index} ${index}`)]);
  await store.objects.flush();
  count.clear();
  const { sha256 } = await store.objects.put([Buffer.from('one more')], { sizeBytes: 8 });
  expect(Object.fromEntries(count)).toEqual({ open: 1, write: 1, close: 1, lstat: 1 });
  await store.objects.flush();
  // Of the object and of its folder; the folder may be new.
  expect(count.get('fsync')).toBeLessThanOrEqual(3);
  expect(count.get('rename')).toBe(1);
  const file = await store.file('partial', 'x');
  await writeFile(file, 'adopted');
  count.clear();
  await store.objects.adopt(file, { sha256: sha256Of('adopted'), sizeBytes: 7 });
  expect(Object.fromEntries(count)).toEqual({ lstat: 3 });
  expect(await store.objects.stat(sha256)).toBeDefined();
});

/** What a store does to make objects durable, in order. */
async function orderOf(objects: number, syncAll?: FileSystem['syncAll']) {
  const calls: string[] = [];
  const names = new Map<number, string>();
  const files: FileSystem = {
    ...nodeFileSystem,
    open: async (path, flags, mode) => {
      const fd = await nodeFileSystem.open(path, flags, mode);
      names.set(fd, path);
      return fd;
    },
    fsync: async (fd) => {
      await nodeFileSystem.fsync(fd);
      calls.push(`fsync ${names.get(fd)}`);
    },
    rename: async (from, to) => {
      calls.push(`rename ${from} ${to}`);
      await nodeFileSystem.rename(from, to);
    },
    ...(syncAll && {
      syncAll: async (folder) => {
        calls.push('sync all');
        await syncAll(folder);
      },
    }),
  };
  const store = await temporaryStore(files);
  const adopted = await store.file('partial', 'x');
  await writeFile(adopted, 'adopted', { mode: 0o600 });
  calls.length = 0;
  const refs = await Promise.all(Array.from({ length: objects }, (_, n) => store.objects.put([Buffer.from(`n${n}`)])));
  await store.objects.adopt(adopted, { sha256: sha256Of('adopted'), sizeBytes: 7 });
  await store.objects.flush();
  const place = (sha256: string): string => join(store.dir, 'objects', sha256.slice(0, 2), sha256);
  const places = [...refs.map(({ sha256 }) => place(sha256)), place(sha256Of('adopted'))];
  for (const file of places) expect((await stat(file)).mode & 0o777).toBe(0o444);
  return { calls, places };
}

const fine = async (): Promise<void> => undefined;
const fails = async (): Promise<void> => {
  throw new Error('no such tool');
};

test.each([
  ['few objects', 3, fine],
  ['many objects', SYNC_ALL_FROM, undefined],
  ['many objects, where nobody can sync all', SYNC_ALL_FROM, fails],
] as const)(
  'each object is durable before its name is, and its name before flush returns: %s',
  async (_, objects, syncAll) => {
    const { calls, places } = await orderOf(objects, syncAll);
    for (const place of places) {
      const renamed = calls.findIndex((call) => call.startsWith('rename') && call.endsWith(place));
      const temporary = calls[renamed]?.split(' ')[1];
      expect(calls.indexOf(`fsync ${temporary}`)).toBeGreaterThanOrEqual(0);
      expect(calls.indexOf(`fsync ${temporary}`)).toBeLessThan(renamed);
      expect(calls.lastIndexOf(`fsync ${join(place, '..')}`)).toBeGreaterThan(renamed);
    }
  },
);

test('many objects are made durable together, then named, then their names are', async () => {
  const { calls, places } = await orderOf(SYNC_ALL_FROM, fine);
  expect(calls.map((call) => call.split(' ')[0])).toEqual(['sync', ...places.map(() => 'rename'), 'sync']);
});

test('flushes by itself when much is pending, and objects come in meanwhile', async () => {
  let release = (): void => {};
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const store = await temporaryStore({ ...nodeFileSystem, syncAll: () => slow });
  const put = (name: string) => store.objects.put([Buffer.from(name)]);
  const refs: ObjectRef[] = [];
  for (let index = 0; index < FLUSH_OBJECTS; index++) refs.push(await put(`n${index}`));
  await put('one after');
  const other = await openStore(store.dir);
  expect(await other.objects.stat(refs[0]?.sha256 ?? '')).toBeUndefined();
  release();
  await expect.poll(() => other.objects.stat(refs.at(-1)?.sha256 ?? '')).toBeDefined();
  expect(await other.objects.stat(sha256Of('one after'))).toBeUndefined();
});

test('what a flush on the way loses fails the next one, before much more has come', async () => {
  const { files } = watched({
    fsync: async () => {
      throw errno('EIO');
    },
  });
  const { dir } = await temporaryStore();
  const store = await openStore(dir, { files });
  let taken = 0;
  const putAll = async (): Promise<void> => {
    for (; taken < 10 * FLUSH_OBJECTS; taken++) await store.objects.put([Buffer.from(`n${taken}`)]);
  };
  await expect(putAll()).rejects.toMatchObject({ code: 'store.io' });
  expect(taken).toBeLessThan(4 * FLUSH_OBJECTS);
});

test.each(['ENOSPC', 'EDQUOT'])('%s while writing: said so, and nothing stays', async (code) => {
  const { files } = watched({
    write: async () => {
      throw errno(code);
    },
  });
  const store = await temporaryStore();
  const broken = await openStore(store.dir, { files });
  await expect(broken.objects.put([Buffer.from('x')])).rejects.toMatchObject({ code: 'store.no-space' });
  expect(await readdir(join(store.dir, 'tmp'))).toEqual([]);
  await broken.objects.flush();
});

test('after a failed fsync no flush succeeds until the object is put again', async () => {
  let fails = true;
  const { files } = watched({
    fsync: async (fd) => {
      if (fails) throw errno('EIO');
      await nodeFileSystem.fsync(fd);
    },
  });
  const { dir } = await temporaryStore();
  const store = await openStore(dir, { files });
  await store.objects.put([Buffer.from('x')]);
  await expect(store.objects.flush()).rejects.toMatchObject({ code: 'store.io' });
  fails = false;
  await expect(store.objects.flush()).rejects.toMatchObject({ code: 'store.io' });
  expect(await store.objects.stat(sha256Of('x'))).toBeUndefined();
  expect(await readdir(join(dir, 'tmp'))).toEqual([]);
  await store.objects.put([Buffer.from('x')]);
  await store.objects.flush();
  expect(await store.objects.stat(sha256Of('x'))).toBeDefined();
});

test('a short write is gone on with', async () => {
  const { files } = watched({ write: (fd, bytes) => nodeFileSystem.write(fd, bytes.subarray(0, 3)) });
  const { dir } = await temporaryStore();
  const store = await openStore(dir, { files });
  const { sha256 } = await store.objects.put([Buffer.from('more than three bytes')]);
  expect((await store.objects.read(sha256, 100))?.toString()).toBe('more than three bytes');
});

test('a damaged object is replaced when it is put again, and its mark is cleared', async () => {
  const store = await temporaryStore();
  const { sha256 } = await store.objects.put([Buffer.from('good')]);
  await store.objects.flush();
  const file = join(store.dir, 'objects', sha256.slice(0, 2), sha256);
  const { chmod } = await import('node:fs/promises');
  await chmod(file, 0o644);
  await writeFile(file, 'evil');
  await store.bad.add(sha256);
  expect(store.bad.has(sha256)).toBe(true);
  await store.objects.put([Buffer.from('good')], { sha256, sizeBytes: 4 });
  expect((await store.objects.read(sha256, 10))?.toString()).toBe('good');
  await store.objects.flush();
  expect(await readFile(file, 'utf8')).toBe('good');
  expect(store.bad.has(sha256)).toBe(false);
});

test('a file on another file system is copied', async () => {
  const { files } = watched({
    lstat: async (path) => {
      const stats = await nodeFileSystem.lstat(path);
      if (stats && path.endsWith('elsewhere')) stats.dev += 1;
      return stats;
    },
  });
  const { dir } = await temporaryStore();
  const store = await openStore(dir, { files });
  const file = join(dir, 'elsewhere');
  await writeFile(file, 'far away');
  await store.objects.adopt(file, { sha256: sha256Of('far away'), sizeBytes: 8 });
  await store.objects.flush();
  expect((await store.objects.read(sha256Of('far away'), 10))?.toString()).toBe('far away');
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('what is no object is not listed', async () => {
  const store = await temporaryStore();
  await mkdir(join(store.dir, 'objects', 'ab'));
  await writeFile(join(store.dir, 'objects', 'ab', 'README'), 'x');
  for await (const object of store.objects.list()) expect.fail(`listed ${object.sha256}`);
});
