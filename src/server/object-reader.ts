import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { errnoOf, KubedosError } from '../errors.ts';
import { ByteLru } from '../store/byte-lru.ts';
import type { ByteRange, ObjectRef } from '../store/types.ts';
import type { OpenObject } from './answer.ts';
import type { ServerDeps } from './deps.ts';
import { TurnMemo } from './turn-memo.ts';

/** Objects up to this size are read at once, held against their name, and kept in memory while there is room. */
export const SMALL_OBJECT_BYTES = 1024 * 1024;
const DEFAULT_CACHE_BYTES = 128 * 1024 * 1024;

/** What a map entry and a Buffer cost beside the bytes. */
const ENTRY_OVERHEAD_BYTES = 400;

const MAX_SOUND = 50_000;

/** Why an object cannot be sent; for the log, not for the client. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly reason: string;
  /** False where the fault lies elsewhere, such as too many open files. */
  readonly damaged: boolean;
}

/** Opens objects for answers, never trusting that what the manifest names is what the disk holds. */
export class ObjectReader {
  readonly #store: ServerDeps['store'];
  readonly #badStamp: ServerDeps['badStamp'];
  readonly #small: ByteLru<Buffer>;
  readonly #stamps = new TurnMemo<string | undefined>();
  /** Objects that were not bad when the stamp was this one. */
  readonly #sound = new Set<string>();
  #soundAt: string | undefined;

  constructor({ store, badStamp, options }: Pick<ServerDeps, 'store' | 'badStamp' | 'options'>) {
    this.#store = store;
    this.#badStamp = badStamp;
    const cacheBytes = options?.cacheBytes ?? DEFAULT_CACHE_BYTES;
    this.#small = new ByteLru(cacheBytes, (bytes) => bytes.length + ENTRY_OVERHEAD_BYTES);
  }

  get cachedBytes(): number {
    return this.#small.bytes;
  }

  /** From memory alone; the caller asks `isBad` itself. */
  cached(sha256: string): Buffer | undefined {
    return this.#small.get(sha256);
  }

  isBad(sha256: string): boolean {
    const badStamp = this.#badStamp;
    const stamp = badStamp && this.#stamps.get('', badStamp);
    if (stamp === undefined) return this.#store.bad.has(sha256);
    if (stamp !== this.#soundAt || this.#sound.size > MAX_SOUND) {
      this.#sound.clear();
      this.#soundAt = stamp;
    }
    if (this.#sound.has(sha256)) return false;
    const bad = this.#store.bad.has(sha256);
    if (!bad) this.#sound.add(sha256);
    return bad;
  }

  async open(ref: ObjectRef): Promise<OpenObject | Unreadable> {
    const cached = this.#small.get(ref.sha256);
    if (cached !== undefined) return { kind: 'bytes', bytes: cached };
    try {
      if (ref.sizeBytes <= SMALL_OBJECT_BYTES) {
        return { kind: 'bytes', bytes: await this.#small.load(ref.sha256, () => this.#readSmall(ref)) };
      }
      return this.#store.objects.localPath === undefined ? await this.#openRemote(ref) : await this.#openLocal(ref);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // `store.corrupt` of a read: the file is larger than any small object can be.
      const damaged = error instanceof Damaged || (error instanceof KubedosError && error.code === 'store.corrupt');
      return { kind: 'unreadable', reason, damaged };
    }
  }

  async #readSmall(ref: ObjectRef): Promise<Buffer> {
    const bytes = await this.#store.objects.read(ref.sha256, SMALL_OBJECT_BYTES);
    if (bytes === undefined) throw new Damaged('it is missing');
    if (bytes.length !== ref.sizeBytes) throw new Damaged(`it has ${bytes.length} bytes, expected ${ref.sizeBytes}`);
    const found = hash('sha256', bytes, 'hex');
    if (found !== ref.sha256) throw new Damaged(`its bytes hash to ${found}`);
    return bytes;
  }

  async #openLocal(ref: ObjectRef): Promise<OpenObject> {
    const path = this.#store.objects.localPath?.(ref.sha256) ?? '';
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw errnoOf(error) === 'ENOENT' ? new Damaged('it is missing') : error;
    });
    try {
      const { size } = await handle.stat();
      if (size !== ref.sizeBytes) throw new Damaged(`it has ${size} bytes, expected ${ref.sizeBytes}`);
      return { kind: 'file', handle };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #openRemote(ref: ObjectRef): Promise<OpenObject> {
    const found = await this.#store.objects.stat(ref.sha256);
    if (found === undefined) throw new Damaged('it is missing');
    if (found.sizeBytes !== ref.sizeBytes)
      throw new Damaged(`it has ${found.sizeBytes} bytes, expected ${ref.sizeBytes}`);
    const openRange = async (range: ByteRange): Promise<Readable> => {
      const stream = await this.#store.objects.open(ref.sha256, range);
      if (stream === undefined) throw new Damaged('it went missing');
      return stream;
    };
    return { kind: 'stream', open: openRange };
  }
}

/** Inside this file only: callers get `Unreadable`. */
class Damaged extends Error {}
