/** A store that has what the shipped roles need: of Debian the real packages, of others stand-ins (stand-ins.ts). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachedStore, kubedos } from './real-debian.ts';
import { buildStandIn, STAND_INS } from './stand-ins.ts';

/**
 * With the channel `roles`: of these mirrors, and of the stand-ins. Each test file has a store of its own, since they run
 * beside one another, and since snapshots of other tests would give its layers new keys.
 */
export async function rolesStore(name: string, mirrors: readonly string[]): Promise<string> {
  const data = cachedStore(name);
  const known = await kubedos(data, 'mirror', 'list', '--json').catch(async () => {
    await kubedos(data, 'init');
    return '';
  });
  await kubedos(data, 'mirror', 'sync', ...mirrors, '--quiet');
  const folder = await mkdtemp(join(tmpdir(), 'kubedos-stand-ins-'));
  try {
    for (const [repo, standIns] of Object.entries(STAND_INS)) {
      if (!known.includes(`"${repo}"`)) await kubedos(data, 'repo', 'create', repo, '--suite', 'stable');
      const files = await Promise.all(standIns.map((each) => buildStandIn(each, folder)));
      await kubedos(data, 'repo', 'add', repo, ...files, '--force', '--quiet');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await kubedos(data, 'snapshot', 'create', '--mirror', ...mirrors, ...Object.keys(STAND_INS), '--channel', 'roles');
  return data;
}
