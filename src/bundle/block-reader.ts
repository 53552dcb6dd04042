/** Sequential reading of one large file: the next block is under way while one is used, and bad sectors do not stop it. */
import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf, storageError } from '../errors.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;
/** Where a block cannot be read, it is tried in pieces of this size, and what fails then reads as zeros. */
const SECTOR_BYTES = 4096;

interface Block {
  readonly start: number;
  readonly bytes: Buffer;
}

export class BlockReader {
  readonly #handle: FileHandle;
  readonly #origin: string;
  readonly #sizeBytes: number;
  readonly #hash: Hash | undefined;
  #block: Block = { start: 0, bytes: Buffer.alloc(0) };
  #next: Promise<Block> | undefined;
  #position = 0;
  /** Bytes that the medium could not give and that read as zeros. */
  unreadableBytes = 0;

  /** `hash` gets every byte of the file in order, provided that nothing is skipped. */
  constructor(
    handle: FileHandle,
    options: { readonly origin: string; readonly sizeBytes: number; readonly hash?: Hash },
  ) {
    this.#handle = handle;
    this.#origin = options.origin;
    this.#sizeBytes = options.sizeBytes;
    this.#hash = options.hash;
  }

  get position(): number {
    return this.#position;
  }

  /** What is left up to the end of the file. */
  get left(): number {
    return this.#sizeBytes - this.#position;
  }

  /** Goes forward only. What is not in the block at hand is not read at all. */
  seek(position: number): void {
    this.#position = position;
  }

  /** Exactly `count` bytes, or fewer at the end of the file. Stays valid. */
  async bytes(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.chunks(count)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** The next `count` bytes in pieces, each a view that stays valid; fewer at the end of the file. */
  async *chunks(count: number): AsyncGenerator<Buffer> {
    const end = Math.min(this.#position + count, this.#sizeBytes);
    while (this.#position < end) {
      const block = await this.#at(this.#position);
      if (block.bytes.length === 0) return;
      const from = this.#position - block.start;
      const piece = block.bytes.subarray(from, from + end - this.#position);
      this.#position += piece.length;
      yield piece;
    }
  }

  async #at(position: number): Promise<Block> {
    if (position < this.#block.start + this.#block.bytes.length) return this.#block;
    let block = await (this.#next ?? this.#read(position));
    this.#next = undefined;
    if (position >= block.start + block.bytes.length && block.bytes.length > 0) block = await this.#read(position);
    this.#block = block;
    const after = block.start + block.bytes.length;
    if (after < this.#sizeBytes && block.bytes.length > 0) {
      this.#next = this.#read(after);
      // Its failure is met when the block is asked for.
      this.#next.catch(() => undefined);
    }
    this.#hash?.update(block.bytes);
    return block;
  }

  async #read(start: number): Promise<Block> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, this.#sizeBytes - start));
    try {
      const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, start);
      return { start, bytes: bytes.subarray(0, bytesRead) };
    } catch (error) {
      if (errnoOf(error) !== 'EIO') throw storageError(`read ${this.#origin}`, error);
      return { start, bytes: await this.#readSectors(bytes, start) };
    }
  }

  async #readSectors(bytes: Buffer, start: number): Promise<Buffer> {
    bytes.fill(0);
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      const count = Math.min(SECTOR_BYTES, bytes.length - at);
      try {
        await this.#handle.read(bytes, at, count, start + at);
      } catch (error) {
        if (errnoOf(error) !== 'EIO') throw storageError(`read ${this.#origin}`, error);
        bytes.fill(0, at, at + count);
        this.unreadableBytes += count;
      }
    }
    return bytes;
  }

  /** Lets a block that is still under way come to its end; then the file may be closed. */
  async settle(): Promise<void> {
    await this.#next?.catch(() => undefined);
  }
}
