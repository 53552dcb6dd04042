import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ByteSource, ObjectRef, ObjectStore } from '../../src/store/types.ts';
import { sha256Of } from '../support/temporary-store.ts';

/** One place where objects live. Several instances over it are what several processes are. */
export interface Backend {
  /** A new instance over the same place. */
  open(): Promise<ObjectStore>;
  /** A folder on the file system that `adopt` takes files from. */
  readonly folder: string;
  /** Files and the like that belong to no object: must be 0 once nothing is pending. */
  leftovers(): Promise<number>;
  close(): Promise<void>;
}

const refOf = (content: string | Uint8Array): ObjectRef => ({
  sha256: sha256Of(content),
  sizeBytes: Buffer.byteLength(content),
});

const bytesOf = (...parts: string[]): Buffer[] => parts.map((part) => Buffer.from(part));

async function contentOf(objects: ObjectStore, sha256: string, range?: { start: number; end: number }) {
  const stream = await objects.open(sha256, range);
  return stream && (await buffer(stream));
}

/** What every backend of the store must do (see ObjectStore in src/store/types.ts). */
export function testObjectStore(name: string, makeBackend: () => Promise<Backend>): void {
  const setUp = async () => {
    const backend = await makeBackend();
    onTestFinished(() => backend.close());
    return { backend, objects: await backend.open() };
  };

  describe(`object store contract: ${name}`, () => {
    test('what was put can be read at once, in whole and in part', async () => {
      const { objects } = await setUp();
      const ref = await objects.put(bytesOf('hello ', 'world'));
      expect(ref).toEqual(refOf('hello world'));
      expect(await objects.stat(ref.sha256)).toEqual(ref);
      expect((await objects.read(ref.sha256, 11))?.toString()).toBe('hello world');
      expect((await contentOf(objects, ref.sha256))?.toString()).toBe('hello world');
      expect((await contentOf(objects, ref.sha256, { start: 6, end: 9 }))?.toString()).toBe('wor');
      expect((await contentOf(objects, ref.sha256, { start: 6, end: 999 }))?.toString()).toBe('world');
      expect((await contentOf(objects, ref.sha256, { start: 4, end: 4 }))?.length).toBe(0);
    });

    test('others see it after flush, with all its bytes', async () => {
      const { backend, objects } = await setUp();
      const content = randomBytes(3_000_000);
      const { sha256 } = await objects.put([content]);
      await objects.flush();
      const other = await backend.open();
      expect(sha256Of((await contentOf(other, sha256)) ?? '')).toBe(sha256);
      expect(await backend.leftovers()).toBe(0);
    });

    test('the empty object is an object', async () => {
      const { objects } = await setUp();
      const ref = await objects.put([]);
      await objects.flush();
      expect(ref).toEqual(refOf(''));
      expect((await contentOf(objects, ref.sha256))?.length).toBe(0);
      expect((await objects.read(ref.sha256, 0))?.length).toBe(0);
    });

    test('absence is undefined, false, or no element of a list', async () => {
      const { objects } = await setUp();
      const { sha256 } = refOf('nobody put this');
      expect(await objects.open(sha256)).toBeUndefined();
      expect(await objects.read(sha256, 100)).toBeUndefined();
      expect(await objects.stat(sha256)).toBeUndefined();
      expect(await objects.remove(sha256)).toBe(false);
      expect(await listed(objects)).toEqual([]);
    });

    test.each<[string, Partial<ObjectRef>]>([
      ['another hash', { sha256: sha256Of('other') }],
      ['fewer bytes', { sizeBytes: 6 }],
      ['more bytes', { sizeBytes: 4 }],
      ['the right hash and a wrong size', { ...refOf('hello'), sizeBytes: 4 }],
    ])('refuses bytes that are not as expected: %s', async (_, expected) => {
      const { backend, objects } = await setUp();
      await expect(objects.put(bytesOf('hel', 'lo'), expected)).rejects.toMatchObject({ code: 'store.hash-mismatch' });
      expect(await objects.stat(sha256Of('hello'))).toBeUndefined();
      await objects.flush();
      expect(await listed(objects)).toEqual([]);
      expect(await backend.leftovers()).toBe(0);
    });

    test('stops to read as soon as the size is exceeded', async () => {
      const { objects } = await setUp();
      let given = 0;
      const endless = function* () {
        for (;;) {
          given += 1000;
          yield Buffer.alloc(1000);
        }
      };
      await expect(objects.put(endless(), { sizeBytes: 5000 })).rejects.toMatchObject({ code: 'store.hash-mismatch' });
      expect(given).toBe(6000);
    });

    test('a source that fails leaves nothing, and its error is passed on', async () => {
      const { backend, objects } = await setUp();
      const failure = new Error('connection reset');
      const broken: ByteSource = (async function* () {
        yield Buffer.alloc(300_000);
        throw failure;
      })();
      await expect(objects.put(broken)).rejects.toBe(failure);
      await objects.flush();
      expect(await listed(objects)).toEqual([]);
      expect(await backend.leftovers()).toBe(0);
    });

    test('a source may use its buffer again for each chunk', async () => {
      const { objects } = await setUp();
      const reused = Buffer.alloc(4);
      const source = function* () {
        for (let value = 0; value < 10; value++) yield reused.fill(value);
      };
      const { sha256 } = await objects.put(source());
      const content = await objects.read(sha256, 100);
      expect(content && sha256Of(content)).toBe(sha256);
    });

    test('storing what is there already is a no-op', async () => {
      const { backend, objects } = await setUp();
      const ref = await objects.put(bytesOf('twice'));
      await objects.flush();
      const [before] = await listed(objects);
      expect(await objects.put(bytesOf('twice'))).toEqual(ref);
      expect(await objects.put(bytesOf('twice'), ref)).toEqual(ref);
      await objects.flush();
      expect(await listed(objects)).toEqual([before]);
      expect(await backend.leftovers()).toBe(0);
    });

    test('many at a time may put the same object, through several instances', async () => {
      const { backend, objects } = await setUp();
      const other = await backend.open();
      const content = randomBytes(200_000);
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const instance = index % 2 === 0 ? objects : other;
          await instance.put([content.subarray(0, 100_000), content.subarray(100_000)]);
          if (index % 5 === 0) await instance.flush();
        }),
      );
      await Promise.all([objects.flush(), other.flush()]);
      expect(await listed(objects)).toEqual([refOf(content)]);
      expect((await contentOf(other, sha256Of(content)))?.equals(content)).toBe(true);
      expect(await backend.leftovers()).toBe(0);
    });

    test('readers find objects while they are flushed', async () => {
      const { objects } = await setUp();
      const refs = await Promise.all(Array.from({ length: 60 }, (_, index) => objects.put(bytesOf(`object ${index}`))));
      const flushed = objects.flush();
      for (const [index, ref] of refs.entries()) {
        expect((await objects.read(ref.sha256, 100))?.toString()).toBe(`object ${index}`);
        expect(await objects.stat(ref.sha256)).toEqual(ref);
      }
      await flushed;
    });

    test('adopts a file by moving it', async () => {
      const { backend, objects } = await setUp();
      const file = join(backend.folder, 'downloaded');
      await writeFile(file, 'from elsewhere');
      await objects.adopt(file, refOf('from elsewhere'));
      expect((await objects.read(sha256Of('from elsewhere'), 100))?.toString()).toBe('from elsewhere');
      await objects.flush();
      expect(await listed(objects)).toEqual([refOf('from elsewhere')]);
      await expect(writeFile(file, '', { flag: 'r+' })).rejects.toMatchObject({ code: 'ENOENT' });
      await writeFile(file, 'from elsewhere');
      await objects.adopt(file, refOf('from elsewhere'));
      await objects.flush();
      await expect(writeFile(file, '', { flag: 'r+' })).rejects.toMatchObject({ code: 'ENOENT' });
    });

    test('refuses to adopt a file of another size, and leaves it', async () => {
      const { backend, objects } = await setUp();
      const file = join(backend.folder, 'short');
      await writeFile(file, 'shor');
      await expect(objects.adopt(file, refOf('short'))).rejects.toMatchObject({ code: 'store.hash-mismatch' });
      await writeFile(file, 'still here', { flag: 'r+' });
    });

    test('reads documents up to a limit only', async () => {
      const { objects } = await setUp();
      const { sha256 } = await objects.put([Buffer.alloc(101)]);
      await expect(objects.read(sha256, 100)).rejects.toMatchObject({ code: 'store.corrupt' });
      expect((await objects.read(sha256, 101))?.length).toBe(101);
    });

    test('lists by hash, from any hash on, with the time of arrival', async () => {
      const { objects } = await setUp();
      const startMs = Date.now();
      const refs = await Promise.all(Array.from({ length: 300 }, (_, index) => objects.put(bytesOf(String(index)))));
      await objects.flush();
      const sorted = refs.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
      expect(await listed(objects)).toEqual(sorted);
      for (const [index, { sha256 }] of sorted.entries()) {
        if (index % 50 === 0) expect(await listed(objects, sha256)).toEqual(sorted.slice(index + 1));
      }
      expect(await listed(objects, `7f${'0'.repeat(62)}`)).toEqual(
        sorted.filter(({ sha256 }) => sha256 > `7f${'0'.repeat(62)}`),
      );
      for await (const { storedAtMs } of objects.list()) {
        expect(storedAtMs).toBeGreaterThan(startMs - 2000);
        expect(storedAtMs).toBeLessThan(Date.now() + 2000);
      }
    });

    test('removes, also what waits for its flush', async () => {
      const { backend, objects } = await setUp();
      const kept = await objects.put(bytesOf('kept'));
      const gone = await objects.put(bytesOf('gone'));
      await objects.flush();
      const pending = await objects.put(bytesOf('pending'));
      expect(await objects.remove(gone.sha256)).toBe(true);
      expect(await objects.remove(gone.sha256)).toBe(false);
      expect(await objects.remove(pending.sha256)).toBe(true);
      expect(await objects.read(pending.sha256, 100)).toBeUndefined();
      await objects.flush();
      expect(await listed(objects)).toEqual([kept]);
      expect(await backend.leftovers()).toBe(0);
    });

    test.each(['', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(62)}/b`])(
      'takes nothing for a hash that is none: %j',
      async (sha256) => {
        const { objects } = await setUp();
        for (const call of [
          () => objects.stat(sha256),
          () => objects.open(sha256),
          () => objects.read(sha256, 10),
          () => objects.remove(sha256),
        ]) {
          await expect(call()).rejects.toMatchObject({ code: 'internal.bug' });
        }
      },
    );

    test('gives back any bytes, however they are cut', async () => {
      const { objects } = await setUp();
      const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(chunks, fc.nat(1000), fc.nat(1000), async (parts, a, b) => {
          const content = Buffer.concat(parts);
          const range = { start: Math.min(a, b), end: Math.max(a, b) };
          const ref = await objects.put(parts);
          expect(ref).toEqual(refOf(content));
          expect(await contentOf(objects, ref.sha256)).toEqual(content);
          expect(await contentOf(objects, ref.sha256, range)).toEqual(content.subarray(range.start, range.end));
        }),
        { numRuns: 50 },
      );
    });
  });
}

async function listed(objects: ObjectStore, after?: string): Promise<ObjectRef[]> {
  const refs: ObjectRef[] = [];
  for await (const { sha256, sizeBytes } of objects.list(after)) refs.push({ sha256, sizeBytes });
  return refs;
}
