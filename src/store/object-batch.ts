import { errnoOf, storageError } from '../errors.ts';
import { eachLimit } from './each-limit.ts';
import { type FileSystem, fsyncFolder } from './file-system.ts';
import type { ObjectPlaces } from './object-places.ts';
import type { BadObjects, Sha256 } from './types.ts';

/** So much may wait for `flush` before a `put` or `adopt` flushes by itself. */
export const FLUSH_OBJECTS = 512;
export const FLUSH_BYTES = 256 * 1024 * 1024;

const PARALLEL = 16;

/** An object that is complete in a temporary file. */
export interface Pending {
  readonly file: string;
  readonly sizeBytes: number;
  /** Came by `adopt`: its mode is still the caller's. */
  readonly adopted: boolean;
}

/** Complete objects that wait to become durable together, and how that is done. */
export class ObjectBatch {
  readonly #places: ObjectPlaces;
  readonly #files: FileSystem;
  readonly #bad: BadObjects;
  readonly #pending = new Map<Sha256, Pending>();
  #bytes = 0;
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
    return this.#pending.size >= FLUSH_OBJECTS || this.#bytes >= FLUSH_BYTES;
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
    this.#bytes += pending.sizeBytes;
    this.#lost.delete(sha256);
    return true;
  }

  /** Waits no longer; its file is the caller's. */
  drop(sha256: Sha256): Pending | undefined {
    const pending = this.#pending.get(sha256);
    if (pending && this.#pending.delete(sha256)) this.#bytes -= pending.sizeBytes;
    return pending;
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
        // Removed by its owner meanwhile.
        if (!this.#pending.has(sha256)) return;
        // After a failed fsync the kernel may have dropped the bytes: trying the same file again would lie.
        this.#lost.set(sha256, error);
        await this.#files.unlink(pending.file).catch(() => undefined);
      }
    });
    await eachLimit(touched, PARALLEL, async (folder) => {
      try {
        await fsyncFolder(this.#files, folder);
      } catch (error) {
        for (const sha256 of placed) if (this.#places.folderOf(sha256) === folder) this.#lost.set(sha256, error);
      }
    });
    for (const sha256 of placed) {
      if (!this.#lost.has(sha256) && this.#bad.has(sha256)) await this.#bad.clear(sha256);
    }
    for (const [sha256, { sizeBytes }] of batch) {
      if (this.#pending.delete(sha256)) this.#bytes -= sizeBytes;
    }
    for (const [sha256, error] of this.#lost)
      throw storageError(`write object ${sha256} in ${this.#places.root}`, error);
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
