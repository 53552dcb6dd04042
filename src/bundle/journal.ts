/** Which files of an unfinished volume are complete and durable: one line each, as sha256sum writes it. */
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import type { VolumeFile } from './types.ts';

const LINE = /^([0-9a-f]{64}) (\d{1,15}) ([a-z0-9][a-z0-9._+-]{0,99})$/;

export class Journal {
  static readonly NAME = 'journal.txt';
  readonly #folder: string;
  readonly #files = new Map<string, VolumeFile>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Journal> {
    const journal = new Journal(folder);
    for (const line of (await readIfThere(join(folder, Journal.NAME))).split('\n')) {
      const [, sha256, size, name] = LINE.exec(line) ?? [];
      // A line cut short by a kill speaks of a file that is then written again.
      if (sha256 !== undefined && name !== undefined)
        journal.#files.set(name, { name, sizeBytes: Number(size), sha256 });
    }
    return journal;
  }

  get files(): readonly VolumeFile[] {
    return [...this.#files.values()];
  }

  /** True if the file was finished and still has its size. */
  async holds({ name, sizeBytes }: { readonly name: string; readonly sizeBytes: number }): Promise<boolean> {
    if (this.#files.get(name)?.sizeBytes !== sizeBytes) return false;
    const stats = await stat(join(this.#folder, name)).catch(() => undefined);
    return stats?.isFile() === true && stats.size === sizeBytes;
  }

  require({ name }: { readonly name: string }): VolumeFile {
    const file = this.#files.get(name);
    if (file === undefined) throw new KubedosError('internal.bug', `close a volume: ${name} was not written`);
    return file;
  }

  /** After the file and its folder are durable. */
  async add(file: VolumeFile): Promise<void> {
    const path = join(this.#folder, Journal.NAME);
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'a', 0o644);
      // The newline in front ends a line that a kill cut short.
      await handle.writeFile(`\n${file.sha256} ${file.sizeBytes} ${file.name}\n`);
      await handle.sync();
    } catch (error) {
      throw storageError(`write ${path}`, error);
    } finally {
      await handle?.close();
    }
    this.#files.set(file.name, file);
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw storageError(`read ${file}`, error);
  }
}
