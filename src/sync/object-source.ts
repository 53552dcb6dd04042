/** Brings files that signed metadata names into the store. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { Fetcher, WantedFile } from '../net/types.ts';
import type { ObjectRef, ObjectStore } from '../store/types.ts';

export interface Fetched {
  files: number;
  bytes: number;
}

export interface ObjectSourceParts {
  readonly objects: ObjectStore;
  readonly fetcher: Fetcher;
  /** Where partial files lie, named by hash, so that a killed sync goes on with them. */
  readonly partialFolder: string;
  /** True where an object is there but known as damaged: it is fetched again. */
  readonly isBad: (sha256: string) => boolean;
}

export interface FetchWish extends Omit<WantedFile, 'digest'> {
  readonly sha256: string;
  readonly urls: readonly string[];
}

/** The object, and whether it came from upstream just now. */
export interface Brought extends ObjectRef {
  readonly fetched: boolean;
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

export class ObjectSource {
  /** All that came from upstream so far. */
  readonly fetched: Fetched = { files: 0, bytes: 0 };
  readonly #parts: ObjectSourceParts;
  /** The same bytes under two paths are fetched once. */
  readonly #underWay = new Map<string, Promise<Brought>>();

  constructor(parts: ObjectSourceParts) {
    this.#parts = parts;
  }

  /** True if the store has it, sound as far as is known. `store.hash-mismatch` where the sizes differ. */
  async has(wanted: ObjectRef): Promise<boolean> {
    const there = await this.#parts.objects.stat(wanted.sha256);
    if (there === undefined || this.#parts.isBad(wanted.sha256)) return false;
    if (there.sizeBytes === wanted.sizeBytes) return true;
    throw new KubedosError(
      'store.hash-mismatch',
      `object ${wanted.sha256}: metadata says ${wanted.sizeBytes} bytes, the store has ${there.sizeBytes}`,
      { hint: 'upstream lists a wrong size, or the object is damaged: `kubedos store scrub` tells' },
    );
  }

  /** Fetches unless the store has it. Errors of Fetcher.file; a partial file stays behind where it can be gone on with. */
  async bring(wish: FetchWish, options: FetchOptions = {}): Promise<Brought> {
    const running = this.#underWay.get(wish.sha256);
    if (running !== undefined) return running;
    const task = this.#bring(wish, options).finally(() => this.#underWay.delete(wish.sha256));
    this.#underWay.set(wish.sha256, task);
    return task;
  }

  /**
   * As `bring`, where metadata gives another checksum than SHA-256: the one that the store names objects by is known
   * only once the bytes are there. `held` is an object that may be the one, as an earlier list has it under the same path.
   */
  async bringByDigest(
    wish: WantedFile & { readonly urls: readonly string[]; readonly held?: ObjectRef | undefined },
    { signal, onBytes }: FetchOptions = {},
  ): Promise<Brought> {
    const { urls, held, ...wanted } = wish;
    if (wanted.digest.algorithm === 'sha256')
      return this.bring({ ...wanted, urls, sha256: wanted.digest.hex }, { signal, onBytes });
    if (held !== undefined && (await this.#hasDigest(held, wanted.digest))) return { ...held, fetched: false };
    const { fetcher, partialFolder } = this.#parts;
    const partial = join(partialFolder, `${wanted.digest.algorithm}-${wanted.digest.hex}`);
    const got = await fetcher.file(urls, wanted, { partial, signal, ...(onBytes && { onBytes }) });
    const ref = { sha256: got.sha256, sizeBytes: got.sizeBytes };
    await this.#adopt(got.file, ref);
    return { ...ref, fetched: true };
  }

  async #hasDigest(held: ObjectRef, { algorithm, hex }: WantedFile['digest']): Promise<boolean> {
    const bytes = this.#parts.isBad(held.sha256) ? undefined : await this.#parts.objects.open(held.sha256);
    if (bytes === undefined) return false;
    const digest = createHash(algorithm);
    for await (const chunk of bytes) digest.update(chunk);
    return digest.digest('hex') === hex;
  }

  async #bring(wish: FetchWish, { signal, onBytes }: FetchOptions): Promise<Brought> {
    const there = wish.sizeIsLimit ? await this.#sizeOf(wish.sha256) : wish.sizeBytes;
    const known = there === undefined ? undefined : { sha256: wish.sha256, sizeBytes: there };
    if (known && (await this.has(known))) return { ...known, fetched: false };
    const { fetcher, partialFolder } = this.#parts;
    const partial = join(partialFolder, wish.sha256);
    const wanted: WantedFile = {
      path: wish.path,
      sizeBytes: wish.sizeBytes,
      ...(wish.sizeIsLimit && { sizeIsLimit: true }),
      digest: { algorithm: 'sha256', hex: wish.sha256 },
      alternatePath: wish.alternatePath,
    };
    const got = await fetcher.file(wish.urls, wanted, { partial, signal, ...(onBytes && { onBytes }) });
    const ref = { sha256: wish.sha256, sizeBytes: got.sizeBytes };
    await this.#adopt(got.file, ref);
    return { ...ref, fetched: true };
  }

  async #adopt(file: string, ref: ObjectRef): Promise<void> {
    try {
      await this.#parts.objects.adopt(file, ref);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    this.fetched.files += 1;
    this.fetched.bytes += ref.sizeBytes;
  }

  async #sizeOf(sha256: string): Promise<number | undefined> {
    return (await this.#parts.objects.stat(sha256))?.sizeBytes;
  }
}
