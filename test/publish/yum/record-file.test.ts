import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecordFile } from '../../../src/publish/yum/record-file.ts';
import { noise } from '../../support/random-files.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'records-'));
});
afterEach(() => rm(dir, { recursive: true }));

const KILOBYTE = 1024;
const records = (n: number, bytes: number) => {
  const text = (type: string) => noise(`${type} ${n}`, bytes).toString('hex');
  return { primary: text('primary'), filelists: text('filelists'), other: text('other') };
};

test('a few records stay in memory', async () => {
  const file = new RecordFile(dir);
  const kept = await file.keep(records(0, 10));
  expect((await file.read(kept.filelists)).toString()).toBe(records(0, 10).filelists);
  expect(await readdir(dir)).toEqual([]);
  await file.dispose();
});

test('many are read again as they came, and leave no file behind', async () => {
  const file = new RecordFile(dir);
  const count = 40;
  // 24 MB in all, several under way at once.
  const kept = await Promise.all(Array.from({ length: count }, (_, n) => file.keep(records(n, 100 * KILOBYTE))));
  expect(await readdir(dir)).toHaveLength(1);
  for (const [n, places] of kept.entries())
    for (const type of ['primary', 'filelists', 'other'] as const)
      expect((await file.read(places[type])).toString() === records(n, 100 * KILOBYTE)[type]).toBe(true);
  await file.dispose();
  expect(await readdir(dir)).toEqual([]);
});
