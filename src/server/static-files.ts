import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../errors.ts';
import { contentTypeOf } from './content-type.ts';

export interface StaticFile {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly contentType: string;
}

/** The few small files of web/, read once: a request's text only ever picks from what is in memory. */
export async function readStaticFiles(webDir: string): Promise<ReadonlyMap<string, StaticFile>> {
  try {
    const entries = await readdir(webDir, { withFileTypes: true });
    const files = new Map<string, StaticFile>();
    for (const { name } of entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'))) {
      const bytes = await readFile(join(webDir, name));
      const etag = `"${createHash('sha256').update(bytes).digest('hex')}"`;
      files.set(name, { bytes, etag, contentType: contentTypeOf(name) });
    }
    return files;
  } catch (error) {
    throw storageError(`read the static files in ${webDir}`, error);
  }
}
