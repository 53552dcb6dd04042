/** Media that are baked, and machines of QEMU that they are put into. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'yaml';
import { artifactFile, type BakeReport, bakeElsewhere, bakeIn } from './baking.ts';
import { type Machine, runUntil } from './qemu.ts';
import { connectedStore, kubedos, MINUTE } from './real-debian.ts';

export const LOGIN = /login: $/;
/** Of a busy machine: it installs, restarts and boots. */
export const PATIENCE_MS = 12 * MINUTE;

/** A folder with recipes and the media made of them, from a store that is kept between runs. */
export class MediaRoom {
  readonly dir: string;
  readonly #data: string;
  readonly #names = new Set<string>();

  private constructor(dir: string, data: string) {
    this.dir = dir;
    this.#data = data;
  }

  static async open(): Promise<MediaRoom> {
    const data = await connectedStore();
    return new MediaRoom(await mkdtemp(join(tmpdir(), 'kubedos-media-')), data);
  }

  async close(): Promise<void> {
    for (const name of this.#names)
      await kubedos(this.#data, 'mirror', 'remove', `image-${name}`, '--yes').catch(() => '');
    await rm(this.dir, { recursive: true, force: true });
  }

  /**
   * `base` on a small disk, since each byte of it is written and read by a processor that is emulated; with a partition that
   * the root must not grow into.
   */
  async recipe(name: string, installer: object): Promise<string> {
    this.#names.add(name);
    const file = join(this.dir, `${name}.yaml`);
    const disk = { size: '896MiB', partitions: [{ name: 'swap', size: '32MiB', use: 'swap' }] };
    await writeFile(file, stringify({ name, extends: 'base', disk, installer }));
    return file;
  }

  bake(file: string, ...outputs: string[]): Promise<BakeReport> {
    return bakeIn(this.#data, file, '--output', ...outputs);
  }

  bakeElsewhere(file: string, ...outputs: string[]): Promise<BakeReport> {
    return bakeElsewhere({ data: this.#data, home: this.dir }, file, '--output', ...outputs);
  }

  artifact(report: BakeReport, ending: string): Promise<string> {
    return artifactFile(report, ending, { data: this.#data, dir: this.dir });
  }

  boot(wanted: RegExp, firmware: Machine['firmware'], ...devices: readonly string[]): Promise<string> {
    return runUntil(wanted, { firmware, folder: this.dir, devices, patienceMs: PATIENCE_MS });
  }
}

/** `order`: where the firmware looks first; 0 is taken where QEMU is given a kernel. */
export function hardDisk(file: string, serial: string, order: number): string[] {
  const id = `disk${order}`;
  const device = `virtio-blk-pci,drive=${id},serial=${serial},bootindex=${order}`;
  return ['-drive', `file=${file},format=raw,if=none,id=${id}`, '-device', device];
}

export function cdrom(file: string, order: number): string[] {
  const drive = `file=${file},format=raw,if=none,id=cd,media=cdrom,readonly=on`;
  return ['-drive', drive, '-device', `ide-cd,drive=cd,bootindex=${order}`];
}

export function usbStick(file: string, order: number): string[] {
  const drive = `file=${file},format=raw,if=none,id=usb,snapshot=on`;
  const stick = `usb-storage,drive=usb,serial=STICK,removable=on,bootindex=${order}`;
  return ['-device', 'qemu-xhci', '-drive', drive, '-device', stick];
}

export async function sha256Of(file: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file), digest);
  return digest.digest('hex');
}
