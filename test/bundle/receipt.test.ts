import { readFile, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { applyReceipt, createReceipt, readReceipt } from '../../src/bundle/receipt.ts';
import type { Receipt } from '../../src/bundle/types.ts';
import { loadKeyring } from '../../src/trust/keyring.ts';
import { type BundlePair, contentOf, makePair } from '../support/bundle-pair.ts';
import { randomFiles } from '../support/random-files.ts';
import { EPOCH, makeSender, setMirror, takeSnapshot } from '../support/sender-store.ts';

const onDay = (day: number) => (): Date => new Date(EPOCH.getTime() + day * 86_400_000);

async function transferred(): Promise<BundlePair> {
  const pair = await makePair();
  await setMirror(pair.sender.store, 'debian', randomFiles(100, 4000));
  await takeSnapshot(pair.sender, 1, 'stable');
  await pair.send();
  await pair.take();
  return pair;
}

async function receiptOf(pair: BundlePair, day: number): Promise<{ receipt: Receipt; text: string }> {
  return createReceipt({ ...pair.receiver, now: onDay(day) });
}

describe('a receipt', () => {
  test('is signed by the receiver, says what it holds, and the sender cuts the delta by it', async () => {
    const pair = await transferred();
    const { receipt, text } = await receiptOf(pair, 2);
    expect(text.length).toBeLessThan(4096);
    const keyring = await loadKeyring([Buffer.from(pair.receiver.signer.publicArmored())], 'all');
    expect(await readReceipt(Buffer.from(text), keyring)).toEqual({ receipt, verified: true });
    expect(await readReceipt(Buffer.from(text), undefined)).toEqual({ receipt, verified: false });
    expect(receipt.held.map(({ id }) => id)).toEqual(await pair.sender.store.snapshots.list());
    expect(receipt.senders[pair.sender.store.identity.id]?.sequence).toBe(1);

    await setMirror(pair.sender.store, 'debian', { ...randomFiles(100, 4000), more: 'more' });
    await takeSnapshot(pair.sender, 3, 'stable');
    const delta = await pair.send({ to: pair.path('delta'), base: { receipt } });
    expect(delta.base).toBe(receipt.held[0]?.id);
    expect(delta.objects).toBeLessThan(5);
    expect(await pair.take({ from: [pair.path('delta')] })).toMatchObject({ imported: true, warnings: [] });
    expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toMatchObject({ more: 'more' });
  });

  test('of another key or with another text is refused', async () => {
    const pair = await transferred();
    const { text } = await receiptOf(pair, 2);
    const mallory = await makeSender(pair.path('mallory'), 'mallory');
    const theirs = await loadKeyring([Buffer.from(mallory.signer.publicArmored())], 'all');
    await expect(readReceipt(Buffer.from(text), theirs)).rejects.toMatchObject({ code: 'trust.key-unknown' });
    const keyring = await loadKeyring([Buffer.from(pair.receiver.signer.publicArmored())], 'all');
    const changed = text.replace('"sequence":1', '"sequence":2');
    await expect(readReceipt(Buffer.from(changed), keyring)).rejects.toMatchObject({ code: 'trust.bad-signature' });
    await expect(readReceipt(Buffer.from('hello'), undefined)).rejects.toMatchObject({ code: 'trust.unsigned' });
    await mallory.store.close();
  });

  test('pins the snapshot that it acknowledges, until the next one', async () => {
    const pair = await transferred();
    const { receipt } = await receiptOf(pair, 2);
    const { store } = pair.sender;
    const held = receipt.held[0]?.id ?? '';
    expect((await applyReceipt(store, receipt))?.id).toBe(held);
    await setMirror(store, 'debian', { a: 'a' });
    await takeSnapshot(pair.sender, 3, 'stable');
    await expect(store.snapshots.delete(held)).rejects.toMatchObject({ code: 'store.protected' });
    await pair.send({ to: pair.path('newer') });
    await pair.take({ from: [pair.path('newer')] });
    const next = await receiptOf(pair, 4);
    expect((await applyReceipt(store, next.receipt))?.document.sequence).toBe(2);
    await store.snapshots.delete(held);
    // The older one again: the receiver has moved on.
    await expect(applyReceipt(store, receipt)).rejects.toMatchObject({ code: 'trust.rollback' });
    await expect(pair.send({ base: { receipt } })).rejects.toMatchObject({ code: 'trust.rollback' });
  });

  test('of a store that was made anew forces a full bundle', async () => {
    const pair = await transferred();
    const { receipt } = await receiptOf(pair, 2);
    await applyReceipt(pair.sender.store, receipt);
    const reborn: Receipt = {
      ...receipt,
      generation: '00000000-0000-4000-8000-000000000001',
      time: '2026-03-10T00:00:00Z',
      held: [],
    };
    expect(await applyReceipt(pair.sender.store, reborn)).toBeUndefined();
    expect((await pair.sender.store.labels.read()).acknowledged).toEqual({});
    expect(await pair.send({ to: pair.path('full'), base: { receipt: reborn } })).toMatchObject({ base: null });
    await expect(pair.send({ base: { receipt } })).rejects.toMatchObject({
      code: 'trust.rollback',
      message: expect.stringMatching(/made anew/),
    });
  });

  test('that is lost costs size only: a cumulative bundle fits a receiver that is further on', async () => {
    const pair = await transferred();
    const first = (await pair.sender.store.snapshots.list())[0] ?? '';
    for (const day of [2, 3]) {
      await setMirror(pair.sender.store, 'debian', { ...randomFiles(100, 4000), more: `day ${day}` });
      await takeSnapshot(pair.sender, day, 'stable');
      await rm(pair.path('media'), { recursive: true });
      await pair.send({ base: { snapshot: first } });
      await pair.take();
    }
    expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toMatchObject({ more: 'day 3' });
  });

  test('names what could not be taken, so that the sender makes just that again', async () => {
    const pair = await makePair();
    await setMirror(pair.sender.store, 'debian', randomFiles(100, 8000));
    await takeSnapshot(pair.sender, 1, 'stable');
    const report = await pair.send();
    await rm(report.folders[1] ?? '', { recursive: true });
    await expect(pair.take()).rejects.toMatchObject({ code: 'bundle.incomplete' });
    expect((await receiptOf(pair, 2)).receipt.wanted).toEqual([
      { bundle: report.bundle.sha256, missingVolumes: [2], badFiles: [] },
    ]);
    await pair.send();
    await pair.take();
    expect((await receiptOf(pair, 3)).receipt.wanted).toEqual([]);
    expect(await readFile(`${report.folders[1]}/volume.json`, 'utf8')).toContain('"volume":2');
  });
});

test('a bundle refers to the one before it, and the receiver is told of one that it missed', async () => {
  const pair = await transferred();
  const bundles = [];
  for (const day of [2, 3]) {
    await setMirror(pair.sender.store, 'debian', { day: `${day}` });
    await takeSnapshot(pair.sender, day, 'stable');
    bundles.push((await pair.send({ to: pair.path(`day-${day}`) })).bundle);
  }
  expect(bundles[1]?.root.previous).toEqual({ sequence: 2, sha256: bundles[0]?.sha256 });
  const taken = await pair.take({ from: [pair.path('day-3')] });
  expect(taken.warnings).toEqual(['the bundle before it (sequence 2) was not taken here']);
});
