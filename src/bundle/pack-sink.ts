/** A new file that is filled through two large buffers: while one is being written, the next is filled and hashed. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { storageError } from '../errors.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;
/** So much may be written before the medium is asked to take it. */
const SYNC_BYTES = 64 * 1024 * 1024;

export class PackSink {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #filling = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #spare = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #used = 0;
  #bytes = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #unsynced = 0;
  #syncing = false;
  #ahead: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  private constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  static async create(file: string): Promise<PackSink> {
    try {
      return new PackSink(file, await open(file, 'w', 0o644));
    } catch (error) {
      throw storageError(`write ${file}`, error);
    }
  }

  /** Takes a copy. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(bytes.length - at, BUFFER_BYTES - this.#used);
      this.#filling.set(count === bytes.length ? bytes : bytes.subarray(at, at + count), this.#used);
      this.#used += count;
      at += count;
      if (this.#used === BUFFER_BYTES) await this.#turn();
    }
  }

  /** Calls `fill` with room for so many bytes (at most one buffer): headers are made in place. */
  async reserve(count: number, fill: (target: Buffer, offset: number) => void): Promise<void> {
    if (this.#used + count > BUFFER_BYTES) await this.#turn();
    fill(this.#filling, this.#used);
    this.#used += count;
  }

  async #turn(): Promise<void> {
    await this.#settle();
    const full = this.#filling;
    const count = this.#used;
    this.#filling = this.#spare;
    this.#spare = full;
    this.#used = 0;
    this.#writing = this.#put(full, count);
    // Its failure is met at the next turn.
    this.#writing.catch(() => undefined);
    // Runs while the thread pool writes.
    this.#hash.update(full.subarray(0, count));
    this.#bytes += count;
    this.#unsynced += count;
    if (this.#unsynced >= SYNC_BYTES && !this.#syncing) this.#syncAhead();
  }

  async #put(bytes: Buffer, count: number): Promise<void> {
    for (let at = 0; at < count; ) at += (await this.#handle.write(bytes, at, count - at)).bytesWritten;
  }

  /** Keeps the medium busy while the next bytes are read and hashed. A failure is met at the end. */
  #syncAhead(): void {
    this.#unsynced = 0;
    this.#syncing = true;
    this.#ahead = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#syncing = false;
      });
  }

  async #settle(): Promise<void> {
    try {
      await this.#writing;
    } catch (error) {
      throw storageError(`write ${this.#file}`, error);
    }
  }

  /** Durable, closed. */
  async finish(): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
    try {
      if (this.#used > 0) await this.#turn();
      await this.#settle();
      await this.#ahead;
      // The kernel reports a lost write once: it may have been to the sync ahead.
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#handle.sync();
    } catch (error) {
      throw storageError(`write ${this.#file}`, error);
    } finally {
      await this.#handle.close();
    }
    return { sha256: this.#hash.digest('hex'), sizeBytes: this.#bytes };
  }

  /** Gives up; the caller removes the file. */
  async abandon(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#ahead;
    await this.#handle.close().catch(() => undefined);
  }
}
