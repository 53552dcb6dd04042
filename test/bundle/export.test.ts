import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ExportReport, exportBundle, planExport } from '../../src/bundle/export.ts';
import { reburn } from '../../src/bundle/reburn.ts';
import { KubedosError } from '../../src/errors.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { type BundlePair, filesBelow, MEDIA_SIZES, makePair } from '../support/bundle-pair.ts';
import { randomFiles } from '../support/random-files.ts';
import { setMirror, takeSnapshot } from '../support/sender-store.ts';

async function filled(): Promise<BundlePair> {
  const pair = await makePair();
  await setMirror(pair.sender.store, 'debian', {
    ...randomFiles(80, 8000),
    large: randomFiles(1, 150_000).f0 ?? '',
  });
  await takeSnapshot(pair.sender, 1, 'stable');
  return pair;
}

/** Every file of the volumes with its bytes, by name below the media. */
async function bytesOf(report: Pick<ExportReport, 'folders'>): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const folder of report.folders) {
    for (const name of await filesBelow(folder)) {
      files.set(`${basename(folder)}/${name}`, (await readFile(join(folder, name))).toString('latin1'));
    }
  }
  return files;
}

const options = { channels: ['stable'], ...MEDIA_SIZES };

describe('what lies on the medium', () => {
  test('has names and sizes that FAT32 and ISO 9660 keep, and volumes of the size asked for', async () => {
    const pair = await filled();
    const report = await pair.send({ parityPercent: 10, volumeSizeBytes: 420_000, packSizeBytes: 150_000 });
    expect(report.folders.length).toBeGreaterThan(1);
    for (const folder of report.folders) {
      let total = 0;
      for (const name of await filesBelow(folder)) {
        if (name !== 'SHA256SUMS') expect(name).toMatch(/^([a-z]+\/)?[a-z0-9][a-z0-9._+-]{0,99}$/);
        const { size } = await stat(join(folder, name));
        total += size;
        if (name.endsWith('.tar')) expect(size).toBeLessThanOrEqual(150_000);
      }
      expect(total).toBeLessThanOrEqual(420_000);
      expect(basename(folder)).toMatch(/^b1-[0-9a-f]{16}-v00\d$/);
      execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: folder });
    }
  });

  test('is the same from one time to the next', async () => {
    const pair = await filled();
    const first = await pair.send({ parityPercent: 10, volumeSizeBytes: 420_000 });
    const second = await pair.send({ parityPercent: 10, volumeSizeBytes: 420_000, to: pair.path('again') });
    expect(await bytesOf(second)).toEqual(await bytesOf(first));
  });

  test('a pack of 4 GiB is refused', async () => {
    const pair = await filled();
    await expect(pair.send({ packSizeBytes: 2 ** 32 })).rejects.toMatchObject({ code: 'usage.argument' });
  });
});

test('a dry run tells the sizes and writes nothing', async () => {
  const pair = await filled();
  const plan = await planExport(pair.exportDeps, { to: pair.path('media'), ...options }, {});
  await expect(stat(pair.path('media'))).rejects.toMatchObject({ code: 'ENOENT' });
  const { bundle } = await pair.send();
  expect(bundle.root.volumes).toEqual(plan.volumes.map((packs) => ({ packs })));
  expect(bundle.root.contents).toMatchObject({ objects: plan.objects, bytes: plan.bytes });
});

test('lost volumes are made again byte for byte, parity included, also alone on another disk', async () => {
  const pair = await filled();
  const sizes = { parityPercent: 10, volumeSizeBytes: 420_000 };
  const report = await pair.send(sizes);
  const before = await bytesOf(report);
  const deps = { store: pair.sender.store, parityTool: pair.exportDeps.parityTool };
  const id = report.bundle.id;
  await rm(report.folders[1] ?? '', { recursive: true });
  await reburn(deps, { bundle: id, volumes: [2], to: pair.path('media') }, {});
  expect(await bytesOf(report)).toEqual(before);
  for (const [index] of report.folders.entries()) {
    const alone = await reburn(deps, { bundle: id, volumes: [index + 1], to: pair.path(`disk-${index}`) }, {});
    for (const [name, bytes] of await bytesOf(alone)) expect(bytes === before.get(name), name).toBe(true);
  }
  await expect(reburn(deps, { bundle: id, volumes: [99], to: pair.path('x') }, {})).rejects.toMatchObject({
    code: 'usage.argument',
  });
  await expect(
    reburn(deps, { bundle: 'b9-0000000000000000', volumes: [1], to: pair.path('x') }, {}),
  ).rejects.toMatchObject({ code: 'store.not-found' });
});

describe('stopped at any point, the same command goes on', () => {
  test('and gives what an undisturbed one gives; finished packs are not written again', async () => {
    const pair = await filled();
    const whole = await bytesOf(await pair.send({ to: pair.path('whole') }));
    for (const stopAfter of [0, 1, 7, 30, 60]) {
      const controller = new AbortController();
      let members = 0;
      const onEvent = (event: ProgressEvent): void => {
        if (event.type === 'advance') members += 1;
        if (members >= stopAfter) controller.abort();
      };
      const to = pair.path(`stop-${stopAfter}`);
      await mkdir(to);
      const run = exportBundle(pair.exportDeps, { to, ...options }, { signal: controller.signal, onEvent });
      await expect(run).rejects.toMatchObject({ code: 'cancelled' });
      const [folder = ''] = (await filesBelow(to)).filter((name) => name.endsWith('volume.json'));
      expect(folder === '' || stopAfter > 30).toBe(true);
      const done = (await filesBelow(to)).filter((name) => name.endsWith('.tar'));
      const times = await Promise.all(done.map(async (name) => (await stat(join(to, name))).mtimeMs));
      expect(await bytesOf(await pair.send({ to }))).toEqual(whole);
      expect(await Promise.all(done.map(async (name) => (await stat(join(to, name))).mtimeMs))).toEqual(times);
    }
  });

  test('a journal that a kill left beside a finished volume goes', async () => {
    const pair = await filled();
    const report = await pair.send();
    const before = await bytesOf(report);
    await writeFile(join(report.folders[0] ?? '', 'journal.txt'), '');
    expect(await bytesOf(await pair.send())).toEqual(before);
  });

  test('a pack that lost its end to a power cut is written again', async () => {
    const pair = await filled();
    const report = await pair.send();
    const before = await bytesOf(report);
    const [folder = ''] = report.folders;
    await rm(join(folder, 'volume.json'));
    await writeFile(join(folder, 'pack-0001.tar'), 'x');
    await pair.send();
    expect(await bytesOf(report)).toEqual(before);
  });
});

describe('space', () => {
  test('too little is said before the first byte', async () => {
    const pair = await filled();
    const disk = await smallDisk(pair.path('disk'), '200k');
    await expect(pair.send({ to: disk })).rejects.toMatchObject({
      code: 'store.no-space',
      message: expect.stringMatching(/needs \d+ bytes/),
    });
    expect(await filesBelow(disk)).toEqual([]);
  });

  test('running out of it in the middle loses nothing', async () => {
    const pair = await filled();
    const whole = await bytesOf(await pair.send({ to: pair.path('whole') }));
    const disk = await smallDisk(pair.path('disk'), '2m');
    let filler: Promise<unknown> | undefined;
    const onEvent = (event: ProgressEvent): void => {
      if (event.type === 'advance' && event.files === 20) {
        filler ??= writeFile(join(disk, 'filler'), Buffer.alloc(1_600_000)).catch(() => undefined);
      }
    };
    await expect(exportBundle(pair.exportDeps, { to: disk, ...options }, { onEvent })).rejects.toSatisfy(
      (error) => error instanceof KubedosError && error.code === 'store.no-space',
    );
    await filler;
    await rm(join(disk, 'filler'));
    expect(await bytesOf(await pair.send({ to: disk }))).toEqual(whole);
  });
});

test('damage in the store is found before it travels', async () => {
  const pair = await filled();
  const { store } = pair.sender;
  const sha256 = (await store.objects.put([randomFiles(80, 8000).f40 ?? Buffer.alloc(0)])).sha256;
  const file = store.objects.localPath?.(sha256) ?? '';
  const bytes = await readFile(file);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await rm(file);
  await writeFile(file, bytes);
  await expect(pair.send()).rejects.toMatchObject({
    code: 'store.bad-object',
    message: expect.stringContaining(sha256),
  });
  await rm(file);
  await expect(pair.send()).rejects.toMatchObject({
    code: 'store.bad-object',
    message: expect.stringMatching(/is missing/),
  });
});

/** A file system of its own that is soon full; needs root, as the tests of the whole have it. */
async function smallDisk(folder: string, size: string): Promise<string> {
  await mkdir(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', [folder]));
  return folder;
}
