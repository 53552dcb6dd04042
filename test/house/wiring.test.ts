import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeKeys } from '../../src/cli/keys.ts';
import { repoDeps } from '../../src/cli/repositories.ts';
import { changeRepo, createRepo } from '../../src/publish/local-repo.ts';
import { changeRpmRepo, createRpmRepo } from '../../src/publish/yum/local-repo.ts';
import { type House, openHouse } from '../../src/wiring.ts';
import { buildDeb } from '../support/fake-deb.ts';

import { writeRpm } from '../support/write-rpm.ts';

let dir: string;
let house: House;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-house-'));
  house = openHouse(dir);
  await house.initStore();
  await makeKeys(house, { algorithm: 'ed25519', userId: 'test' });
});
afterEach(async () => {
  await house.close();
  await rm(dir, { recursive: true, force: true });
});

test('a catalog that missed a change of a repository catches up at the next one', async () => {
  const deps = await repoDeps(house);
  const add = async (version: string, { known }: { known: boolean }): Promise<unknown> => {
    const source = [await buildDeb({ name: 'agent', version })];
    const change = { add: [{ origin: version, source }] };
    return changeRepo(known ? deps : { ...deps, recordChange: undefined }, 'ours', change);
  };
  await createRepo(deps, 'ours', { suite: 'stable' });
  await add('1', { known: true });
  await add('2', { known: false });
  await add('3', { known: true });
  const found = (await house.catalog()).search('agent', { limit: 9 });
  expect(found.map(({ version }) => version).sort()).toEqual(['1', '2', '3']);
});

test('it catches up, too, when the same command is run again and finds nothing to change', async () => {
  const deps = await repoDeps(house);
  await createRepo(deps, 'ours', { suite: 'stable' });
  await createRpmRepo({ ...deps, publish: deps.publishRpm }, 'ours-rpm', { compression: 'gz' });
  const { bytes = Buffer.alloc(0) } = await writeRpm({ name: 'agent', version: '2' });
  const deb = { add: [{ origin: 'deb', source: [await buildDeb({ name: 'agent', version: '1' })] }] };
  const rpm = { add: [{ origin: 'rpm', source: [bytes] }] };
  for (const recordChange of [undefined, deps.recordChange]) {
    await changeRepo({ ...deps, recordChange }, 'ours', deb);
    await changeRpmRepo({ ...deps, publish: deps.publishRpm, recordChange }, 'ours-rpm', rpm);
  }
  const found = (await house.catalog()).search('agent', { limit: 9 });
  expect(found.map(({ version }) => version).sort()).toEqual(['1', '2-1']);
});
