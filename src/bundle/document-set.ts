/** The documents of a bundle as files: copied to each volume, hashed. */
import { dirname, join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { hashHandle } from './contents-file.ts';
import { copyFileDurably, makeFolder, openOrdinary, syncFolder, writeFileDurably } from './documents.ts';
import type { CarriedFile } from './plan.ts';
import type { VolumeFile } from './types.ts';

/** Copies documents that lie below `from`, each in one durable step. The contents list may be large: no document is held in memory. */
export async function copyDocuments(from: string, to: string, names: readonly string[]): Promise<void> {
  for (const folder of new Set(names.map((name) => dirname(join(to, name))))) await makeFolder(folder);
  for (const name of names) await copyFileDurably(join(from, name), join(to, name));
  await syncFolder(to);
}

export async function hashDocuments(folder: string, names: readonly string[]): Promise<VolumeFile[]> {
  const sums: VolumeFile[] = [];
  for (const name of names) {
    const opened = await openOrdinary(join(folder, name));
    if (opened === undefined) throw new KubedosError('store.corrupt', `read ${join(folder, name)}: it is missing`);
    try {
      const { handle, sizeBytes } = opened;
      sums.push({ name, sizeBytes, sha256: await hashHandle(handle, sizeBytes) });
    } finally {
      await opened.handle.close();
    }
  }
  return sums;
}

/** Writes files below a folder, its sub-folders made, each in one durable step. */
export async function writeDocuments(folder: string, files: readonly CarriedFile[]): Promise<void> {
  const folders = new Set(files.map(({ name }) => name.split('/').slice(0, -1).join('/')));
  for (const name of folders) await makeFolder(join(folder, name));
  for (const { name, bytes } of files) await writeFileDurably(join(folder, name), bytes);
  await syncFolder(folder);
}
