import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Store } from './types.ts';

/** Purpose, host, process: whoever finds one that was left behind can tell whose it was. */
const NAME = /^([a-z]+)-(.+)-(\d+)-[0-9a-f-]{36}$/;

/** Lends a folder name in tmp/ (not made yet) to `work` and removes what was put there, however it ends. */
export async function withScratch<T>(
  store: Pick<Store, 'file'>,
  purpose: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(await store.file('tmp'), `${purpose}-${hostname()}-${process.pid}-${randomUUID()}`);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The process of this host that has or had the folder of that name; undefined for other purposes, and of other hosts. */
export function scratchProcess(name: string, purpose: string): number | undefined {
  const [, found, host, pid] = NAME.exec(name) ?? [];
  return found === purpose && host === hostname() ? Number(pid) : undefined;
}
