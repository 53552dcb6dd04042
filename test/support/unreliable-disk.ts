import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FileSystem, nodeFileSystem } from '../../src/store/file-system.ts';

/** Thrown by every call once the machine has stopped. */
export class MachineStopped extends Error {}

/**
 * A file system that stops at its nth change, and every call after it. `loseUnsynced` then takes away what no fsync
 * made durable: bytes of files, and renames and removals in folders. That is the worst a disk may do; a mere kill of
 * the process, where the kernel writes everything later, is the best.
 */
export class UnreliableDisk {
  readonly files: FileSystem;
  #left: number;
  #changes = 0;
  readonly #paths = new Map<number, string>();
  readonly #unsynced = new Set<string>();
  #undo: { readonly folder: string; readonly run: () => void }[] = [];

  constructor(stopAt = Number.POSITIVE_INFINITY) {
    this.#left = stopAt;
    this.files = { ...nodeFileSystem, ...this.#changing(), ...this.#reading() };
  }

  /** How many changes were made. */
  get changes(): number {
    return this.#changes;
  }

  get stopped(): boolean {
    return this.#left <= 0;
  }

  loseUnsynced(): void {
    for (const { run } of this.#undo.toReversed()) run();
    for (const path of this.#unsynced) if (existsSync(path)) truncateSync(path);
  }

  #step(): void {
    if (this.#left <= 0) throw new MachineStopped();
    this.#left -= 1;
    this.#changes += 1;
    if (this.#left <= 0) throw new MachineStopped();
  }

  #alive(): void {
    if (this.#left <= 0) throw new MachineStopped();
  }

  #reading(): Partial<FileSystem> {
    const guard =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        this.#alive();
        return call(...args);
      };
    const { lstat, lstatAll, fstat, readdir, readFile, read } = nodeFileSystem;
    return {
      lstat: guard(lstat),
      lstatAll: guard(lstatAll),
      fstat: guard(fstat),
      readdir: guard(readdir),
      readFile: guard(readFile),
      read: guard(read),
    };
  }

  #changing(): Partial<FileSystem> {
    return {
      open: async (path, flags, mode) => {
        const writes = flags !== 'r';
        if (writes) this.#step();
        else this.#alive();
        const fd = await nodeFileSystem.open(path, flags, mode);
        this.#paths.set(fd, path);
        if (writes) this.#unsynced.add(path);
        return fd;
      },
      write: async (fd, bytes) => {
        this.#step();
        return nodeFileSystem.write(fd, bytes);
      },
      fsync: async (fd) => {
        this.#step();
        // Not done for real: here, this class decides what is durable.
        const path = this.#paths.get(fd) ?? '';
        this.#unsynced.delete(path);
        this.#undo = this.#undo.filter(({ folder }) => folder !== path);
      },
      syncAll: async () => {
        this.#step();
        this.#unsynced.clear();
        this.#undo = [];
      },
      mkdir: async (path) => {
        this.#step();
        await nodeFileSystem.mkdir(path);
      },
      rename: async (from, to) => {
        this.#step();
        const replaced = existsSync(to) ? readFileSync(to) : undefined;
        await nodeFileSystem.rename(from, to);
        if (this.#unsynced.delete(from)) this.#unsynced.add(to);
        this.#undo.push({ folder: dirname(to), run: () => restore(to, replaced) });
      },
      unlink: async (path) => {
        this.#step();
        const removed = readFileSync(path);
        await nodeFileSystem.unlink(path);
        this.#undo.push({ folder: dirname(path), run: () => restore(path, removed) });
      },
    };
  }
}

function restore(path: string, bytes: Buffer | undefined): void {
  rmSync(path, { force: true });
  if (bytes) writeFileSync(path, bytes);
}
