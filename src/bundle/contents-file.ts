/** Reading a contents list: as a whole against the signed hash, then pack by pack. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { KubedosError, storageError } from '../errors.ts';
import { MAX_LINE_BYTES, parseContentsLine } from './contents.ts';
import { openOrdinary } from './documents.ts';
import { readLines } from './lines.ts';
import type { Bundle, PackMember, PackPlan } from './types.ts';
import { memberBytes, TRAILER_BYTES } from './ustar.ts';

const BLOCK_BYTES = 1024 * 1024;

export class ContentsFile {
  readonly #handle: FileHandle;
  readonly #file: string;
  readonly #bundle: Bundle;
  /** Where each pack's lines begin. */
  readonly #starts: number[];
  readonly #packs: readonly PackPlan[];

  private constructor(handle: FileHandle, file: string, bundle: Bundle) {
    this.#handle = handle;
    this.#file = file;
    this.#bundle = bundle;
    this.#packs = bundle.root.volumes.flatMap(({ packs }) => packs);
    let at = 0;
    this.#starts = this.#packs.map(({ listBytes }) => {
      at += listBytes;
      return at - listBytes;
    });
  }

  /** `undefined` where it is missing, of another size or hash than the root says: another volume may have a good one. */
  static async open(file: string, bundle: Bundle): Promise<ContentsFile | undefined> {
    const opened = await openOrdinary(file);
    if (opened === undefined) return undefined;
    const { contents } = bundle.root;
    try {
      if (opened.sizeBytes === contents.sizeBytes) {
        const hash = await hashHandle(opened.handle, contents.sizeBytes);
        if (hash === contents.sha256) return new ContentsFile(opened.handle, file, bundle);
      }
    } catch (error) {
      await opened.handle.close();
      throw storageError(`read ${file}`, error);
    }
    await opened.handle.close();
    return undefined;
  }

  /** The members of pack `number` (from 1), many at a time; `bundle.invalid` where they do not add up to the pack. */
  async *members(number: number): AsyncGenerator<PackMember[]> {
    const pack = this.#packs[number - 1];
    const start = this.#starts[number - 1];
    if (pack === undefined || start === undefined) throw new KubedosError('internal.bug', `list pack ${number}`);
    const range = { start, end: start + pack.listBytes, maxLineBytes: MAX_LINE_BYTES };
    let count = 0;
    let bytes = TRAILER_BYTES;
    for await (const lines of readLines(this.#handle, this.#file, range)) {
      const batch = lines.map((line) => this.#member(line, number));
      count += batch.length;
      for (const { sizeBytes } of batch) bytes += memberBytes(sizeBytes);
      if (bytes > pack.sizeBytes) break;
      yield batch;
    }
    if (count !== pack.members || bytes !== pack.sizeBytes) {
      throw new KubedosError(
        'bundle.invalid',
        `read ${this.#file}: ${pack.name} does not add up to its ${pack.sizeBytes} bytes`,
      );
    }
  }

  #member(line: string, number: number): PackMember {
    const { pack, member } = parseContentsLine(line, this.#file);
    const { extentBytes } = this.#bundle.root;
    if (pack !== number || (member.extent !== null && member.sizeBytes > extentBytes)) {
      throw new KubedosError(
        'bundle.invalid',
        `read ${this.#file}: a line of pack ${number} says ${JSON.stringify(line)}`,
      );
    }
    return member;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** SHA-256 of the first `sizeBytes` bytes. */
export async function hashHandle(handle: FileHandle, sizeBytes: number): Promise<string> {
  const digest = createHash('sha256');
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let at = 0; at < sizeBytes; ) {
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, sizeBytes - at), at);
    if (bytesRead === 0) break;
    digest.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  return digest.digest('hex');
}
