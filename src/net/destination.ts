import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { storageError } from '../errors.ts';
import { type Digests, digestsOf } from './digests.ts';
import { PartialFile } from './partial-file.ts';
import type { Destination } from './taking.ts';
import type { WantedFile } from './types.ts';

/** Files up to this size are taken in memory and written at once: one open, write and close instead of many. */
export const SMALL_FILE_BYTES = 256 * 1024;

export function openDestination(file: string, wanted: WantedFile): Promise<Destination> | Destination {
  if (wanted.sizeBytes <= SMALL_FILE_BYTES) return new SmallFile(file, wanted);
  return PartialFile.open(file, wanted);
}

/** Kept over the tries of one run, not beyond: what is lost by a kill is not worth a file. */
class SmallFile implements Destination {
  readonly #file: string;
  readonly #wanted: WantedFile;
  #chunks: Buffer[] = [];
  #answers = 0;
  position = 0;

  constructor(file: string, wanted: WantedFile) {
    this.#file = file;
    this.#wanted = wanted;
  }

  get mixed(): boolean {
    return this.#answers > 1;
  }

  begin(): void {
    this.#answers++;
  }

  restart(): void {
    this.#chunks = [];
    this.#answers = 0;
    this.position = 0;
  }

  write(chunk: Buffer): undefined {
    this.#chunks.push(chunk);
    this.position += chunk.length;
  }

  async digests(): Promise<Digests> {
    const [only] = this.#chunks;
    const bytes = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    const digests = digestsOf(bytes, this.#wanted.digest.algorithm);
    if (digests.wanted === this.#wanted.digest.hex) {
      try {
        // Synchronous: into the page cache it takes some 30 µs, three trips to the thread pool take far more.
        writeFileSync(this.#file, bytes);
      } catch (cause) {
        throw storageError(`write ${this.#file}`, cause);
      }
    }
    return digests;
  }

  async discard(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  async close(): Promise<void> {}
}
