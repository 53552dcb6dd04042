/** A bounded-memory bag of hashes, given back in ascending order: what gc, check and stats count with. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../errors.ts';
import { unlessAbsent } from './file-system.ts';
import type { LineTable } from './line-table.ts';
import type { Sha256 } from './types.ts';

const HASH_BYTES = 32;
const SIZE_AT = HASH_BYTES;
const TAG_AT = SIZE_AT + 8;
const RECORD_BYTES = TAG_AT + 4;
const BUCKETS = 256;
/** In memory over all buckets before the largest ones go to disk. */
const BUCKETS_MEMORY_BYTES = 32 * 1024 * 1024;

/** The tag of a group whose records have different tags. */
export const MANY = 0xffff_ffff;
/** A size that nobody stated. */
export const UNKNOWN_SIZE = -1;

/** All records of one hash. */
export interface HashGroup {
  readonly sha256: Sha256;
  /** The size that the records state; `UNKNOWN_SIZE` if none does. */
  readonly sizeBytes: number;
  /** True where records state different sizes. */
  readonly sizesDiffer: boolean;
  /** The tag of all records, or `MANY`. */
  readonly tag: number;
}

/**
 * Hashes are spread evenly, so one bucket for each first byte (a folder of the store) is enough of a sort: a bucket is
 * read back and sorted alone. Ten million objects make buckets of 1.7 MB.
 */
export class HashBuckets {
  readonly #folder: string;
  readonly #memoryBytes: number;
  readonly #buckets = Array.from({ length: BUCKETS }, () => ({ bytes: Buffer.alloc(0), used: 0 }));
  #used = 0;
  #spilled = false;

  /** `folder` is made when something must go to disk; the caller removes it. */
  constructor(folder: string, memoryBytes = BUCKETS_MEMORY_BYTES) {
    this.#folder = folder;
    this.#memoryBytes = memoryBytes;
  }

  async add(sha256: Sha256, sizeBytes: number, tag: number): Promise<void> {
    this.#add(sha256, sizeBytes, tag);
    if (this.#used > this.#memoryBytes) await this.#spill();
  }

  /** Every line of a chunk. */
  async addChunk(chunk: LineTable, tag: number): Promise<void> {
    for (let line = 0; line < chunk.count; line++) this.#add(chunk.sha256(line), chunk.number(line, 0), tag);
    if (this.#used > this.#memoryBytes) await this.#spill();
  }

  #add(sha256: Sha256, sizeBytes: number, tag: number): void {
    const bucket = this.#buckets[Number.parseInt(sha256.slice(0, 2), 16)];
    if (!bucket) return;
    if (bucket.used + RECORD_BYTES > bucket.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(64 * RECORD_BYTES, bucket.bytes.length * 2));
      bucket.bytes.copy(grown, 0, 0, bucket.used);
      bucket.bytes = grown;
    }
    bucket.bytes.write(sha256, bucket.used, 'hex');
    bucket.bytes.writeDoubleLE(sizeBytes, bucket.used + SIZE_AT);
    bucket.bytes.writeUInt32LE(tag, bucket.used + TAG_AT);
    bucket.used += RECORD_BYTES;
    this.#used += RECORD_BYTES;
  }

  async #spill(): Promise<void> {
    try {
      if (!this.#spilled) await mkdir(this.#folder, { recursive: true });
      this.#spilled = true;
      for (const [prefix, bucket] of this.#buckets.entries()) {
        await appendFile(this.#file(prefix), bucket.bytes.subarray(0, bucket.used));
        bucket.used = 0;
      }
      this.#used = 0;
    } catch (error) {
      throw storageError(`sort hashes in ${this.#folder}`, error);
    }
  }

  /** One group a hash, ascending. */
  async *groups(): AsyncGenerator<HashGroup> {
    for (let prefix = 0; prefix < BUCKETS; prefix++) yield* groupsOf(await this.#load(prefix));
  }

  async #load(prefix: number): Promise<Buffer> {
    const bucket = this.#buckets[prefix];
    const inMemory = bucket ? bucket.bytes.subarray(0, bucket.used) : Buffer.alloc(0);
    if (!this.#spilled) return inMemory;
    try {
      const onDisk = (await unlessAbsent(() => readFile(this.#file(prefix)))) ?? Buffer.alloc(0);
      return Buffer.concat([onDisk, inMemory]);
    } catch (error) {
      throw storageError(`sort hashes in ${this.#folder}`, error);
    }
  }

  #file(prefix: number): string {
    return join(this.#folder, prefix.toString(16).padStart(2, '0'));
  }
}

function* groupsOf(records: Buffer): Generator<HashGroup> {
  const order = sortedRecords(records);
  for (let at = 0; at < order.length; ) {
    const first = order[at] ?? 0;
    let sizeBytes = records.readDoubleLE(first + SIZE_AT);
    let tag = records.readUInt32LE(first + TAG_AT);
    let sizesDiffer = false;
    for (at += 1; at < order.length; at += 1) {
      const next = order[at] ?? 0;
      if (compareRecords(records, first, next) !== 0) break;
      const size = records.readDoubleLE(next + SIZE_AT);
      if (sizeBytes === UNKNOWN_SIZE) sizeBytes = size;
      else if (size !== UNKNOWN_SIZE && size !== sizeBytes) sizesDiffer = true;
      if (records.readUInt32LE(next + TAG_AT) !== tag) tag = MANY;
    }
    yield { sha256: records.toString('hex', first, first + HASH_BYTES), sizeBytes, sizesDiffer, tag };
  }
}

/** Offsets of the records by hash. */
function sortedRecords(records: Buffer): number[] {
  const count = records.length / RECORD_BYTES;
  // The first byte is the same for all; six more decide nearly always, and compare as one number.
  const keys = new Float64Array(count);
  for (let index = 0; index < count; index++) keys[index] = records.readUIntBE(index * RECORD_BYTES + 1, 6);
  return Array.from(keys, (_, index) => index)
    .sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || compareRecords(records, a * RECORD_BYTES, b * RECORD_BYTES))
    .map((index) => index * RECORD_BYTES);
}

function compareRecords(records: Buffer, a: number, b: number): number {
  return records.compare(records, b, b + HASH_BYTES, a, a + HASH_BYTES);
}
