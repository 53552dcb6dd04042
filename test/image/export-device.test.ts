/** Disks are loop devices: real ones of the kernel. */
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { type BlockDevice, describeDevice, deviceContents, flushBuffers } from '../../src/exec/block-device.ts';
import { type DeviceDeps, exportDevice, planDevice } from '../../src/image/export-device.ts';
import { exportFile } from '../../src/image/export-file.ts';
import { checkTarget } from '../../src/image/target-device.ts';
import type { ManifestEntry } from '../../src/store/types.ts';
import { loopOn } from '../support/loop.ts';
import { noise } from '../support/random-files.ts';
import { tool } from '../support/real-debian.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { sha256Of, temporaryFolder, temporaryStore } from '../support/temporary-store.ts';

const MIB = 1024 ** 2;
/** No whole number of blocks of the reader, and empty in its middle. */
const IMAGE = Buffer.concat([noise('start', MIB), Buffer.alloc(6 * MIB), noise('end', 512)]);

async function stored(): Promise<{ deps: DeviceDeps; entry: ManifestEntry; folder: string }> {
  const { objects } = await temporaryStore();
  const entry = { path: 'web.raw', ...(await objects.put([IMAGE])) };
  await objects.flush();
  return { deps: { objects, describeDevice, deviceContents, flushBuffers }, entry, folder: await temporaryFolder() };
}

const write = async (deps: DeviceDeps, entry: ManifestEntry, file: string) =>
  exportDevice(deps, entry, await planDevice(deps, entry, { file, partition: false }));

async function mounted(device: string, folder: string): Promise<void> {
  await mkdir(folder);
  await tool('mount', device, folder);
  onTestFinished(async () => void (await tool('umount', folder)));
}

describe('a disk', () => {
  it('holds the image afterwards, all of it, and what is behind it stays', async () => {
    const { deps, entry, folder } = await stored();
    const file = join(folder, 'disk');
    const device = await loopOn(file, 16 * MIB);
    await tool('sh', '-c', 'yes old | head -c 16777216 > "$1"', 'sh', device);
    expect(await write(deps, entry, device)).toEqual({ ...entry, path: undefined, device, direct: true });
    const bytes = await readFile(file);
    expect(sha256Of(bytes.subarray(0, IMAGE.length))).toBe(entry.sha256);
    expect(bytes.subarray(IMAGE.length, IMAGE.length + 4).toString()).toBe('old\n');
  });

  it('is shown with what would be lost', async () => {
    const { deps, entry, folder } = await stored();
    const device = await loopOn(join(folder, 'disk'), 16 * MIB);
    await tool('mkfs.ext4', '-q', '-L', 'letters', device);
    const plan = await planDevice(deps, entry, { file: device, partition: false });
    expect(plan).toMatchObject({
      device: { path: device, type: 'loop', size: 16 * MIB },
      contents: [{ device, type: 'ext4', label: 'letters' }],
    });
  });

  it('is refused where it is mounted, here or elsewhere, too small, or nothing', async () => {
    const { deps, entry, folder } = await stored();
    const refused = (file: string, words: RegExp) =>
      expect(planDevice(deps, entry, { file, partition: false })).rejects.toMatchObject({
        code: 'artifact.device',
        message: expect.stringMatching(words),
      });
    await refused(await loopOn(join(folder, 'small'), 7 * MIB), /it has 7340032 bytes, the image 7340544/);
    const device = await loopOn(join(folder, 'disk'), 16 * MIB);
    await tool('mkfs.ext4', '-q', device);
    const there = await planDevice(deps, entry, { file: device, partition: false });
    await mounted(device, join(folder, 'place'));
    await refused(device, /mounted at .*place/);
    // The kernel itself stands in the way of a plan that has become old, and of mounts that lsblk does not see.
    await expect(exportDevice(deps, entry, there)).rejects.toMatchObject({ code: 'artifact.device' });
    const blind = { ...deps, describeDevice: async () => there.device };
    await expect(planDevice(blind, entry, { file: device, partition: false })).rejects.toThrow(/kernel has it in use/);
    const empty = join(folder, 'empty');
    await tool('mknod', empty, 'b', '7', '4000');
    await refused(empty, /nothing is attached/);
  });

  it('that gives back something else is found out, past all caches', async () => {
    const { deps, entry, folder } = await stored();
    const file = join(folder, 'disk');
    const device = await loopOn(file, 16 * MIB);
    const damage = async (): Promise<void> => {
      await flushBuffers(device);
      const handle = await open(file, 'r+');
      await handle.write('x', 5 * MIB);
      await handle.close();
    };
    await expect(write({ ...deps, flushBuffers: damage }, entry, device)).rejects.toMatchObject({
      code: 'artifact.read-back',
      message: expect.stringContaining(entry.sha256),
    });
    await write(deps, entry, device);
  });

  it('that cannot take it all says so', async () => {
    const { deps, entry, folder } = await stored();
    const small = SmallDisk.mount(join(folder, 'small'));
    onTestFinished(() => small.unmount());
    // The file behind the device has room for a part of it alone.
    const device = await loopOn(join(small.folder, 'disk'), 16 * MIB);
    await small.leaveFree({ bytes: MIB / 2 });
    await expect(write(deps, entry, device)).rejects.toMatchObject({ code: 'store.io' });
  });
});

test('a file is sparse where the image is empty, and not there where the object is damaged', async () => {
  const { deps, entry, folder } = await stored();
  const to = join(folder, 'web.raw');
  await exportFile(deps.objects, entry, to);
  expect(sha256Of(await readFile(to))).toBe(entry.sha256);
  const { size, blocks } = await stat(to);
  expect(size).toBe(IMAGE.length);
  expect(blocks * 512).toBeLessThan(2 * MIB);
  const other = join(folder, 'other.raw');
  const wrong = { ...entry, sha256: (await deps.objects.put([Buffer.from('other')])).sha256 };
  const damaged = { ...deps.objects, open: () => deps.objects.open(entry.sha256) };
  await expect(exportFile(damaged as never, wrong, other)).rejects.toMatchObject({ code: 'store.bad-object' });
  expect(await tool('ls', '-A', folder)).toBe('web.raw\n');
});

describe('what lsblk says', () => {
  const disk: BlockDevice = {
    path: '/dev/sdb',
    type: 'disk',
    size: 64 * 1024 * MIB,
    model: 'Cruzer',
    serial: '1',
    tran: 'usb',
    ro: false,
    mountpoints: [null],
  };
  const part = (more: Partial<BlockDevice>): BlockDevice => ({ ...disk, path: '/dev/sdb1', type: 'part', ...more });
  const request = { path: 'web.raw', sizeBytes: MIB, partition: false };
  it.each([
    ['the system', { children: [part({ mountpoints: ['/'] })] }, /running system is on it \(\/\)/],
    ['swap', { children: [part({ mountpoints: ['[SWAP]'] })] }, /running system is on it \(\[SWAP\]\)/],
    ['a mounted partition', { children: [part({ mountpoints: ['/media/usb'] })] }, /mounted at \/media\/usb/],
    [
      'a system on a volume',
      { children: [part({ children: [part({ type: 'lvm', mountpoints: ['/'] })] })] },
      /running system/,
    ],
    [
      'a volume',
      { children: [part({ children: [part({ path: '/dev/dm-0', type: 'lvm' })] })] },
      /dm-0 \(lvm\) is made/,
    ],
    ['an array', { children: [part({ path: '/dev/md0', type: 'raid1' })] }, /md0 \(raid1\) is made of it/],
    ['a partition', { type: 'part' }, /it is a partition/],
    ['an optical drive', { type: 'rom' }, /optical/],
    ['a switch on the medium', { ro: true }, /read-only/],
  ] as const)('%s stands in the way', (_, more, words) => {
    expect(() => checkTarget(disk, request)).not.toThrow();
    expect(() => checkTarget({ ...disk, ...more }, request)).toThrow(words);
  });

  it('a partition that was asked for is taken; a container of a disk is not', () => {
    checkTarget(part({}), { ...request, partition: true });
    expect(() => checkTarget(disk, { ...request, path: 'web.qcow2' })).toThrow(/raw images and ISOs/);
  });
});
