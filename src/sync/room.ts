/** Is there room for what a sync is about to fetch? */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../errors.ts';
import { unlessAbsent } from '../store/file-system.ts';
import { requireSpace } from '../store/space.ts';
import type { Store } from '../store/types.ts';
import type { Session } from './session.ts';

/** Refuses (`store.no-space`) before the first package what cannot fit; parts that an earlier run left count as fetched. */
export async function requireRoom({ deps, spec }: Session, lack: { readonly bytes: number }): Promise<void> {
  const held = await partialBytes(deps.store);
  await requireSpace(deps.store.dir, Math.max(0, lack.bytes - held), `sync ${spec.name}`);
}

async function partialBytes(store: Store): Promise<number> {
  const folder = await store.file('partial');
  try {
    const stats = await Promise.all(
      (await readdir(folder)).map((name) => unlessAbsent(() => lstat(join(folder, name)))),
    );
    return stats.reduce((sum, one) => sum + (one?.size ?? 0), 0);
  } catch (error) {
    throw storageError(`list ${folder}`, error);
  }
}
