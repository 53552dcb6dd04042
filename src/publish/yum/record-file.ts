/** Records of packages on their way in, on disk: a change may bring thousands, with millions of files. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../../errors.ts';
import type { MetadataType } from '../../formats/rpm/publication.ts';

export type KeptRecords = Readonly<Record<MetadataType, { readonly at: number; readonly length: number }>>;

export class RecordFile {
  readonly #file: string;
  #handle: Promise<FileHandle> | undefined;
  #length = 0;

  /** In `folder`, made when the first record comes. */
  constructor(folder: string) {
    this.#file = join(folder, `records-${process.pid}-${randomUUID()}`);
  }

  /** Several may be under way at once. */
  async keep(records: Readonly<Record<MetadataType, string>>): Promise<KeptRecords> {
    const start = this.#length;
    const places: Partial<Record<MetadataType, { at: number; length: number }>> = {};
    const parts: Buffer[] = [];
    for (const [type, text] of Object.entries(records) as [MetadataType, string][]) {
      const bytes = Buffer.from(text);
      places[type] = { at: this.#length, length: bytes.length };
      this.#length += bytes.length;
      parts.push(bytes);
    }
    const all = Buffer.concat(parts);
    try {
      this.#handle ??= open(this.#file, 'wx+', 0o600);
      await (await this.#handle).writev([all], start);
    } catch (error) {
      throw storageError(`write ${this.#file}`, error);
    }
    return places as KeptRecords;
  }

  async read({ at, length }: KeptRecords[MetadataType]): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    try {
      await (await this.#handle)?.read(bytes, 0, length, at);
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
