/**
 * Compressed pieces by the hash of their content and the codec, and which pieces an index consists of. Disposable: what
 * is missing, damaged or cannot be written is made again, and the bytes are the same either way.
 */
import { hash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectRef } from '../store/types.ts';
import type { Codec } from './codecs.ts';
import type { Piece } from './piece-cutting.ts';
import type { PieceFacts } from './piece-list.ts';

/** A piece that no publication has used for so long is removed. */
export const KEPT_UNUSED_MS = 30 * 24 * 3600 * 1000;
/** A piece in use gets a new time when its own is older than this: one write a week, not one a publication. */
const TOUCH_AFTER_MS = 7 * 24 * 3600 * 1000;
const TIDY_EVERY_MS = 24 * 3600 * 1000;
const SUM_BYTES = 32;
/** Part of the name of the folder: another one where lists say something else. */
const LISTS = 'lists-1';

export class PieceCache {
  readonly #dir: string;
  /** Folders that were made, so that each is made once. */
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The compressed piece, if it was kept. */
  kept({ sha256 }: Piece, codec: Codec): Promise<Buffer | undefined> {
    return readKept(this.#place(sha256, codec).file);
  }

  /** Compresses and keeps. */
  async compress({ content, sha256 }: Piece, codec: Codec): Promise<Buffer> {
    const bytes = await codec.compress(content);
    await this.#keep(this.#place(sha256, codec), bytes);
    return bytes;
  }

  /** The pieces of a compressed index, if they would be compressed as they are there, and the list was kept. */
  async pieces({ sha256, sizeBytes }: ObjectRef, codec: Codec): Promise<PieceFacts[] | undefined> {
    const text = await readKept(this.#place(sha256, codec, LISTS).file);
    const pieces: PieceFacts[] | undefined = text && JSON.parse(text.toString());
    const bytes = pieces?.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
    return bytes === sizeBytes ? pieces : undefined;
  }

  async keepPieces({ sha256 }: ObjectRef, codec: Codec, pieces: readonly PieceFacts[]): Promise<void> {
    await this.#keep(this.#place(sha256, codec, LISTS), Buffer.from(JSON.stringify(pieces)));
  }

  #place(sha256: string, { id }: Codec, kind = ''): Place {
    const folder = join(this.#dir, kind, id, sha256.slice(0, 2));
    return { folder, file: join(folder, sha256.slice(2)) };
  }

  /** Not durable: a torn file does not fit its checksum. A full disk or a read-only folder costs time, nothing else. */
  async #keep({ folder, file }: Place, bytes: Buffer): Promise<void> {
    const temporary = join(this.#dir, `tmp-${process.pid}-${randomBytes(8).toString('hex')}`);
    try {
      let made = this.#made.get(folder);
      if (made === undefined) {
        made = mkdir(folder, { recursive: true });
        this.#made.set(folder, made);
      }
      await made;
      await writeFile(temporary, Buffer.concat([hash('sha256', bytes, 'buffer'), bytes]));
      await rename(temporary, file);
    } catch {
      this.#made.delete(folder);
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  /** Prunes, at most once a day over all processes. Never fails: tidying is no reason to fail a publication. */
  async tidy(now: Date = new Date()): Promise<void> {
    const marker = join(this.#dir, 'tidied');
    try {
      const last = await stat(marker).then(
        (facts) => facts.mtimeMs,
        () => 0,
      );
      if (now.getTime() - last < TIDY_EVERY_MS) return;
      await mkdir(this.#dir, { recursive: true });
      await writeFile(marker, '');
      await this.prune(now);
    } catch {
      // The next publication tries again.
    }
  }

  /** Removes what was not used for `KEPT_UNUSED_MS`, and what a killed process left; returns how many files. */
  async prune(now: Date = new Date()): Promise<number> {
    let removed = 0;
    for (const path of await readdir(this.#dir, { recursive: true }).catch(() => [])) {
      const file = join(this.#dir, path);
      const facts = await stat(file).catch(() => undefined);
      if (!facts?.isFile() || now.getTime() - facts.mtimeMs < KEPT_UNUSED_MS) continue;
      await rm(file, { force: true });
      removed += 1;
    }
    return removed;
  }
}

interface Place {
  readonly folder: string;
  readonly file: string;
}

/** The payload if it fits the checksum before it. Marks the piece as used. */
async function readKept(file: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(file);
    const payload = bytes.subarray(SUM_BYTES);
    if (!hash('sha256', payload, 'buffer').equals(bytes.subarray(0, SUM_BYTES))) return undefined;
    const now = new Date();
    if (now.getTime() - (await stat(file)).mtimeMs > TOUCH_AFTER_MS) await utimes(file, now, now);
    return payload;
  } catch {
    return undefined;
  }
}
