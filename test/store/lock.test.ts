import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { NOON, putMirror, takeSnapshot, temporaryStore } from '../support/temporary-store.ts';

const STORE = join(import.meta.dirname, '../../src/store/store.ts');

/** A process that takes the lock, says "held", and lets go when its standard input ends. */
async function holdElsewhere(dir: string, waitMs = 0): Promise<{ child: ChildProcess; held: Promise<unknown> }> {
  const script = `
    const { openStore } = await import(${JSON.stringify(STORE)});
    const store = await openStore(${JSON.stringify(dir)});
    await store.withWriter('sync debian', async () => {
      console.log('held');
      await new Promise((resolve) => process.stdin.on('end', resolve).resume());
    }, { waitMs: ${waitMs} });
    await store.close();
    console.log('released');
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, held: once(createInterface({ input: child.stdout ?? process.stdin }), 'line') };
}

test('a second writer is told who holds the lock', async () => {
  const store = await temporaryStore();
  const { child, held } = await holdElsewhere(store.dir);
  expect(await held).toEqual(['held']);
  await expect(store.withWriter('gc', async () => expect.fail('ran'))).rejects.toMatchObject({
    code: 'store.locked',
    retryable: true,
    message: expect.stringMatching(`sync debian .process ${child.pid} on ${hostname()}, since 20`),
  });
});

test('the lock goes with a process that is killed', async () => {
  const store = await temporaryStore();
  const { child, held } = await holdElsewhere(store.dir);
  await held;
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await store.withWriter('gc', async () => 'ran')).toBe('ran');
});

test('a writer may wait for another', async () => {
  const store = await temporaryStore();
  const order: string[] = [];
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const first = store.withWriter('first', async () => {
    await held;
    order.push('first');
  });
  const { held: second } = await holdElsewhere(store.dir, 20_000);
  const took = second.then(() => order.push('second'));
  letGo();
  await Promise.all([first, took]);
  expect(order).toEqual(['first', 'second']);
});

test('readers, and moves of channels, do not wait for the writer', async () => {
  const store = await temporaryStore();
  await putMirror(store, 'debian', { a: '1' });
  const { id } = await takeSnapshot(store);
  const { held } = await holdElsewhere(store.dir);
  await held;
  const reader = await openStore(store.dir);
  expect((await reader.heads.list()).length).toBe(1);
  expect((await reader.snapshots.resolve('1')).id).toBe(id);
  await reader.channels.move('stable', id, { now: NOON });
  expect((await store.channels.read('stable'))?.snapshot).toBe(id);
});

test('inside the work it may be taken again; beside it, it queues', async () => {
  const store = await temporaryStore();
  const order: string[] = [];
  const outer = store.withWriter('outer', async () => {
    order.push('outer begins');
    await store.withWriter('inner', async () => order.push('inner'));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('outer ends');
  });
  const beside = store.withWriter('beside', async () => order.push('beside'));
  await Promise.all([outer, beside]);
  expect(order).toEqual(['outer begins', 'inner', 'outer ends', 'beside']);
});

test('two instances in one process exclude each other as well', async () => {
  const store = await temporaryStore();
  const other = await openStore(store.dir);
  await store.withWriter('outer', () =>
    expect(other.withWriter('other', async () => 1)).rejects.toMatchObject({ code: 'store.locked' }),
  );
  expect(await other.withWriter('other', async () => 1)).toBe(1);
});

test('work that fails gives the lock back, and its error is passed on', async () => {
  const store = await temporaryStore();
  const failure = new Error('no');
  await expect(
    store.withWriter('x', async () => {
      throw failure;
    }),
  ).rejects.toBe(failure);
  expect(await (await openStore(store.dir)).withWriter('y', async () => 2)).toBe(2);
});
