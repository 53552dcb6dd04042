import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type LayerDeps, type LayerRequest, layerOf } from '../../src/image/layer.ts';
import { parseRecipe } from '../../src/spec/recipe-spec.ts';
import { temporaryStore } from '../support/temporary-store.ts';

const TEXT = 'name: base\nbase: { distribution: debian, suite: bookworm, architecture: amd64 }\nmirrors: [debian]\n';
const recipe = parseRecipe(TEXT, 'base.yaml');
const request: LayerRequest = {
  level: { recipe, file: 'base.yaml', text: TEXT, read: async () => Buffer.alloc(0) },
  base: recipe.base as LayerRequest['base'],
  mirrors: [],
  epoch: 1_700_000_000,
  below: [],
};

/** proc_net(5). */
const NO_PACKETS = `Inter-|   Receive |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
`;

test('a layer that several want at once is built once; after a failure it is tried again', async () => {
  const store = await temporaryStore();
  let built = 0;
  const runSealed: LayerDeps['runSealed'] = async ({ cwd }) => {
    built += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (built === 1) throw new Error('no room');
    await writeFile(join(cwd, 'layer.squashfs'), 'a layer');
    await writeFile(join(cwd, 'network'), NO_PACKETS);
    return '';
  };
  const deps = { store, runSealed, sources: async () => '', underWay: new Map() };
  const twice = () => Promise.allSettled([layerOf(deps, request), layerOf(deps, request)]);
  expect((await twice()).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const [first, second] = await twice();
  expect(first).toMatchObject({ status: 'fulfilled' });
  expect(second).toEqual(first);
  const { file } = await layerOf(deps, request);
  expect(built).toBe(2);
  expect(await readdir(dirname(file))).toHaveLength(1);
});

test('a build in whose network there were packets is refused', async () => {
  const store = await temporaryStore();
  const runSealed: LayerDeps['runSealed'] = async ({ cwd }) => {
    await writeFile(join(cwd, 'layer.squashfs'), 'a layer');
    await writeFile(join(cwd, 'network'), NO_PACKETS.replace('lo:       0       0', 'lo:      84       1'));
    return '';
  };
  const deps = { store, runSealed, sources: async () => '', underWay: new Map() };
  await expect(layerOf(deps, request)).rejects.toThrow(/something used the network, which had +lo: +84/);
  await expect(readdir(await store.file('cache', 'layers'))).resolves.toEqual([]);
});
