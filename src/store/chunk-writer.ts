import { createHash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import {
  beginsChunk,
  checkManifestPath,
  formatEntry,
  formatRoot,
  MAX_CHUNK_FILES,
  type ManifestRoot,
} from './manifest-format.ts';
import { SHA256 } from './names.ts';
import type { ManifestEntry, ManifestRef, ObjectRef, ObjectStore } from './types.ts';

/** `format.path` or `internal.bug` for what no manifest takes; `action` begins the message. */
export function checkEntry({ path, sha256, sizeBytes }: ManifestEntry, action: string): void {
  checkManifestPath(path, action);
  if (!SHA256.test(sha256) || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new KubedosError('internal.bug', `${action}: ${path} has hash ${sha256} and size ${sizeBytes}`);
  }
}

/** Cuts a list into chunks where manifest-format.ts says, and writes them and their root. Memory holds one chunk. */
export class ChunkWriter {
  readonly #objects: ObjectStore;
  readonly #rootLines: string[] = [];
  readonly #totals = { files: 0, bytes: 0 };
  #lines: string[] = [];
  #bytes = 0;
  #first = '';

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  /** Entries come strictly ascending by path, and were checked. */
  async add(entry: ManifestEntry): Promise<void> {
    if (this.#lines.length >= MAX_CHUNK_FILES || beginsChunk(entry.path)) await this.#close();
    if (this.#lines.length === 0) this.#first = entry.path;
    this.#lines.push(formatEntry(entry));
    this.#bytes += entry.sizeBytes;
  }

  /** Ends the open chunk if a chunk that begins with this path may stand next, else says false. */
  async closeBefore(path: string): Promise<boolean> {
    if (this.#lines.length > 0 && this.#lines.length < MAX_CHUNK_FILES && !beginsChunk(path)) return false;
    await this.#close();
    return true;
  }

  /** Takes over a chunk as it is, unread. */
  copy(root: ManifestRoot, index: number): void {
    const { sha256, sizeBytes, files, bytes } = root.chunk(index);
    this.#rootLines.push(`${sha256} ${sizeBytes} ${files} ${bytes} ${root.table.path(index)}\n`);
    this.#totals.files += files;
    this.#totals.bytes += bytes;
  }

  /** Writes the root. */
  async finish(): Promise<ManifestRef> {
    await this.#close();
    if (!Number.isSafeInteger(this.#totals.bytes)) {
      throw new KubedosError('format.limit', `write manifest: sizes add up to more than ${Number.MAX_SAFE_INTEGER}`);
    }
    const { sha256 } = await this.#put(formatRoot(this.#totals, this.#rootLines));
    return { root: sha256, ...this.#totals };
  }

  async #close(): Promise<void> {
    if (this.#lines.length === 0) return;
    const { sha256, sizeBytes } = await this.#put(this.#lines.join(''));
    this.#rootLines.push(`${sha256} ${sizeBytes} ${this.#lines.length} ${this.#bytes} ${this.#first}\n`);
    this.#totals.files += this.#lines.length;
    this.#totals.bytes += this.#bytes;
    this.#lines = [];
    this.#bytes = 0;
  }

  /** With its hash, so that what is there already is not written again. */
  #put(text: string): Promise<ObjectRef> {
    const bytes = Buffer.from(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return this.#objects.put([bytes], { sha256, sizeBytes: bytes.length });
  }
}
