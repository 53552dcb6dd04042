import { expect, test } from 'vitest';
import { eachParallel } from '../../src/sync/parallel.ts';

/** A gate that work waits at until it is opened. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

test('runs no more than the limit at once, and draws no item before there is room', async () => {
  let drawn = 0;
  let most = 0;
  let running = 0;
  function* items(): Generator<number> {
    for (let i = 0; i < 50; i++) {
      drawn += 1;
      yield i;
    }
  }
  await eachParallel(items(), { limit: 4 }, async (i) => {
    running += 1;
    most = Math.max(most, running);
    expect(drawn).toBeLessThanOrEqual(i + 5);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  });
  expect(drawn).toBe(50);
  expect(most).toBe(4);
});

test('the first failure stops the drawing, tells the others and is thrown when all have ended', async () => {
  const hold = gate();
  const ended: number[] = [];
  const told: number[] = [];
  const failure = new Error('first');
  let drawn = 0;
  function* items(): Generator<number> {
    for (let i = 0; i < 100; i++) {
      drawn += 1;
      yield i;
    }
  }
  const all = eachParallel(items(), { limit: 3 }, async (i, signal) => {
    signal.addEventListener('abort', () => told.push(i));
    if (i === 1) throw failure;
    await hold.passed;
    ended.push(i);
    if (i === 0) throw new Error('second');
  });
  const settled = all.catch((error: unknown) => error);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toContain(0);
  hold.open();
  expect(await settled).toBe(failure);
  expect(ended).toContain(0);
  expect(drawn).toBeLessThan(6);
});

test('a failing source and an abort from outside are thrown too', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error('source');
  }
  await expect(eachParallel(broken(), { limit: 2 }, async () => undefined)).rejects.toThrow('source');
  const stop = AbortSignal.abort(new Error('stopped'));
  await expect(eachParallel([1], { limit: 2, signal: stop }, async () => undefined)).rejects.toThrow('stopped');
});
