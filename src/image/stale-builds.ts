/** What a killed build left in tmp/: files alone, since its mounts ended with it. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { scratchProcess } from '../store/scratch.ts';
import type { Store } from '../store/types.ts';

/** Removes the folders of processes that are no more; what another host, or a container, builds here cannot be told. */
export async function removeStaleBuilds(store: Pick<Store, 'file'>): Promise<void> {
  const folder = await store.file('tmp');
  for (const name of await readdir(folder)) {
    const pid = scratchProcess(name, 'bake');
    if (pid !== undefined && !isRunning(pid)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
