import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './types.ts';

/** Lends a folder name in tmp/ (not made yet) to `work` and removes what was put there, however it ends. */
export async function withScratch<T>(
  store: Pick<Store, 'file'>,
  purpose: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(await store.file('tmp'), `${purpose}-${process.pid}-${randomUUID()}`);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
