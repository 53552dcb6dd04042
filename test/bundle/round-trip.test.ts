import { rename, rm } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentOf, makePair } from '../support/bundle-pair.ts';
import { randomFiles } from '../support/random-files.ts';
import { setMirror, takeSnapshot } from '../support/sender-store.ts';

describe('export and import', () => {
  test('carry mirrors over several volumes, with an object larger than a pack', async () => {
    const pair = await makePair();
    const files = { ...randomFiles(200, 3000), 'images/large.iso': randomFiles(1, 260_000).f0 ?? '', empty: '' };
    await setMirror(pair.sender.store, 'debian', files);
    const snapshot = await takeSnapshot(pair.sender, 1, 'stable');
    const sent = await pair.send();
    expect(sent.folders.length).toBeGreaterThan(2);
    const taken = await pair.take();
    expect(taken).toMatchObject({
      imported: true,
      snapshots: [snapshot.id],
      heads: ['debian'],
      foreign: [],
      warnings: [],
    });
    expect(taken.channels).toEqual([{ name: 'stable', from: null, to: snapshot.id }]);
    const there = await contentOf(pair.receiver.store, 'stable', 'debian');
    expect(there).toEqual(await contentOf(pair.sender.store, 'stable', 'debian'));
    expect(Object.keys(there)).toHaveLength(202);
  });

  test('a second time does nothing on either side', async () => {
    const pair = await makePair();
    await setMirror(pair.sender.store, 'debian', randomFiles(20, 3000));
    await takeSnapshot(pair.sender, 1, 'stable');
    const first = await pair.send();
    await pair.take();
    const second = await pair.send();
    expect(second.bundle.sha256).toBe(first.bundle.sha256);
    expect(await pair.take()).toMatchObject({ imported: false, channels: [], newBytes: 0 });
  });

  test('a delta carries what changed, and nothing but documents where nothing did', async () => {
    const pair = await makePair();
    const files = randomFiles(300, 2000);
    await setMirror(pair.sender.store, 'debian', files);
    const base = await takeSnapshot(pair.sender, 1, 'stable');
    await pair.send();
    await pair.take();
    await setMirror(pair.sender.store, 'debian', { ...files, f7: 'changed', new: 'new' });
    // A mirror that names what the base holds under another name sends lists only.
    await setMirror(pair.sender.store, 'copy', { renamed: files.f9 ?? '' });
    await takeSnapshot(pair.sender, 2, 'stable');
    await rm(pair.path('media'), { recursive: true });
    const delta = await pair.send({ base: { snapshot: base.id } });
    expect(delta.base).toBe(base.id);
    // Two files, two roots, the chunk of the small mirror, and the changed chunks.
    expect(delta.objects).toBeLessThan(12);
    await pair.take();
    expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toMatchObject({ f7: 'changed', new: 'new' });
    expect(Object.keys(await contentOf(pair.receiver.store, 'stable', 'copy'))).toEqual(['renamed']);

    const newest = await pair.sender.store.channels.read('stable');
    const empty = await pair.send({ base: { snapshot: newest?.snapshot ?? '' }, to: pair.path('empty') });
    expect(empty.objects).toBe(0);
    expect(empty.folders).toHaveLength(1);
    expect(await pair.take({ from: [pair.path('empty')] })).toMatchObject({ imported: true, newBytes: 0 });
  });

  test('a volume at a time: each import says what is missing and keeps what came', async () => {
    const pair = await makePair();
    await setMirror(pair.sender.store, 'debian', {
      ...randomFiles(150, 4000),
      large: randomFiles(1, 200_000).f0 ?? '',
    });
    await takeSnapshot(pair.sender, 1, 'stable');
    const { folders } = await pair.send();
    const volumes = folders.length;
    const order = folders.map((_, index) => index).reverse();
    for (const [step, index] of order.entries()) {
      const one = pair.path(`disk-${index}`);
      await rename(folders[index] ?? '', one);
      if (step < volumes - 1) {
        await expect(pair.take({ from: [one] })).rejects.toMatchObject({ code: 'bundle.incomplete' });
        expect(await pair.receiver.store.channels.list()).toEqual([]);
        expect(await pair.receiver.store.snapshots.list()).toEqual([]);
      } else expect(await pair.take({ from: [one] })).toMatchObject({ imported: true });
    }
    expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toEqual(
      await contentOf(pair.sender.store, 'stable', 'debian'),
    );
  });

  test('any tree comes over as it is', async () => {
    const name = fc.stringMatching(/^[a-z~+._-]{1,12}$/).filter((part) => !/^\.{1,2}$/.test(part));
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    // No path may be a folder of another: all have a last part that is no first part.
    const tree = fc.dictionary(
      path.map((text) => `${text}/file.deb`),
      fc.uint8Array({ maxLength: 6000 }),
      { maxKeys: 30 },
    );
    await fc.assert(
      fc.asyncProperty(tree, tree, fc.integer({ min: 40_000, max: 90_000 }), async (first, second, packSizeBytes) => {
        const pair = await makePair();
        const sizes = { packSizeBytes, volumeSizeBytes: packSizeBytes * 2 };
        await setMirror(pair.sender.store, 'a', first);
        const base = await takeSnapshot(pair.sender, 1, 'stable');
        await pair.send(sizes);
        await pair.take();
        await setMirror(pair.sender.store, 'a', second);
        await setMirror(pair.sender.store, 'b', first);
        await takeSnapshot(pair.sender, 2, 'stable');
        await pair.send({ ...sizes, to: pair.path('second'), base: { snapshot: base.id } });
        await pair.take({ from: [pair.path('second')] });
        for (const mirror of ['a', 'b']) {
          expect(await contentOf(pair.receiver.store, 'stable', mirror)).toEqual(
            await contentOf(pair.sender.store, 'stable', mirror),
          );
        }
      }),
      { numRuns: 8 },
    );
  });
});
