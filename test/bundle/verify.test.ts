import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExportReport } from '../../src/bundle/export.ts';
import { requireSound, type VerifyReport, verifyBundle } from '../../src/bundle/verify.ts';
import { par2 } from '../../src/exec/par2.ts';
import { type BundlePair, filesBelow, makePair } from '../support/bundle-pair.ts';
import { cutShort, flipBit, overwrite } from '../support/corrupt.ts';
import { randomFiles } from '../support/random-files.ts';
import { setMirror, takeSnapshot } from '../support/sender-store.ts';

async function sent(
  options: Parameters<BundlePair['send']>[0] = {},
): Promise<{ pair: BundlePair; report: ExportReport }> {
  const pair = await makePair();
  await setMirror(pair.sender.store, 'debian', {
    ...randomFiles(60, 5000),
    large: randomFiles(1, 120_000).f0 ?? '',
  });
  await takeSnapshot(pair.sender, 1, 'stable');
  return { pair, report: await pair.send({ volumeSizeBytes: 130_000, packSizeBytes: 50_000, ...options }) };
}

const verify = (pair: BundlePair): Promise<VerifyReport> =>
  verifyBundle([pair.path('media')], { followRoots: pair.importDeps.followRoots }, {});

describe('verify', () => {
  test('finds nothing wrong with what was exported', async () => {
    const { pair, report } = await sent();
    const verified = await verify(pair);
    expect(verified).toMatchObject({ signature: 'good', complete: true, damage: [], missingVolumes: [], foreign: [] });
    expect(verified.volumes.map(({ strangers }) => strangers)).toEqual(report.folders.map(() => []));
    requireSound(verified);
    for (const folder of report.folders) {
      expect(await verifyBundle([folder], {}, {})).toMatchObject({ damage: [], signature: 'unchecked' });
    }
  });

  test('names every file in which a bit has turned', async () => {
    const { pair, report } = await sent({ parityPercent: 10, volumeSizeBytes: 450_000, packSizeBytes: 200_000 });
    expect(report.folders).toHaveLength(2);
    let position = 0;
    for (const folder of report.folders) {
      for (const name of await filesBelow(folder)) {
        const { size } = await stat(join(folder, name));
        const samples = name.endsWith('.tar') || name === 'bundle.json' ? 20 : 6;
        for (let sample = 0; sample < samples; sample++) {
          position += 7919;
          const back = await flipBit(join(folder, name), position % size, position % 7);
          const what = `${basename(folder)}/${name} at ${position % size} of ${size}`;
          const named = await verifyBundle([folder], {}, {}).then(
            ({ damage }) => damage.map(({ folder: where, file }) => `${basename(where)}/${file}`),
            (error: Error) => [error.message],
          );
          expect(named.join(' '), what).toContain(`${basename(folder)}/${name}`);
          expect(named, what).toHaveLength(1);
          await back();
        }
      }
    }
    expect((await verify(pair)).complete).toBe(true);
  }, 60_000);

  test('names objects that are damaged, files cut short, and volumes that are missing', async () => {
    const { pair, report } = await sent();
    const [first, second, ...rest] = report.folders;
    const packs = (await filesBelow(first ?? '')).filter((name) => name.endsWith('.tar'));
    await flipBit(join(first ?? '', packs[0] ?? ''), 600);
    await cutShort(join(first ?? '', packs[1] ?? ''), 0.5);
    await rm(second ?? '', { recursive: true });
    const verified = await verify(pair);
    expect(verified.complete).toBe(false);
    expect(verified.missingVolumes).toEqual([2]);
    expect(verified.damage.map(({ file }) => file)).toEqual([packs[0], packs[1]]);
    expect(verified.damage[0]?.objects).toHaveLength(1);
    expect(verified.damage[1]?.what).toMatch(/^ends after \d+ of \d+ bytes/);
    expect(verified.damage[1]?.objects.length).toBeGreaterThan(0);
    expect(rest).not.toHaveLength(0);
    expect(() => requireSound(verified)).toThrow(/volume 1: .*missing volumes: 2/);
  });

  test('names strangers and other bundles without reading them', async () => {
    const { pair, report } = await sent();
    await setMirror(pair.sender.store, 'other', { a: 'a' });
    await takeSnapshot(pair.sender, 2, 'stable');
    await writeFile(join(report.folders[0] ?? '', 'autorun.inf'), 'x');
    const newer = await pair.send();
    expect(newer.foreign).toEqual(report.folders.map((folder) => basename(folder)));
    const verified = await verify(pair);
    expect(verified.bundle.id).toBe(newer.bundle.id);
    expect(verified.complete).toBe(true);
    expect(verified.foreign).toEqual([...report.folders].sort());
    const older = await verifyBundle([pair.path('media')], { bundle: report.bundle.id }, {});
    expect(older.volumes[0]?.strangers).toEqual(['autorun.inf']);
  });

  test('an unfinished volume is missing its volume.json', async () => {
    const { pair, report } = await sent();
    await rm(join(report.folders[0] ?? '', 'volume.json'));
    expect((await verify(pair)).damage).toMatchObject([{ volume: 1, file: 'volume.json', what: 'is missing' }]);
  });
});

describe('parity', () => {
  test('brings back bad sectors at import, and a volume alone protects itself', async () => {
    for (const volumeSizeBytes of [450_000, 4_000_000]) {
      const { pair, report } = await sent({ parityPercent: 20, volumeSizeBytes, packSizeBytes: 200_000 });
      const folder = report.folders[0] ?? '';
      const pack = (await filesBelow(folder)).find((name) => name.endsWith('.tar')) ?? '';
      await overwrite(join(folder, pack), 4096, Buffer.alloc(4096));
      const before = await readFile(join(folder, pack));
      const taken = await pair.take();
      expect(taken.mended).toEqual([pack]);
      expect((await readFile(join(folder, pack))).equals(before)).toBe(true);
    }
  });

  test('does not help against more damage than it covers: that is named, and the rest is kept', async () => {
    const { pair, report } = await sent({ parityPercent: 5, volumeSizeBytes: 450_000, packSizeBytes: 200_000 });
    const folder = report.folders[0] ?? '';
    const pack = (await filesBelow(folder)).find((name) => name.endsWith('.tar')) ?? '';
    await overwrite(join(folder, pack), 4096, Buffer.alloc(60_000));
    await expect(pair.take()).rejects.toMatchObject({ code: 'bundle.damaged', message: expect.stringContaining(pack) });
    expect(await pair.receiver.store.snapshots.list()).toEqual([]);
  });

  test('is not believed: parity of a stranger cannot bring in other bytes', async () => {
    const { pair, report } = await sent({ parityPercent: 20, volumeSizeBytes: 4_000_000, packSizeBytes: 400_000 });
    const folder = report.folders[0] ?? '';
    const pack = (await filesBelow(folder)).find((name) => name.endsWith('.tar')) ?? '';
    // The attacker changes a pack and makes parity for what he changed.
    await overwrite(join(folder, pack), 520, Buffer.alloc(40, 1));
    for (const name of await filesBelow(folder)) if (name.startsWith(`${pack}.`)) await rm(join(folder, name));
    await par2.create({ file: join(folder, pack), into: folder, blockBytes: 512, recoveryBlocks: 20 });
    await expect(pair.take()).rejects.toMatchObject({ code: 'bundle.damaged' });
  });
});
