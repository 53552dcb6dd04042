import { type FileHandle, open, rm } from 'node:fs/promises';
import { errnoOf, storageError } from '../errors.ts';
import { type Digests, RunningDigests } from './digests.ts';
import type { Destination } from './taking.ts';
import type { WantedFile } from './types.ts';

const READ_BYTES = 1024 * 1024;
/** Bytes that may wait for the disk before the network has to. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;

/**
 * A large download on disk. Bytes are hashed as they come and written in order, so that after a kill the file is a
 * prefix to go on from; what is there at the start is hashed first. Chunks that arrive during a write go out together.
 */
export class PartialFile implements Destination {
  readonly #file: string;
  readonly #wanted: WantedFile;
  readonly #handle: FileHandle;
  #digests: RunningDigests;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  /** Where the next write goes; `position` runs ahead of it by what waits. */
  #written = 0;
  #failure: unknown;
  #answers = 0;
  position = 0;

  private constructor(file: string, wanted: WantedFile, handle: FileHandle) {
    this.#file = file;
    this.#wanted = wanted;
    this.#handle = handle;
    this.#digests = new RunningDigests(wanted.digest.algorithm);
  }

  static async open(file: string, wanted: WantedFile): Promise<PartialFile> {
    const handle = await openForBoth(file);
    const partial = new PartialFile(file, wanted, handle);
    try {
      await partial.#readExisting();
      return partial;
    } catch (cause) {
      await handle.close();
      throw storageError(`read ${file}`, cause);
    }
  }

  get mixed(): boolean {
    return this.#answers > 1;
  }

  begin(): void {
    this.#answers++;
  }

  restart(): void {
    this.#digests = new RunningDigests(this.#wanted.digest.algorithm);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#written = 0;
    this.#answers = 0;
    this.position = 0;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#digests.update(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.position += chunk.length;
    this.#writing ??= this.#writeAll();
    return this.#waitingBytes > HIGH_WATER_BYTES || this.#failure !== undefined ? this.#rest() : undefined;
  }

  async digests(): Promise<Digests> {
    await this.#rest();
    // After a restart the file may be longer than what was written since.
    await this.#handle.truncate(this.position);
    return this.#digests.soFar();
  }

  async discard(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  async close(): Promise<void> {
    try {
      // A file left behind must end where its bytes end: an older tail would be taken for a part of it.
      await this.#rest();
      await this.#handle.truncate(this.position);
      if (this.position === 0 && this.#wanted.sizeBytes > 0) await this.discard();
    } catch (cause) {
      throw storageError(`write ${this.#file}`, cause);
    } finally {
      await this.#handle.close();
    }
  }

  async #readExisting(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size === 0) return;
    if (size > this.#wanted.sizeBytes) return;
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    while (this.position < size) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        0,
        Math.min(READ_BYTES, size - this.position),
        this.position,
      );
      if (bytesRead === 0) break;
      this.#digests.update(buffer.subarray(0, bytesRead));
      this.position += bytesRead;
    }
    this.#written = this.position;
    this.#answers = 1;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const chunks = this.#waiting;
        const bytes = this.#waitingBytes;
        const at = this.#written;
        this.#waiting = [];
        this.#waitingBytes = 0;
        this.#written += bytes;
        const { bytesWritten } = await this.#handle.writev(chunks, at);
        if (bytesWritten < bytes) await writeRest(this.#handle, Buffer.concat(chunks), bytesWritten, at);
      }
    } catch (cause) {
      this.#failure = cause;
    } finally {
      this.#writing = undefined;
    }
  }

  async #rest(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw storageError(`write ${this.#file}`, this.#failure);
  }
}

/** A short write is legal; on a full disk the next one says why. */
async function writeRest(handle: FileHandle, bytes: Buffer, done: number, at: number): Promise<void> {
  for (let offset = done; offset < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset, at + offset);
    offset += bytesWritten;
  }
}

async function openForBoth(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r+');
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw storageError(`open ${file}`, cause);
  }
  try {
    return await open(file, 'w+');
  } catch (cause) {
    throw storageError(`open ${file}`, cause);
  }
}
