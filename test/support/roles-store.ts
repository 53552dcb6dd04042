/** A store that has what the shipped roles need: of Debian the real packages, of others stand-ins (stand-ins.ts). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOOTABLE, cachedStore, kubedos } from './real-debian.ts';
import { buildStandIn, STAND_INS } from './stand-ins.ts';

const MIRRORS = [BOOTABLE, 'debian-12-roles'];

/**
 * With the channel `roles`, of these mirrors and of the stand-ins. Test files share it: what is the same again gives the same
 * snapshot, and that the same layers.
 */
export async function rolesStore(): Promise<string> {
  const data = cachedStore('roles');
  await unlessThere(kubedos(data, 'init'));
  await kubedos(data, 'mirror', 'sync', ...MIRRORS, '--quiet');
  const folder = await mkdtemp(join(tmpdir(), 'kubedos-stand-ins-'));
  try {
    for (const [repo, standIns] of Object.entries(STAND_INS)) {
      await unlessThere(kubedos(data, 'repo', 'create', repo, '--suite', 'stable'));
      const files = await Promise.all(standIns.map((each) => buildStandIn(each, folder)));
      await kubedos(data, 'repo', 'add', repo, ...files, '--force', '--quiet');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await kubedos(data, 'snapshot', 'create', '--mirror', ...MIRRORS, ...Object.keys(STAND_INS), '--channel', 'roles');
  return data;
}

/** Of an earlier run, or of another test file. */
async function unlessThere(made: Promise<unknown>): Promise<void> {
  await made.catch((error: Error) => {
    if (!error.message.includes('store.exists')) throw error;
  });
}
