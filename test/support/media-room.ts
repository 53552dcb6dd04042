/** Media that are baked, and machines of QEMU that they are put into. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'yaml';
import { run } from '../../src/exec/run.ts';
import { INSTALLATION } from '../../src/wiring.ts';
import { KUBEDOS } from './command-line.ts';
import { type Machine, runUntil } from './qemu.ts';
import { connectedStore, kubedos, MINUTE } from './real-debian.ts';

export const LOGIN = /login: $/;
/** Of a busy machine: it installs, restarts and boots. */
export const PATIENCE_MS = 12 * MINUTE;

export interface Report {
  readonly artifacts: readonly { readonly path: string; readonly sha256: string }[];
}

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

  /** `base` on a small disk, since each byte of it is written and read by a processor that is emulated. */
  async recipe(name: string, installer: object): Promise<string> {
    this.#names.add(name);
    const file = join(this.dir, `${name}.yaml`);
    await writeFile(file, stringify({ name, extends: 'base', disk: { size: '896MiB' }, installer }));
    return file;
  }

  async bake(file: string, ...outputs: string[]): Promise<Report> {
    return JSON.parse(await kubedos(this.#data, ...this.#argv(file, outputs))) as Report;
  }

  /** Under another umask, time zone, home and host name. */
  async bakeElsewhere(file: string, ...outputs: string[]): Promise<Report> {
    const script = 'umask 077; exec unshare --uts sh -c "hostname elsewhere; exec \\"\\$@\\"" sh "$@"';
    const argv = ['sh', '-c', script, 'sh', ...KUBEDOS, ...this.#argv(file, outputs), '--data', this.#data];
    const env = { TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: this.dir };
    const limits = { timeoutMs: PATIENCE_MS, maxOutputBytes: 1024 ** 2 };
    return JSON.parse((await run(argv, { cwd: INSTALLATION, env, ...limits })).stdout.toString()) as Report;
  }

  #argv(file: string, outputs: readonly string[]): string[] {
    return ['bake', file, '--json', '--quiet', '--output', ...outputs];
  }

  async artifact({ artifacts }: Report, ending: string): Promise<string> {
    const found = artifacts.find(({ path }) => path.endsWith(`.${ending}`));
    if (found === undefined) throw new Error(`no ${ending} was baked`);
    const file = join(this.dir, found.path);
    await rm(file, { force: true });
    await symlink(join(this.#data, 'objects', found.sha256.slice(0, 2), found.sha256), file);
    return file;
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
