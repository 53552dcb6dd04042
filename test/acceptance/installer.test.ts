/** The installer writes real disks of QEMU, or says why not. */
import { copyFile, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BakeReport } from '../support/baking.ts';
import { cdrom, hardDisk, LOGIN, MediaRoom, PATIENCE_MS, sha256Of, usbStick } from '../support/media-room.ts';
import type { Machine } from '../support/qemu.ts';
import { BOOTABLE, MINUTE, tool } from '../support/real-debian.ts';

const FULL = Boolean(process.env.KUBEDOS_TEST_FULL);
const GIB = 1024 ** 3;

let room: MediaRoom;
let recipe: string;
let made: BakeReport;
beforeAll(async () => {
  room = await MediaRoom.open();
  recipe = await room.recipe('installed', { disk: 'serial=TARGET' });
  made = await room.bake(recipe, 'iso');
}, 15 * MINUTE);
afterAll(() => room.close());

let disks = 0;
async function blankDisk(bytes: number): Promise<string> {
  const file = join(room.dir, `disk-${disks++}.raw`);
  await (await open(file, 'w')).close();
  await truncate(file, bytes);
  return file;
}

function artifact(report: BakeReport, ending: string): Promise<string> {
  return room.artifact(report, ending);
}

function boot(wanted: RegExp, firmware: Machine['firmware'], ...devices: readonly string[]): Promise<string> {
  return room.boot(wanted, firmware, '-net', 'none', ...devices);
}

async function inIso(iso: string, path: string): Promise<string> {
  const file = join(room.dir, path.replaceAll('/', '_'));
  await rm(file, { force: true });
  await tool('xorriso', '-osirrox', 'on', '-indev', iso, '-extract', path, file);
  return file;
}

/** The installer's kernel itself, which saves the time of a boot loader; with further words of its command line. */
async function installer(iso: string, words: string): Promise<string[]> {
  const menu = await readFile(await inIso(iso, '/boot/grub/grub.cfg'), 'utf8');
  const cmdline = /linux \/boot\/vmlinuz (boot=.*)/.exec(menu)?.[1] ?? '';
  const [kernel, initrd] = [await inIso(iso, '/boot/vmlinuz'), await inIso(iso, '/boot/initrd')];
  return ['-kernel', kernel, '-initrd', initrd, '-append', `${cmdline} ${words}`];
}

async function isBlank(file: string): Promise<boolean> {
  return (await stat(file)).blocks === 0;
}

/** The table is right for this disk, and the root goes up to its end. */
async function expectGrown(disk: string): Promise<void> {
  expect(await tool('sfdisk', '--verify', disk)).toContain('No errors detected');
  const { partitiontable: table } = JSON.parse(await tool('sfdisk', '--json', disk));
  const root = table.partitions.at(-1);
  expect((root.start + root.size) * 512).toBeGreaterThan((await stat(disk)).size - 1024 ** 2);
  const header = await tool('sh', '-c', 'dumpe2fs -h "$1?offset=$2" 2>/dev/null', 'sh', disk, `${root.start * 512}`);
  expect(Number(/Block count:\s+(\d+)/.exec(header)?.[1]) * 4096).toBe(Math.floor((root.size * 512) / 4096) * 4096);
}

describe('the installer', () => {
  it(
    'installs from a CD by BIOS, and the machine starts from its larger disk',
    async () => {
      const disk = await blankDisk(3 * GIB);
      const iso = await artifact(made, 'iso');
      const log = await boot(LOGIN, 'bios', ...hardDisk(disk, 'TARGET', 0), ...cdrom(iso, 1));
      expect(log).toMatch(
        /verified: SHA-256 [0-9a-f]{64}[\s\S]*installed on \/dev\/vda: reboot[\s\S]*Debian GNU\/Linux 12/,
      );
      await expectGrown(disk);
    },
    PATIENCE_MS,
  );

  it(
    'installs from a USB stick under Secure Boot, once, though the stick stays where it is',
    async () => {
      const disk = await blankDisk(GIB);
      const iso = await artifact(made, 'iso');
      const log = await boot(LOGIN, 'secure-boot', ...usbStick(iso, 0), ...hardDisk(disk, 'TARGET', 1));
      expect(log.match(/installed on/g)).toHaveLength(1);
      expect(log).toMatch(/secureboot: Secure boot enabled[\s\S]*Booting `Start the installed system'[\s\S]*login: $/);
      await expectGrown(disk);
    },
    PATIENCE_MS,
  );

  const refusals: [what: string, words: string, disks: () => Promise<string[][]>, says: RegExp][] = [
    [
      'the disk is not there',
      '',
      async () => [hardDisk(await blankDisk(GIB), 'OTHER', 1)],
      /serial=OTHER[\s\S]*nothing was written\s+kubedos: stopped: disk serial=TARGET is not there/,
    ],
  ];
  if (FULL)
    refusals.push(
      [
        'two disks answer',
        '',
        async () => [hardDisk(await blankDisk(GIB), 'TARGET', 1), hardDisk(await blankDisk(GIB), 'TARGET', 2)],
        /stopped: disk serial=TARGET is ambiguous: \/dev\/vda and \/dev\/vdb/,
      ],
      [
        'two disks are of that size',
        'kubedos.disk=size=512MiB..2GiB',
        async () => [hardDisk(await blankDisk(GIB), 'ONE', 1), hardDisk(await blankDisk(GIB), 'TWO', 2)],
        /stopped: disk size=512MiB\.\.2GiB is ambiguous/,
      ],
      [
        'the disk is too small',
        '',
        async () => [hardDisk(await blankDisk(GIB / 2), 'TARGET', 1)],
        /stopped: disk \/dev\/vda has 512 MiB, 896 are needed/,
      ],
      [
        'it is the medium itself',
        'kubedos.disk=/dev/sda',
        async () => [usbStick(await artifact(made, 'iso'), 3)],
        /\/dev\/sda .*\(the medium itself\)[\s\S]*stopped: disk \/dev\/sda is the medium itself/,
      ],
    );
  it.each(refusals)(
    'writes nothing where %s',
    async (_, words, disksOf, says) => {
      const iso = await artifact(made, 'iso');
      const all = await disksOf();
      const fromStick = all.flat().some((option) => option.startsWith('usb-storage'));
      const devices = [...(await installer(iso, words)), ...(fromStick ? [] : cdrom(iso, 5)), ...all.flat()];
      expect(await boot(/stopped: .*/, 'bios', ...devices)).toMatch(says);
      for (const file of all.flat().flatMap((option) => /file=(.*disk-\d+\.raw),/.exec(option)?.[1] ?? []))
        expect(await isBlank(file)).toBe(true);
    },
    PATIENCE_MS,
  );

  if (FULL) {
    it(
      'names no disk by itself: shows those that there are, and stops',
      async () => {
        const iso = await artifact(await room.bake(await room.recipe('carrying', {}), 'iso'), 'iso');
        const disk = await blankDisk(GIB);
        const devices = [...(await installer(iso, '')), ...cdrom(iso, 5), ...hardDisk(disk, 'ONE', 1)];
        const log = await boot(/stopped: .*/, 'bios', ...devices);
        expect(log).toMatch(/\/dev\/vda 1024 MiB, .* serial=ONE .*id=virtio-ONE[\s\S]*stopped: no disk is named/);
        expect(await isBlank(disk)).toBe(true);
      },
      PATIENCE_MS,
    );

    it(
      'leaves a disk alone that is not empty, and overwrites it when it is told to; what is damaged does not boot',
      async () => {
        const disk = await blankDisk(GIB);
        await tool('mke2fs', '-q', '-t', 'ext4', disk);
        const before = await tool('sha256sum', disk);
        const iso = await artifact(made, 'iso');
        const devices = [...cdrom(iso, 5), ...hardDisk(disk, 'TARGET', 1)];
        const log = await boot(/stopped: .*/, 'bios', ...(await installer(iso, '')), ...devices);
        expect(log).toMatch(/stopped: disk \/dev\/vda is not empty/);
        expect(await tool('sha256sum', disk)).toBe(before);
        const damaged = join(room.dir, 'damaged.iso');
        await copyFile(iso, damaged);
        await flipByte(damaged, '/kubedos/disk.raw.zst');
        const again = [...cdrom(damaged, 5), ...hardDisk(disk, 'TARGET', 1)];
        const words = await installer(damaged, 'kubedos.wipe=yes');
        expect(await boot(/stopped: .*/, 'bios', ...words, ...again)).toMatch(
          /stopped: the image on the medium is damaged/,
        );
        const start = Buffer.alloc(1024 ** 2);
        const handle = await open(disk);
        await handle.read(start, 0, start.length, 0);
        await handle.close();
        expect(start.every((byte) => byte === 0)).toBe(true);
      },
      2 * PATIENCE_MS,
    );

    it(
      'refuses an image that is whole, but another one',
      async () => {
        const iso = await artifact(made, 'iso');
        const altered = join(room.dir, 'altered.iso');
        await copyFile(iso, altered);
        const answer = await inIso(iso, '/kubedos/answer');
        const text = (await readFile(answer, 'utf8')).replace(/image_sha256=./, (found) =>
          found.endsWith('0') ? 'image_sha256=1' : 'image_sha256=0',
        );
        await writeFile(answer, text);
        await tool('xorriso', '-dev', altered, '-boot_image', 'any', 'keep', '-update', answer, '/kubedos/answer');
        const disk = await blankDisk(GIB);
        const devices = [...(await installer(iso, '')), ...cdrom(altered, 5), ...hardDisk(disk, 'TARGET', 1)];
        expect(await boot(/stopped: .*/, 'bios', ...devices)).toMatch(/stopped: what was written is not the image/);
      },
      PATIENCE_MS,
    );

    it(
      'carries a mirror along and copies it, by UEFI from a CD, and powers off',
      async () => {
        const file = await room.recipe('carrying', { disk: 'size=2GiB..', payload: [BOOTABLE], end: 'poweroff' });
        const iso = await artifact(await room.bake(file, 'iso'), 'iso');
        const disk = await blankDisk(4 * GIB);
        const log = await boot(/installed on.*/, 'uefi', ...hardDisk(disk, 'ANY', 0), ...cdrom(iso, 1));
        expect(log).toMatch(
          // The kernel says something between the two.
          new RegExp(`verified: /srv/darksite/${BOOTABLE}\\s.*kubedos: installed on /dev/vda: poweroff`, 's'),
        );
        await expectGrown(disk);
        const { partitiontable: table } = JSON.parse(await tool('sfdisk', '--json', disk));
        const place = `${disk}?offset=${table.partitions.at(-1).start * 512}`;
        const copied = await tool('debugfs', '-R', `ls /srv/darksite/${BOOTABLE}`, place);
        expect(copied).toMatch(/dists.*pool/s);
      },
      2 * PATIENCE_MS,
    );
  }

  it(
    'is the same bytes under another umask, time zone and host name',
    async () => {
      const again = await room.bakeElsewhere(recipe, 'iso');
      expect(again).toMatchObject({ changed: false, artifacts: made.artifacts });
      expect(await sha256Of(await artifact(made, 'iso'))).toBe(made.artifacts[0]?.sha256);
    },
    PATIENCE_MS,
  );
});

async function flipByte(iso: string, path: string): Promise<void> {
  const report = await tool('xorriso', '-indev', iso, '-find', path, '-exec', 'report_lba', '--');
  const [, block, , bytes] = /File data lba:\s*\d+\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)/.exec(report) ?? [];
  const at = Number(block) * 2048 + Math.floor(Number(bytes) / 2);
  const handle = await open(iso, 'r+');
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await handle.close();
}
