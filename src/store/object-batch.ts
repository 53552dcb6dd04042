import { errnoOf, storageError } from '../errors.ts';
import { eachLimit } from './each-limit.ts';
import { type FileSystem, fsyncFolder, unlessAbsent } from './file-system.ts';
import type { ObjectPlaces } from './object-places.ts';
import type { BadObjects, Sha256 } from './types.ts';

/** So much may wait for `flush` before a `put` or `adopt` begins one by itself. */
export const FLUSH_OBJECTS = 1024;
export const FLUSH_BYTES = 256 * 1024 * 1024;

/** From this many on one syncfs(2) for all of them costs less than an fsync each. */
export const SYNC_ALL_FROM = 64;

const PARALLEL = 16;
/** Of an object: all may read it, nobody writes to it. */
export const OBJECT_MODE = 0o444;

/** An object that is complete in a temporary file. */
export interface Pending {
  readonly file: string;
  readonly sizeBytes: number;
  /** Its mode is that of whoever made it, and not yet that of objects. */
  readonly otherMode: boolean;
}

/** Complete objects that wait to become durable together, and how that is done. */
export class ObjectBatch {
  readonly #places: ObjectPlaces;
  readonly #files: FileSystem;
  readonly #bad: BadObjects;
  readonly #pending = new Map<Sha256, Pending>();
  /** What came since the last flush began. */
  #fresh = { objects: 0, bytes: 0 };
  /** Objects whose bytes the disk lost at a flush. Until they are put again no flush succeeds: nothing may point at them. */
  readonly #lost = new Map<Sha256, unknown>();
  /** Folders that this process has seen. */
  readonly #folders = new Set<string>();
  #turn: Promise<void> = Promise.resolve();

  constructor(places: ObjectPlaces, files: FileSystem, bad: BadObjects) {
    this.#places = places;
    this.#files = files;
    this.#bad = bad;
  }

  get isFull(): boolean {
    return this.#fresh.objects >= FLUSH_OBJECTS || this.#fresh.bytes >= FLUSH_BYTES;
  }

  has(sha256: Sha256): boolean {
    return this.#pending.has(sha256);
  }

  hasLost(sha256: Sha256): boolean {
    return this.#lost.has(sha256);
  }

  fileOf(sha256: Sha256): string | undefined {
    return this.#pending.get(sha256)?.file;
  }

  sizeOf(sha256: Sha256): number | undefined {
    return this.#pending.get(sha256)?.sizeBytes;
  }

  /** False if the object is waiting already. */
  add(sha256: Sha256, pending: Pending): boolean {
    if (this.#pending.has(sha256)) return false;
    this.#pending.set(sha256, pending);
    this.#fresh.objects += 1;
    this.#fresh.bytes += pending.sizeBytes;
    this.#lost.delete(sha256);
    return true;
  }

  /** Waits no longer; its file is the caller's. */
  drop(sha256: Sha256): Pending | undefined {
    const pending = this.#pending.get(sha256);
    this.#pending.delete(sha256);
    return pending;
  }

  flush(): Promise<void> {
    this.#fresh = { objects: 0, bytes: 0 };
    const turn = this.#turn.then(() => this.#flushPending());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Begins a flush and waits for the one before, so that objects come in meanwhile. What was lost fails the next one. */
  async flushSoon(): Promise<void> {
    this.#throwIfLost();
    const before = this.#turn;
    void this.flush().catch(() => undefined);
    await before;
  }

  async #flushPending(): Promise<void> {
    const batch = [...this.#pending];
    const placed: Sha256[] = [];
    const touched = new Set<string>();
    const together = await this.#syncTogether(batch);
    await eachLimit(batch, PARALLEL, async ([sha256, pending]) => {
      try {
        if (!together) await this.#fsyncFile(pending);
        await this.#rename(pending.file, sha256, touched);
        placed.push(sha256);
      } catch (error) {
        // Removed by its owner meanwhile.
        if (this.#pending.get(sha256) !== pending) return;
        // After a failed fsync the kernel may have dropped the bytes: trying the same file again would lie.
        this.#lost.set(sha256, error);
        await this.#files.unlink(pending.file).catch(() => undefined);
      }
    });
    if (!(together && (await this.#syncAll()))) await this.#fsyncFolders(touched, placed);
    for (const sha256 of placed) {
      if (!this.#lost.has(sha256) && this.#bad.has(sha256)) await this.#bad.clear(sha256);
    }
    for (const [sha256, pending] of batch) if (this.#pending.get(sha256) === pending) this.#pending.delete(sha256);
    this.#throwIfLost();
  }

  #throwIfLost(): void {
    for (const [sha256, error] of this.#lost)
      throw storageError(`write object ${sha256} in ${this.#places.root}`, error);
  }

  /** True if the bytes of all are durable now. If not, an fsync of each tells which one the disk lost. */
  async #syncTogether(batch: readonly (readonly [Sha256, Pending])[]): Promise<boolean> {
    if (batch.length < SYNC_ALL_FROM) return false;
    const changed = batch.flatMap(([, pending]) => (pending.otherMode ? [pending.file] : []));
    try {
      // One that is not there was removed by its owner meanwhile.
      await eachLimit(changed, PARALLEL, (file) =>
        unlessAbsent(() => this.#withFile(file, (fd) => this.#files.fchmod(fd, OBJECT_MODE))),
      );
    } catch {
      return false;
    }
    return this.#syncAll();
  }

  async #syncAll(): Promise<boolean> {
    if (this.#files.syncAll === undefined) return false;
    return this.#files.syncAll(this.#places.root).then(
      () => true,
      () => false,
    );
  }

  async #fsyncFolders(folders: Iterable<string>, placed: readonly Sha256[]): Promise<void> {
    await eachLimit(folders, PARALLEL, async (folder) => {
      try {
        await fsyncFolder(this.#files, folder);
      } catch (error) {
        for (const sha256 of placed) if (this.#places.folderOf(sha256) === folder) this.#lost.set(sha256, error);
      }
    });
  }

  #fsyncFile({ file, otherMode }: Pending): Promise<void> {
    return this.#withFile(file, async (fd) => {
      if (otherMode) await this.#files.fchmod(fd, OBJECT_MODE);
      await this.#files.fsync(fd);
    });
  }

  async #withFile(file: string, work: (fd: number) => Promise<void>): Promise<void> {
    const fd = await this.#files.open(file, 'r');
    try {
      await work(fd);
    } finally {
      await this.#files.close(fd);
    }
  }

  async #rename(file: string, sha256: Sha256, touched: Set<string>): Promise<void> {
    const folder = this.#places.folderOf(sha256);
    if (!this.#folders.has(folder)) {
      try {
        await this.#files.mkdir(folder);
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
      // Also where it was there already: who made it may not have come to its fsync.
      touched.add(this.#places.root);
      this.#folders.add(folder);
    }
    await this.#files.rename(file, this.#places.of(sha256));
    touched.add(folder);
  }
}
