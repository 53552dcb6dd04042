import type { Readable } from 'node:stream';
import type { ByteRange, ByteSource, ObjectRef, ObjectStore, Sha256 } from '../store/types.ts';

/** Reads from `base` what `top` does not have, and writes to `top` alone: a dry run leaves no trace in the store. */
export class OverlayObjects implements ObjectStore {
  readonly #base: ObjectStore;
  readonly #top: ObjectStore;

  constructor(base: ObjectStore, top: ObjectStore) {
    this.#base = base;
    this.#top = top;
  }

  put(source: ByteSource, expected?: Partial<ObjectRef>): Promise<ObjectRef> {
    return this.#top.put(source, expected);
  }

  adopt(file: string, ref: ObjectRef): Promise<void> {
    return this.#top.adopt(file, ref);
  }

  flush(): Promise<void> {
    return this.#top.flush();
  }

  async open(sha256: Sha256, range?: ByteRange): Promise<Readable | undefined> {
    return (await this.#top.open(sha256, range)) ?? this.#base.open(sha256, range);
  }

  async read(sha256: Sha256, maxBytes: number): Promise<Buffer | undefined> {
    return (await this.#top.read(sha256, maxBytes)) ?? this.#base.read(sha256, maxBytes);
  }

  async stat(sha256: Sha256): Promise<ObjectRef | undefined> {
    return (await this.#top.stat(sha256)) ?? this.#base.stat(sha256);
  }

  /** Of the top alone: nobody walks through a dry run. */
  list(after?: Sha256): AsyncIterable<ObjectRef & { readonly storedAtMs: number }> {
    return this.#top.list(after);
  }

  remove(sha256: Sha256): Promise<boolean> {
    return this.#top.remove(sha256);
  }
}
