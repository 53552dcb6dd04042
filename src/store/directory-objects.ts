import { createReadStream, type Stats } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import { temporaryName } from './documents.ts';
import { eachLimit } from './each-limit.ts';
import { type FileSystem, fsyncFolder, unlessAbsent } from './file-system.ts';
import { checkSha256, SHA256 } from './names.ts';
import { hashInto, writeTemporary } from './object-intake.ts';
import type { BadObjects, ByteRange, ByteSource, ObjectRef, ObjectStore, Sha256 } from './types.ts';

/** So much may wait for `flush` before a `put` or `adopt` flushes by itself. */
export const FLUSH_OBJECTS = 512;
export const FLUSH_BYTES = 256 * 1024 * 1024;

const PARALLEL = 16;
const STREAM_BUFFER_BYTES = 1024 * 1024;
const STAT_BATCH = 512;

/** An object that is complete in a temporary file. */
interface Pending {
  readonly file: string;
  readonly sizeBytes: number;
  /** Came by `adopt`: its mode is still the caller's. */
  readonly adopted: boolean;
}

/** Objects as files `objects/ab/<64 hex digits>`, mode 0444. */
export class DirectoryObjects implements ObjectStore {
  readonly #objects: string;
  readonly #tmp: string;
  readonly #files: FileSystem;
  readonly #bad: BadObjects;
  readonly #pending = new Map<Sha256, Pending>();
  #pendingBytes = 0;
  /** Objects whose bytes the disk lost at a flush. Until they are put again no flush succeeds: nothing may point at them. */
  readonly #lost = new Map<Sha256, unknown>();
  readonly #folders = new Set<string>();
  #turn: Promise<void> = Promise.resolve();
  #device: number | undefined;

  constructor(dir: string, files: FileSystem, bad: BadObjects) {
    this.#objects = join(dir, 'objects');
    this.#tmp = join(dir, 'tmp');
    this.#files = files;
    this.#bad = bad;
  }

  async put(source: ByteSource, expected: Partial<ObjectRef> = {}): Promise<ObjectRef> {
    if (expected.sha256 !== undefined && (await this.#isSound(expected.sha256, expected.sizeBytes))) {
      return hashInto(source, expected, async () => undefined);
    }
    const file = join(this.#tmp, temporaryName('object'));
    const ref = await writeTemporary(this.#files, file, (write) => hashInto(source, expected, write));
    await this.#enqueue(ref, { file, sizeBytes: ref.sizeBytes, adopted: false });
    return ref;
  }

  async adopt(file: string, ref: ObjectRef): Promise<void> {
    checkSha256(ref.sha256);
    try {
      const stats = await this.#files.lstat(file);
      if (!stats.isFile() || stats.size !== ref.sizeBytes) {
        throw new KubedosError(
          'store.hash-mismatch',
          `adopt ${file}: ${stats.size} bytes, expected ${ref.sizeBytes} for object ${ref.sha256}`,
        );
      }
      this.#device ??= (await this.#files.lstat(this.#tmp)).dev;
      if (stats.dev !== this.#device) {
        await this.put(createReadStream(file, { highWaterMark: STREAM_BUFFER_BYTES }), ref);
        await this.#files.unlink(file);
        return;
      }
    } catch (error) {
      throw storageError(`adopt ${file}`, error);
    }
    // It stays where it is until the flush: what a kill leaves there is found again by who made it.
    await this.#enqueue(ref, { file, sizeBytes: ref.sizeBytes, adopted: true });
  }

  async #enqueue({ sha256 }: ObjectRef, pending: Pending): Promise<void> {
    const needless = this.#pending.has(sha256) || (await this.#isSound(sha256, pending.sizeBytes));
    const rival = this.#pending.get(sha256);
    if (needless || rival) {
      if (rival?.file !== pending.file) await this.#files.unlink(pending.file).catch(() => undefined);
      return;
    }
    this.#pending.set(sha256, pending);
    this.#pendingBytes += pending.sizeBytes;
    this.#lost.delete(sha256);
    if (this.#pending.size >= FLUSH_OBJECTS || this.#pendingBytes >= FLUSH_BYTES) await this.flush();
  }

  /** True if the object is in its place with the right size and not known as damaged. */
  async #isSound(sha256: Sha256, sizeBytes: number | undefined): Promise<boolean> {
    const stats = await this.#statPlace(sha256);
    if (!stats || (sizeBytes !== undefined && stats.size !== sizeBytes)) return false;
    return !this.#bad.has(sha256) && !this.#lost.has(sha256);
  }

  flush(): Promise<void> {
    const turn = this.#turn.then(() => this.#flushPending());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #flushPending(): Promise<void> {
    const batch = [...this.#pending];
    const placed: Sha256[] = [];
    const touched = new Set<string>();
    await eachLimit(batch, PARALLEL, async ([sha256, pending]) => {
      try {
        await this.#fsyncFile(pending);
        await this.#rename(pending.file, sha256, touched);
        placed.push(sha256);
      } catch (error) {
        // After a failed fsync the kernel may have dropped the bytes: trying the same file again would lie.
        this.#lost.set(sha256, error);
        await this.#files.unlink(pending.file).catch(() => undefined);
      }
    });
    await eachLimit(touched, PARALLEL, async (folder) => {
      try {
        await fsyncFolder(this.#files, folder);
      } catch (error) {
        for (const sha256 of placed) if (this.#folder(sha256) === folder) this.#lost.set(sha256, error);
      }
    });
    for (const sha256 of placed) {
      if (!this.#lost.has(sha256) && this.#bad.has(sha256)) await this.#bad.clear(sha256);
    }
    for (const [sha256, { sizeBytes }] of batch) {
      if (this.#pending.delete(sha256)) this.#pendingBytes -= sizeBytes;
    }
    for (const [sha256, error] of this.#lost) throw storageError(`write object ${sha256}`, error);
  }

  async #fsyncFile({ file, adopted }: Pending): Promise<void> {
    const fd = await this.#files.open(file, 'r');
    try {
      if (adopted) await this.#files.fchmod(fd, 0o444);
      await this.#files.fsync(fd);
    } finally {
      await this.#files.close(fd);
    }
  }

  async #rename(file: string, sha256: Sha256, touched: Set<string>): Promise<void> {
    const folder = this.#folder(sha256);
    if (!this.#folders.has(folder)) {
      try {
        await this.#files.mkdir(folder);
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
      // Also where it was there already: who made it may not have come to its fsync.
      touched.add(this.#objects);
      this.#folders.add(folder);
    }
    await this.#files.rename(file, this.#place(sha256));
    touched.add(folder);
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
    const pending = this.#pending.get(checkSha256(sha256))?.file;
    const early = pending === undefined ? undefined : await unlessAbsent(() => this.#files.open(pending, 'r'));
    return early ?? (await unlessAbsent(() => this.#files.open(this.#place(sha256), 'r')));
  }

  async stat(sha256: Sha256): Promise<ObjectRef | undefined> {
    const pending = this.#pending.get(checkSha256(sha256));
    if (pending) return { sha256, sizeBytes: pending.sizeBytes };
    const stats = await this.#statPlace(sha256);
    return stats && { sha256, sizeBytes: stats.size };
  }

  async #statPlace(sha256: Sha256): Promise<Stats | undefined> {
    try {
      return await unlessAbsent(() => this.#files.lstat(this.#place(sha256)));
    } catch (error) {
      throw storageError(`look for object ${sha256}`, error);
    }
  }

  async *list(after: Sha256 = ''): AsyncGenerator<ObjectRef & { readonly storedAtMs: number }> {
    for (let prefix = Number.parseInt(after.slice(0, 2) || '0', 16); prefix < 256; prefix++) {
      const folder = join(this.#objects, prefix.toString(16).padStart(2, '0'));
      const names = (await this.#names(folder)).filter((name) => name > after).sort();
      for (let at = 0; at < names.length; at += STAT_BATCH) {
        const batch = names.slice(at, at + STAT_BATCH);
        const found = await Promise.all(batch.map((name) => unlessAbsent(() => this.#files.lstat(join(folder, name)))));
        for (const [index, stats] of found.entries()) {
          const sha256 = batch[index];
          // The change time is that of the rename into place, also for adopted files, and cannot be set back.
          if (stats && sha256) yield { sha256, sizeBytes: stats.size, storedAtMs: stats.ctimeMs };
        }
      }
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
      const pending = this.#pending.get(checkSha256(sha256));
      if (pending && this.#pending.delete(sha256)) this.#pendingBytes -= pending.sizeBytes;
      const unlinked = [this.#place(sha256), ...(pending ? [pending.file] : [])].map((file) =>
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
    return this.#pending.get(checkSha256(sha256))?.file ?? this.#place(sha256);
  }

  #folder(sha256: Sha256): string {
    return `${this.#objects}/${checkSha256(sha256).slice(0, 2)}`;
  }

  #place(sha256: Sha256): string {
    return `${this.#folder(sha256)}/${sha256}`;
  }
}
