/** Text files of many lines, read and written in blocks: a list may have tens of millions of lines. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { KubedosError, storageError } from '../errors.ts';

const BLOCK_BYTES = 256 * 1024;

/** Writes lines to a new file and hashes them on the way. */
export class LineFile {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #lines: string[] = [];
  #gathered = 0;
  #bytes = 0;

  private constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  static async create(file: string): Promise<LineFile> {
    try {
      return new LineFile(file, await open(file, 'w', 0o644));
    } catch (error) {
      throw storageError(`write ${file}`, error);
    }
  }

  /** ASCII, with its newline. */
  async add(line: string): Promise<void> {
    this.#lines.push(line);
    this.#gathered += line.length;
    if (this.#gathered >= BLOCK_BYTES) await this.#drain();
  }

  async close(): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
    await this.#drain();
    try {
      await this.#handle.sync();
    } catch (error) {
      throw storageError(`write ${this.#file}`, error);
    } finally {
      await this.#handle.close();
    }
    return { sha256: this.#hash.digest('hex'), sizeBytes: this.#bytes };
  }

  async #drain(): Promise<void> {
    const block = Buffer.from(this.#lines.join(''), 'latin1');
    this.#lines = [];
    this.#gathered = 0;
    this.#hash.update(block);
    this.#bytes += block.length;
    try {
      await this.#handle.writeFile(block);
    } catch (error) {
      await this.#handle.close().catch(() => undefined);
      throw storageError(`write ${this.#file}`, error);
    }
  }
}

export interface LineRange {
  readonly start?: number;
  /** Exclusive. */
  readonly end?: number;
}

/** Lines without their newline, many at a time. The last one must end in a newline; none may exceed `maxLineBytes`. */
export async function* readLines(
  handle: FileHandle,
  origin: string,
  options: LineRange & { readonly maxLineBytes: number },
): AsyncGenerator<string[]> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  const end = options.end ?? Number.POSITIVE_INFINITY;
  let position = options.start ?? 0;
  let rest = '';
  while (position < end) {
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, end - position), position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const lines = (rest + block.toString('latin1', 0, bytesRead)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > options.maxLineBytes) throw new KubedosError('bundle.invalid', `${origin}: a line has no end`);
    yield lines;
  }
  if (rest !== '') throw new KubedosError('bundle.invalid', `${origin}: the last line is cut short`);
}
