/** Small files of the store that change: written in one durable step, and sealed against flipped bits. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';
import { KubedosError, storageError } from '../errors.ts';
import { canonicalJson, isCanonicalJson } from './canonical-json.ts';
import { type FileSystem, fsyncFolder, unlessAbsent, writeAll } from './file-system.ts';

/** Beyond this a document is taken for damaged rather than read into memory. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

let serial = 0;

/** A name for a temporary file that no other writer, thread or process uses. */
export function temporaryName(purpose: string): string {
  serial += 1;
  return `${purpose}-${process.pid}-${process.hrtime.bigint().toString(36)}-${serial}`;
}

/** Where documents live and where their temporary files go; both on one file system. */
export class DocumentFolder {
  readonly files: FileSystem;
  readonly #tmp: string;

  constructor(files: FileSystem, tmp: string) {
    this.files = files;
    this.#tmp = tmp;
  }

  /**
   * Temporary file, fsync, rename, fsync of the folder: a reader, and a reader after a crash, sees the old bytes
   * or the new ones. What fails before the rename leaves no temporary file.
   */
  async write(file: string, bytes: Uint8Array): Promise<void> {
    await this.#write(file, bytes, true);
  }

  /** In one step as well, but a power cut may undo it: for what nobody relies on. */
  async writeVolatile(file: string, bytes: Uint8Array): Promise<void> {
    await this.#write(file, bytes, false);
  }

  async #write(file: string, bytes: Uint8Array, durable: boolean): Promise<void> {
    const temporary = join(this.#tmp, temporaryName(basename(file)));
    try {
      const fd = await this.files.open(temporary, 'wx', 0o644);
      try {
        await writeAll(this.files, fd, bytes);
        if (durable) await this.files.fsync(fd);
      } finally {
        await this.files.close(fd);
      }
      await this.files.rename(temporary, file);
      if (durable) await fsyncFolder(this.files, dirname(file));
    } catch (error) {
      await this.files.unlink(temporary).catch(() => undefined);
      throw storageError(`write ${file}`, error);
    }
  }

  async read(file: string): Promise<Buffer | undefined> {
    try {
      return await unlessAbsent(() => this.files.readFile(file));
    } catch (error) {
      throw storageError(`read ${file}`, error);
    }
  }

  /** True if it was there. Durable. */
  async remove(file: string): Promise<boolean> {
    try {
      const removed = await unlessAbsent(async () => {
        await this.files.unlink(file);
        return true;
      });
      if (removed) await fsyncFolder(this.files, dirname(file));
      return removed ?? false;
    } catch (error) {
      throw storageError(`remove ${file}`, error);
    }
  }

  /** Names in a folder that end in `.json`, without that ending, sorted. */
  async names(folder: string): Promise<string[]> {
    try {
      const names = (await unlessAbsent(() => this.files.readdir(folder))) ?? [];
      return names
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.slice(0, -5))
        .sort();
    } catch (error) {
      throw storageError(`list ${folder}`, error);
    }
  }
}

/** Canonical JSON with a member `seal`: the SHA-256 of the same document without it. A flipped bit does not go unseen. */
export function sealDocument(value: object): Buffer {
  return Buffer.from(`${canonicalJson({ ...value, seal: sealOf(value) })}\n`);
}

function sealOf(value: object): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** The inverse of `sealDocument`, with the schema checked; `store.corrupt` or `store.version` otherwise. */
export function openSealed<T>(bytes: Buffer, schema: z.ZodType<T>, what: string): T {
  const value = parseDocument(bytes, what);
  const { seal, ...rest } = value;
  // In this order: what has no canonical form has no seal either.
  if (!isCanonicalJson(bytes, value) || seal !== sealOf(rest)) throw corrupt(what, 'its seal does not fit its content');
  return checkDocument(rest, schema, what);
}

/** A JSON object; `store.corrupt` if it is anything else. */
export function parseDocument(bytes: Uint8Array, what: string): Record<string, unknown> {
  if (bytes.length > MAX_DOCUMENT_BYTES) throw corrupt(what, `it is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw corrupt(what, 'it is not JSON', cause);
  }
  throw corrupt(what, 'it is not a JSON object');
}

/** Holds a document against its schema; a newer format of the same family is `store.version`. */
export function checkDocument<T>(value: Record<string, unknown>, schema: z.ZodType<T>, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { format } = value;
  if (typeof format === 'string' && /^kubedos-[a-z]+\/[1-9][0-9]*$/.test(format) && !format.endsWith('/1')) {
    throw new KubedosError('store.version', `read ${what}: format ${format} is newer than this kubedos knows`, {
      hint: 'use the kubedos that wrote it, or a newer one',
    });
  }
  const issue = parsed.error.issues[0];
  throw corrupt(what, `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'unexpected shape'}`);
}

function corrupt(what: string, why: string, cause?: unknown): KubedosError {
  return new KubedosError('store.corrupt', `read ${what}: ${why}`, {
    hint: 'run `kubedos store check`; take the file from a backup, or make it anew',
    cause,
  });
}
