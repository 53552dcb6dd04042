import { statSync } from 'node:fs';

/** Two changes within this time can share one tick of the file system's clock. */
const SETTLED_MS = 100;

let unsettled = 0;

/**
 * A text that changes with each atomic replacement of a file: inode, change time, size. Undefined: no such file.
 * A file so young that another replacement could look the same never stamps equal twice (as git does for its index).
 * Synchronous on purpose: one stat costs 2 µs, a round through the thread pool 50 µs.
 */
export function fileStamp(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const stamp = `${stats.ino}:${stats.ctimeMs}:${stats.size}`;
  const age = Date.now() - stats.ctimeMs;
  return age > SETTLED_MS || age < -SETTLED_MS ? stamp : `${stamp}:${unsettled++}`;
}
