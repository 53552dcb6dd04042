/** Records of packages on their way in, on disk where they are many: a change may bring thousands, with millions of files. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../../errors.ts';
import type { MetadataType } from '../../formats/rpm/publication.ts';

/** In memory, or at a place of the file. */
export type KeptRecord = Buffer | { readonly at: number; readonly length: number };
export type KeptRecords = Readonly<Record<MetadataType, KeptRecord>>;

/** The first ones of a change stay in memory up to this. */
const MEMORY_BYTES = 16 * 1024 * 1024;

export class RecordFile {
  readonly #file: string;
  #handle: Promise<FileHandle> | undefined;
  #inMemory = 0;
  #length = 0;

  /** In `folder`, made when memory is used up. */
  constructor(folder: string) {
    this.#file = join(folder, `records-${process.pid}-${randomUUID()}`);
  }

  /** Several may be under way at once. */
  async keep({ primary, filelists, other }: Readonly<Record<MetadataType, string>>): Promise<KeptRecords> {
    const parts = [Buffer.from(primary), Buffer.from(filelists), Buffer.from(other)] as const;
    const bytes = parts[0].length + parts[1].length + parts[2].length;
    if (this.#inMemory + bytes <= MEMORY_BYTES) {
      this.#inMemory += bytes;
      return { primary: parts[0], filelists: parts[1], other: parts[2] };
    }
    const start = this.#length;
    const place = (part: Buffer) => {
      const at = this.#length;
      this.#length += part.length;
      return { at, length: part.length };
    };
    const places = { primary: place(parts[0]), filelists: place(parts[1]), other: place(parts[2]) };
    try {
      this.#handle ??= open(this.#file, 'wx+', 0o600);
      await (await this.#handle).writev(parts, start);
    } catch (error) {
      throw storageError(`write ${this.#file}`, error);
    }
    return places;
  }

  async read(kept: KeptRecord): Promise<Buffer> {
    if (Buffer.isBuffer(kept)) return kept;
    const bytes = Buffer.allocUnsafe(kept.length);
    try {
      await (await this.#handle)?.read(bytes, 0, kept.length, kept.at);
    } catch (error) {
      throw storageError(`read ${this.#file}`, error);
    }
    return bytes;
  }

  async dispose(): Promise<void> {
    await (await this.#handle?.catch(() => undefined))?.close();
    await rm(this.#file, { force: true });
  }
}
