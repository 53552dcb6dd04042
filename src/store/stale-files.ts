import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, storageError } from '../errors.ts';
import { unlessAbsent } from './file-system.ts';
import type { Store } from './types.ts';

/** What makes publishing cheap is worth keeping for as long as it is used now and then. */
const CACHE_GRACE_MS = 30 * 24 * 60 * 60 * 1000;

const AREA = /\/(tmp|partial|cache)$/;

export interface StaleFile {
  readonly file: string;
  readonly sizeBytes: number;
  /** An empty folder: what a process leaves that was killed before it wrote the first file. */
  readonly isFolder: boolean;
}

/** Files and empty folders below tmp/ and partial/ that nobody wrote to since the grace began, and in cache/ that nobody used for a month. */
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
      for await (const { usedMs, ...stale } of filesBelow(await store.file(area))) {
        if (usedMs <= nowMs - ageMs) found.push(stale);
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
  for (const { file, isFolder } of files) {
    if (isFolder) folders.add(file);
    else await rm(file, { force: true });
    for (let folder = dirname(file); !AREA.test(folder); folder = dirname(folder)) folders.add(folder);
  }
  // Deepest first, so that a folder is empty when its turn comes.
  for (const folder of [...folders].sort().reverse()) {
    await rmdir(folder).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'ENOENT') throw storageError(`remove ${folder}`, error);
    });
  }
}

async function* filesBelow(folder: string): AsyncGenerator<StaleFile & { readonly usedMs: number }> {
  for (const entry of (await unlessAbsent(() => readdir(folder, { withFileTypes: true }))) ?? []) {
    const file = join(folder, entry.name);
    const isFolder = entry.isDirectory();
    const isEmpty = isFolder && (await unlessAbsent(() => readdir(file)))?.length === 0;
    if (isFolder && !isEmpty) {
      yield* filesBelow(file);
      continue;
    }
    const stats = await unlessAbsent(() => lstat(file));
    if (!stats) continue;
    const { size, mtimeMs, ctimeMs, atimeMs } = stats;
    // Looking into a folder counts as an access, and here was the last one.
    yield {
      file,
      sizeBytes: isFolder ? 0 : size,
      isFolder,
      usedMs: Math.max(mtimeMs, ctimeMs, isFolder ? 0 : atimeMs),
    };
  }
}
