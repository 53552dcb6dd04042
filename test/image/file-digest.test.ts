import { hash, randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataExtents } from '../../src/exec/qemu-img.ts';
import { fileDigest } from '../../src/image/file-digest.ts';

const MIB = 1024 ** 2;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-digest-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Of this size, with random bytes in these places. */
async function sparseFile(sizeBytes: number, ...places: readonly (readonly [start: number, length: number])[]) {
  const file = join(dir, 'sparse');
  await rm(file, { force: true });
  const handle = await open(file, 'wx');
  await handle.truncate(sizeBytes);
  for (const [start, length] of places) await handle.write(randomBytes(length), 0, length, start);
  await handle.close();
  return file;
}

test.each([
  ['holes around what is written', 5 * MIB, [[MIB, 3 * MIB - 4096]]],
  ['no byte at all', 3 * MIB + 17, []],
  ['a last sector that is not whole', 2 * MIB + 100, [[2 * MIB, 100]]],
  ['nothing', 0, []],
  ['no hole', 2 * MIB + 5, [[0, 2 * MIB + 5]]],
] as const)('a file with %s has the hash of its bytes', async (_, sizeBytes, places) => {
  const file = await sparseFile(sizeBytes, ...places);
  const asked: string[] = [];
  const extents = async (name: string) => {
    asked.push(name);
    return dataExtents(name);
  };
  const sha256 = hash('sha256', await readFile(file));
  expect(await fileDigest(file, { dataExtents: extents })).toEqual({ sha256, sizeBytes });
  expect(await fileDigest(file)).toEqual({ sha256, sizeBytes });
  // One without holes is read as it is.
  expect(asked).toHaveLength(sizeBytes > 0 && places[0]?.[0] !== 0 ? 1 : 0);
});

test('what no extent names is not read', async () => {
  const file = await sparseFile(2 * MIB, [MIB, 4096]);
  const { sha256 } = await fileDigest(file, { dataExtents: async () => [] });
  expect(sha256).toBe(hash('sha256', Buffer.alloc(2 * MIB)));
});

test('a file that became shorter has no hash', async () => {
  const file = await sparseFile(2 * MIB, [MIB, 4096]);
  const shorten = async () => {
    const handle = await open(file, 'r+');
    await handle.truncate(MIB);
    await handle.close();
    return [{ start: 0, length: 2 * MIB }];
  };
  await expect(fileDigest(file, { dataExtents: shorten })).rejects.toMatchObject({ code: 'bake.failed' });
});
