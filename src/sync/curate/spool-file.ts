import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { storageError } from '../../errors.ts';

const BLOCK_BYTES = 64 * 1024;
/** Blocks kept in memory: 4 MiB. Closures read in order for the most part, and come back to the same few places. */
const MAX_BLOCKS = 64;

/**
 * Records put aside on disk, read back by their place. The file has no name once it is open: nothing of it remains
 * after a kill. Reads are synchronous on purpose: they come from the page cache, and a closure makes tens of thousands.
 */
export class SpoolFile {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #pending = Buffer.allocUnsafe(4 * BLOCK_BYTES);
  #pendingBytes = 0;
  #writtenBytes = 0;
  /** By number, the one used last at the end. Whole blocks, but for the end of the file. */
  readonly #blocks = new Map<number, Buffer>();

  /** `path`: a new file in a temporary folder with enough space for the what comes. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#descriptor = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
    } catch (error) {
      throw storageError(`create ${path}`, error);
    }
  }

  /** Returns the place of the bytes. */
  append(bytes: Uint8Array): number {
    const place = this.#writtenBytes + this.#pendingBytes;
    if (this.#pendingBytes + bytes.length > this.#pending.length) this.#flush();
    if (bytes.length > this.#pending.length) {
      this.#write(bytes);
    } else {
      this.#pending.set(bytes, this.#pendingBytes);
      this.#pendingBytes += bytes.length;
    }
    return place;
  }

  /** The bytes at a place; the caller's own. */
  read(place: number, length: number): Buffer {
    if (this.#pendingBytes > 0) this.#flush();
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const number = Math.floor((place + done) / BLOCK_BYTES);
      const count = this.#block(number).copy(bytes, done, place + done - number * BLOCK_BYTES);
      if (count === 0) throw storageError(`read ${this.#path}`, new Error('the file ends early'));
      done += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #block(number: number): Buffer {
    let block = this.#blocks.get(number);
    if (block !== undefined) {
      this.#blocks.delete(number);
    } else {
      block = this.#readBlock(number * BLOCK_BYTES, this.#spareBlock());
    }
    this.#blocks.set(number, block);
    return block;
  }

  /** The memory of the block used longest ago, once there are many. */
  #spareBlock(): Buffer {
    const [oldest] = this.#blocks;
    if (this.#blocks.size < MAX_BLOCKS || oldest === undefined) return Buffer.allocUnsafeSlow(BLOCK_BYTES);
    const [number, block] = oldest;
    this.#blocks.delete(number);
    return Buffer.from(block.buffer);
  }

  #readBlock(start: number, block: Buffer): Buffer {
    let done = 0;
    for (let count = -1; done < BLOCK_BYTES && count !== 0; done += count)
      count = this.#attempt('read', () => readSync(this.#descriptor, block, done, BLOCK_BYTES - done, start + done));
    return block.subarray(0, done);
  }

  /** The last block may have been read before it was full. */
  #flush(): void {
    this.#blocks.delete(Math.floor(this.#writtenBytes / BLOCK_BYTES));
    this.#write(this.#pending.subarray(0, this.#pendingBytes));
    this.#pendingBytes = 0;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += this.#attempt('write', () => writeSync(this.#descriptor, bytes, done));
    this.#writtenBytes += bytes.length;
  }

  #attempt(action: string, work: () => number): number {
    try {
      return work();
    } catch (error) {
      throw storageError(`${action} ${this.#path}`, error);
    }
  }
}
