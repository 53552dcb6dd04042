import * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Looked up before others get their turn. */
const LSTAT_SLICE = 64;

/**
 * The calls through which the store touches the disk. They take plain descriptors: FileHandle objects cost twice as
 * much, and cold syncs write thousands of small files. Tests wrap it to fail, or to die, at a chosen call.
 */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<number>;
  close(fd: number): Promise<void>;
  /** Bytes written, which may be fewer than offered. */
  write(fd: number, bytes: Uint8Array): Promise<number>;
  /** Fills `into` from `position` on; returns what came, 0 at the end. */
  read(fd: number, into: Uint8Array, position: number): Promise<number>;
  fsync(fd: number): Promise<void>;
  fchmod(fd: number, mode: number): Promise<void>;
  /**
   * syncfs(2): makes all durable that was written to the file system of this folder. Node has no call for it: it is given
   * by who may start a process. Where it is missing or fails, files are synced one by one.
   */
  syncAll?(folder: string): Promise<void>;
  fstat(fd: number): Promise<fs.Stats>;
  /** On the main thread, as `lstatAll`; `undefined` if there is no such file. */
  lstat(path: string): Promise<fs.Stats | undefined>;
  /**
   * `lstat` of many names in a folder, `undefined` for those that are not there. Done in slices on the main thread: a
   * trip to the thread pool costs four times what the kernel needs to answer from its cache.
   */
  lstatAll(folder: string, names: readonly string[]): Promise<(fs.Stats | undefined)[]>;
  /** On the main thread: one disk writes the names of thousands of small files no faster from four threads. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** One level; fails with EEXIST if it is there. */
  mkdir(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  readFile(path: string): Promise<Buffer>;
}

const write = promisify(fs.write) as unknown as (fd: number, bytes: Uint8Array) => Promise<{ bytesWritten: number }>;
const read = promisify(fs.read) as unknown as (
  fd: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;
const mkdir = promisify(fs.mkdir);

export const nodeFileSystem: FileSystem = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  write: async (fd, bytes) => (await write(fd, bytes)).bytesWritten,
  read: async (fd, into, position) => (await read(fd, into, 0, into.length, position)).bytesRead,
  fsync: promisify(fs.fsync),
  fchmod: promisify(fs.fchmod),
  fstat: promisify(fs.fstat),
  lstat: async (path) => fs.lstatSync(path, { throwIfNoEntry: false }),
  lstatAll: async (folder, names) => {
    const found: (fs.Stats | undefined)[] = [];
    for (let at = 0; at < names.length; at += LSTAT_SLICE) {
      if (at > 0) await setImmediate();
      for (const name of names.slice(at, at + LSTAT_SLICE)) {
        found.push(fs.lstatSync(`${folder}/${name}`, { throwIfNoEntry: false }));
      }
    }
    return found;
  },
  rename: async (from, to) => fs.renameSync(from, to),
  unlink: promisify(fs.unlink),
  mkdir: async (path) => {
    await mkdir(path);
  },
  readdir: promisify(fs.readdir),
  readFile: promisify(fs.readFile),
};

/** Writes all of the bytes: a single write may stop short. */
export async function writeAll(files: FileSystem, fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += await files.write(fd, at === 0 ? bytes : bytes.subarray(at));
}

/** A rename is durable only once its folder is. */
export async function fsyncFolder(files: FileSystem, folder: string): Promise<void> {
  const fd = await files.open(folder, 'r');
  try {
    await files.fsync(fd);
  } finally {
    await files.close(fd);
  }
}

/** `undefined` where `work` fails because something is not there. */
export async function unlessAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
