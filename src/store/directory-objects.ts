import { createReadStream, type Stats } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { KubedosError, storageError } from '../errors.ts';
import { temporaryName } from './documents.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { checkSha256, SHA256 } from './names.ts';
import { OBJECT_MODE, ObjectBatch, type Pending } from './object-batch.ts';
import { hashInto, writeTemporary } from './object-intake.ts';
import { ObjectPlaces } from './object-places.ts';
import type { BadObjects, ByteRange, ByteSource, ObjectRef, ObjectStore, Sha256 } from './types.ts';

const STREAM_BUFFER_BYTES = 1024 * 1024;
const STAT_BATCH = 512;

/** Objects as files `objects/ab/<64 hex digits>`, mode 0444. */
export class DirectoryObjects implements ObjectStore {
  readonly #places: ObjectPlaces;
  readonly #tmp: string;
  readonly #files: FileSystem;
  readonly #bad: BadObjects;
  readonly #batch: ObjectBatch;
  #device: number | undefined;

  constructor(dir: string, files: FileSystem, bad: BadObjects) {
    this.#places = new ObjectPlaces(join(dir, 'objects'));
    this.#tmp = join(dir, 'tmp');
    this.#files = files;
    this.#bad = bad;
    this.#batch = new ObjectBatch(this.#places, files, bad);
  }

  async put(source: ByteSource, expected: Partial<ObjectRef> = {}): Promise<ObjectRef> {
    const { sha256, sizeBytes } = expected;
    if (sha256 !== undefined && (this.#batch.has(sha256) || (await this.#isSound(sha256, sizeBytes)))) {
      return hashInto(source, expected, async () => undefined);
    }
    const file = join(this.#tmp, temporaryName('object'));
    const ref = await writeTemporary(this.#files, file, (write) => hashInto(source, expected, write));
    await this.#enqueue(ref, { file, sizeBytes: ref.sizeBytes, otherMode: false });
    return ref;
  }

  async adopt(file: string, ref: ObjectRef): Promise<void> {
    checkSha256(ref.sha256);
    let otherMode: boolean;
    try {
      const stats = await this.#files.lstat(file);
      if (!stats?.isFile() || stats.size !== ref.sizeBytes) {
        throw new KubedosError(
          'store.hash-mismatch',
          `adopt ${file}: ${stats?.size ?? 'no'} bytes, expected ${ref.sizeBytes} for object ${ref.sha256}`,
        );
      }
      otherMode = (stats.mode & 0o777) !== OBJECT_MODE;
      this.#device ??= (await this.#files.lstat(this.#tmp))?.dev;
      if (stats.dev !== this.#device) {
        await this.put(createReadStream(file, { highWaterMark: STREAM_BUFFER_BYTES }), ref);
        await this.#files.unlink(file);
        return;
      }
    } catch (error) {
      throw storageError(`adopt ${file}`, error);
    }
    // It stays where it is until the flush: what a kill leaves there is found again by who made it.
    await this.#enqueue(ref, { file, sizeBytes: ref.sizeBytes, otherMode });
  }

  async #enqueue({ sha256 }: ObjectRef, pending: Pending): Promise<void> {
    const needless = this.#batch.has(sha256) || (await this.#isSound(sha256, pending.sizeBytes));
    if (!needless && this.#batch.add(sha256, pending)) {
      if (this.#batch.isFull) await this.#batch.flushSoon();
    } else if (this.#batch.fileOf(sha256) !== pending.file) {
      await this.#files.unlink(pending.file).catch(() => undefined);
    }
  }

  /** True if the object is in its place with the right size and not known as damaged. */
  async #isSound(sha256: Sha256, sizeBytes: number | undefined): Promise<boolean> {
    const stats = await this.#statPlace(sha256);
    if (!stats || (sizeBytes !== undefined && stats.size !== sizeBytes)) return false;
    return !this.#bad.has(sha256) && !this.#batch.hasLost(sha256);
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  async open(sha256: Sha256, range?: ByteRange): Promise<Readable | undefined> {
    return this.#read(sha256, async (fd, sizeBytes) => {
      const start = range?.start ?? 0;
      const end = Math.min(range?.end ?? sizeBytes, sizeBytes);
      if (start < end) {
        return createReadStream('', { fd, start, end: end - 1, highWaterMark: STREAM_BUFFER_BYTES });
      }
      await this.#files.close(fd);
      return Readable.from([]);
    });
  }

  async read(sha256: Sha256, maxBytes: number): Promise<Buffer | undefined> {
    return this.#read(sha256, async (fd, sizeBytes) => {
      if (sizeBytes > maxBytes) {
        throw new KubedosError('store.corrupt', `read object ${sha256}: ${sizeBytes} bytes, expected ≤ ${maxBytes}`);
      }
      const bytes = Buffer.allocUnsafe(sizeBytes);
      let at = 0;
      while (at < sizeBytes) {
        const count = await this.#files.read(fd, bytes.subarray(at), at);
        if (count === 0) break;
        at += count;
      }
      await this.#files.close(fd);
      return bytes.subarray(0, at);
    });
  }

  /** Opens the object wherever it lies now. `use` closes the descriptor, or hands it on, unless it throws. */
  async #read<T>(sha256: Sha256, use: (fd: number, sizeBytes: number) => Promise<T>): Promise<T | undefined> {
    try {
      const fd = await this.#openFile(sha256);
      if (fd === undefined) return undefined;
      try {
        return await use(fd, (await this.#files.fstat(fd)).size);
      } catch (error) {
        await this.#files.close(fd).catch(() => undefined);
        throw error;
      }
    } catch (error) {
      throw storageError(`read object ${sha256}`, error);
    }
  }

  /** Where it waits for the flush, else in its place: a flush may move it between the two looks, and never back. */
  async #openFile(sha256: Sha256): Promise<number | undefined> {
    const pending = this.#batch.fileOf(checkSha256(sha256));
    const early = pending === undefined ? undefined : await unlessAbsent(() => this.#files.open(pending, 'r'));
    return early ?? (await unlessAbsent(() => this.#files.open(this.#places.of(sha256), 'r')));
  }

  async stat(sha256: Sha256): Promise<ObjectRef | undefined> {
    const pendingBytes = this.#batch.sizeOf(checkSha256(sha256));
    if (pendingBytes !== undefined) return { sha256, sizeBytes: pendingBytes };
    const stats = await this.#statPlace(sha256);
    return stats && { sha256, sizeBytes: stats.size };
  }

  async #statPlace(sha256: Sha256): Promise<Stats | undefined> {
    try {
      return await this.#files.lstat(this.#places.of(sha256));
    } catch (error) {
      throw storageError(`look for object ${sha256}`, error);
    }
  }

  async *list(after: Sha256 = ''): AsyncGenerator<ObjectRef & { readonly storedAtMs: number }> {
    for (let prefix = Number.parseInt(after.slice(0, 2) || '0', 16); prefix < 256; prefix++) {
      const folder = this.#places.folder(prefix);
      const names = (await this.#names(folder)).filter((name) => name > after).sort();
      for (let at = 0; at < names.length; at += STAT_BATCH) {
        const batch = names.slice(at, at + STAT_BATCH);
        const found = await this.#statAll(folder, batch);
        for (const [index, stats] of found.entries()) {
          const sha256 = batch[index];
          // The change time is that of the rename into place, also for adopted files, and cannot be set back.
          if (stats && sha256) yield { sha256, sizeBytes: stats.size, storedAtMs: stats.ctimeMs };
        }
      }
    }
  }

  async #statAll(folder: string, names: readonly string[]): Promise<(Stats | undefined)[]> {
    try {
      return await this.#files.lstatAll(folder, names);
    } catch (error) {
      throw storageError(`list ${folder}`, error);
    }
  }

  async #names(folder: string): Promise<string[]> {
    try {
      const names = (await unlessAbsent(() => this.#files.readdir(folder))) ?? [];
      return names.filter((name) => SHA256.test(name));
    } catch (error) {
      throw storageError(`list ${folder}`, error);
    }
  }

  async remove(sha256: Sha256): Promise<boolean> {
    try {
      const pending = this.#batch.drop(checkSha256(sha256));
      const unlinked = [this.#places.of(sha256), ...(pending ? [pending.file] : [])].map((file) =>
        unlessAbsent(() => this.#files.unlink(file).then(() => true)),
      );
      const removed = (await Promise.all(unlinked)).includes(true);
      if (removed && this.#bad.has(sha256)) await this.#bad.clear(sha256);
      return removed;
    } catch (error) {
      throw storageError(`remove object ${sha256}`, error);
    }
  }

  localPath(sha256: Sha256): string {
    return this.#batch.fileOf(checkSha256(sha256)) ?? this.#places.of(sha256);
  }
}
