import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, storageError } from '../errors.ts';
import { unlessAbsent } from './file-system.ts';
import type { Store } from './types.ts';

/** What makes publishing cheap is worth keeping for as long as it is used now and then. */
export const CACHE_GRACE_MS = 30 * 24 * 60 * 60 * 1000;

export interface StaleFile {
  readonly file: string;
  readonly sizeBytes: number;
}

/** Files below tmp/ and partial/ that nobody wrote to since the grace began, and in cache/ that nobody used for a month. */
export async function staleFiles(
  store: Store,
  { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
): Promise<StaleFile[]> {
  const found: StaleFile[] = [];
  const areas = [
    ['tmp', graceMs],
    ['partial', graceMs],
    ['cache', Math.max(graceMs, CACHE_GRACE_MS)],
  ] as const;
  for (const [area, ageMs] of areas) {
    try {
      for await (const { file, sizeBytes, usedMs } of filesBelow(await store.file(area))) {
        if (usedMs <= nowMs - ageMs) found.push({ file, sizeBytes });
      }
    } catch (error) {
      throw storageError(`list ${area}`, error);
    }
  }
  return found;
}

/** Folders that become empty go too, but for the areas themselves. */
export async function removeStaleFiles(files: readonly StaleFile[]): Promise<void> {
  const folders = new Set<string>();
  for (const { file } of files) {
    await rm(file, { force: true });
    folders.add(dirname(file));
  }
  // Deepest first, so that a folder is empty when its turn comes.
  for (const folder of [...folders].sort().reverse()) {
    if (/\/(tmp|partial|cache)$/.test(folder)) continue;
    await rmdir(folder).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'ENOENT') throw storageError(`remove ${folder}`, error);
    });
  }
}

async function* filesBelow(folder: string): AsyncGenerator<StaleFile & { readonly usedMs: number }> {
  for (const entry of (await unlessAbsent(() => readdir(folder, { withFileTypes: true }))) ?? []) {
    const file = join(folder, entry.name);
    if (entry.isDirectory()) {
      yield* filesBelow(file);
      continue;
    }
    const stats = await unlessAbsent(() => lstat(file));
    if (stats) yield { file, sizeBytes: stats.size, usedMs: Math.max(stats.mtimeMs, stats.atimeMs, stats.ctimeMs) };
  }
}
