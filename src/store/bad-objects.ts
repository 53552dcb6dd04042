import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { storageError } from '../errors.ts';
import { type FileSystem, fsyncFolder, unlessAbsent } from './file-system.ts';
import { checkSha256, SHA256 } from './names.ts';
import type { BadObjects, Sha256 } from './types.ts';

/** One empty file a damaged object, so that a running server sees at once what a scrub in another process found. */
export class BadObjectFolder implements BadObjects {
  readonly #folder: string;
  readonly #files: FileSystem;

  constructor(folder: string, files: FileSystem) {
    this.#folder = folder;
    this.#files = files;
  }

  has(sha256: Sha256): boolean {
    return existsSync(join(this.#folder, checkSha256(sha256)));
  }

  async list(): Promise<Sha256[]> {
    try {
      const names = (await unlessAbsent(() => this.#files.readdir(this.#folder))) ?? [];
      return names.filter((name) => SHA256.test(name)).sort();
    } catch (error) {
      throw storageError(`list ${this.#folder}`, error);
    }
  }

  async add(sha256: Sha256): Promise<void> {
    try {
      await this.#files.close(await this.#files.open(join(this.#folder, checkSha256(sha256)), 'a', 0o644));
      await fsyncFolder(this.#files, this.#folder);
    } catch (error) {
      throw storageError(`mark object ${sha256} as bad`, error);
    }
  }

  async clear(sha256: Sha256): Promise<void> {
    try {
      await unlessAbsent(() => this.#files.unlink(join(this.#folder, checkSha256(sha256))));
    } catch (error) {
      throw storageError(`clear the mark of object ${sha256}`, error);
    }
  }
}
