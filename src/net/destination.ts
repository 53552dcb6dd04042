import { closeSync, openSync, unlinkSync, writeFileSync, writevSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { errnoOf, storageError } from '../errors.ts';
import { type Digests, RunningDigests } from './digests.ts';
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
  #digests: RunningDigests;
  #chunks: Buffer[] = [];
  #answers = 0;
  position = 0;

  constructor(file: string, wanted: WantedFile) {
    this.#file = file;
    this.#wanted = wanted;
    this.#digests = new RunningDigests(wanted.digest.algorithm);
  }

  get mixed(): boolean {
    return this.#answers > 1;
  }

  begin(): void {
    this.#answers++;
  }

  restart(): void {
    this.#digests = new RunningDigests(this.#wanted.digest.algorithm);
    this.#chunks = [];
    this.#answers = 0;
    this.position = 0;
  }

  write(chunk: Buffer): undefined {
    this.#digests.update(chunk);
    this.#chunks.push(chunk);
    this.position += chunk.length;
  }

  async digests(): Promise<Digests> {
    const digests = this.#digests.soFar();
    if (digests.wanted === this.#wanted.digest.hex) {
      try {
        writeWhole(this.#file, this.#chunks, this.position);
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

/**
 * Synchronous: into the page cache it takes some 30 µs, three trips to the thread pool take far more. Read-only, as
 * objects are.
 */
function writeWhole(file: string, chunks: readonly Buffer[], sizeBytes: number): void {
  const fd = openNew(file);
  try {
    const written = writevSync(fd, chunks);
    // A short write is legal; on a full disk the next one says why.
    if (written < sizeBytes) writeFileSync(fd, Buffer.concat(chunks).subarray(written));
  } finally {
    closeSync(fd);
  }
}

function openNew(file: string): number {
  try {
    return openSync(file, 'wx', 0o444);
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    unlinkSync(file);
    return openSync(file, 'wx', 0o444);
  }
}
