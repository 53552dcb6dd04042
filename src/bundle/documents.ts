/** Small files on the medium and in the store's folder for bundles: written in one durable step, read with a limit. */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, KubedosError, storageError } from '../errors.ts';

/** Temporary name beside the file, fsync, rename, fsync of the folder. */
export async function writeFileDurably(file: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${file}.part`;
  try {
    const handle = await open(temporary, 'w', 0o644);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw storageError(`write ${file}`, error);
  }
}

/** As writeFileDurably, from another file. */
export async function copyFileDurably(from: string, to: string): Promise<void> {
  const temporary = `${to}.part`;
  try {
    await copyFile(from, temporary);
    const handle = await open(temporary, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw storageError(`write ${to}`, error);
  }
}

/** Makes a folder in one that is there, unless it is made. Not by `recursive`: Node then says ENOENT of a full disk. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw storageError(`make ${folder}`, error);
  }
}

/** Some file systems of media know no fsync of a folder; they say EINVAL or ENOTSUP. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'EINVAL' && errno !== 'ENOTSUP') throw storageError(`flush ${folder}`, error);
  } finally {
    await handle.close();
  }
}

/**
 * Opens a file of a medium that strangers may have written: no symbolic link, no device, no pipe (`bundle.invalid`).
 * Absent: `undefined`.
 */
export async function openOrdinary(file: string): Promise<{ handle: FileHandle; sizeBytes: number } | undefined> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a pipe must not wait for a writer.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    if (errno === 'ELOOP') throw linkRefusal(file);
    throw storageError(`open ${file}`, error);
  }
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, sizeBytes: stats.size };
  await handle.close();
  throw new KubedosError('bundle.invalid', `open ${file}: it is not an ordinary file`);
}

/** A whole small file of a medium; `bundle.invalid` when it is larger than `maxBytes`. */
export async function readOrdinary(file: string, maxBytes: number): Promise<Buffer | undefined> {
  const opened = await openOrdinary(file);
  if (opened === undefined) return undefined;
  try {
    if (opened.sizeBytes > maxBytes) {
      throw new KubedosError('bundle.invalid', `read ${file}: ${opened.sizeBytes} bytes, expected at most ${maxBytes}`);
    }
    const bytes = Buffer.alloc(opened.sizeBytes);
    const { bytesRead } = await opened.handle.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw storageError(`read ${file}`, error);
  } finally {
    await opened.handle.close();
  }
}

export function linkRefusal(file: string): KubedosError {
  return new KubedosError('bundle.invalid', `open ${file}: it is a symbolic link`, {
    hint: 'kubedos writes none: do not use the medium',
    details: { symbolicLink: file },
  });
}

export function isLinkRefusal(error: unknown): boolean {
  return error instanceof KubedosError && 'symbolicLink' in error.details;
}
