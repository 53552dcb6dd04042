import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { BakeReport } from '../../src/image/artifacts.ts';
import { type Bake, bakeAll } from '../../src/image/bake-all.ts';
import type { ProgressEvent } from '../../src/progress.ts';

const report = (name: string): BakeReport => ({ image: `image-${name}` }) as BakeReport;

test('as many at a time as there are CPUs, reported in their order', async () => {
  let atWork = 0;
  let most = 0;
  const names = Array.from({ length: 3 * availableParallelism() }, (_, at) => `role-${at}`);
  const bakes = names.map(
    (name, at): Bake => ({
      name,
      bake: async () => {
        most = Math.max(most, ++atWork);
        // The first ends last of those that began with it.
        await sleep(at === 0 ? 40 : 10);
        atWork -= 1;
        return report(name);
      },
    }),
  );
  expect(await bakeAll(bakes)).toEqual(names.map(report));
  expect(most).toBe(availableParallelism());
});

test('the first that fails is the error, ends those that are at work, and lets no other begin', async () => {
  const began: string[] = [];
  const bake = (name: string, work: Bake['bake']): Bake => ({
    name,
    bake: (run) => {
      began.push(name);
      return work(run);
    },
  });
  const bakes = [
    bake('good', async ({ signal }) => {
      await sleep(5000, undefined, { signal });
      return report('good');
    }),
    bake('bad', async () => {
      throw new Error('no such package');
    }),
    ...Array.from({ length: availableParallelism() }, (_, at) => bake(`later-${at}`, async () => report('later'))),
  ];
  await expect(bakeAll(bakes)).rejects.toThrow('no such package');
  expect(began).not.toContain(`later-${availableParallelism() - 1}`);
});

test('the phases of each are lines of one phase', async () => {
  const events: ProgressEvent[] = [];
  const one = (name: string): Bake => ({
    name,
    bake: async ({ onEvent }) => {
      onEvent?.({ type: 'phase', phase: 'write raw', files: 1 });
      onEvent?.({ type: 'advance', files: 1, bytes: 7 });
      return report(name);
    },
  });
  await bakeAll([one('lb'), one('etcd')], { onEvent: (event) => events.push(event) });
  expect(events.filter(({ type }) => type !== 'note')).toEqual([
    { type: 'phase', phase: 'bake lb, etcd', files: 2 },
    { type: 'advance', files: 1, bytes: 0 },
    { type: 'advance', files: 2, bytes: 0 },
  ]);
  expect(events).toContainEqual({ type: 'note', level: 'info', message: 'etcd: write raw' });
});
