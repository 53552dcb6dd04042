/** What the kernel says of block devices: lsblk(8), wipefs(8), blockdev(8). */
import { run } from './run.ts';

/** One device with what is made of it: partitions, volumes, arrays. Names of members are those of lsblk. */
export interface BlockDevice {
  readonly path: string;
  /** `disk`, `part`, `loop`, `rom`, `lvm`, `crypt`, `raid1` … */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  readonly model: string | null;
  readonly serial: string | null;
  /** `usb`, `sata`, `nvme` … */
  readonly tran: string | null;
  readonly ro: boolean;
  /** `[SWAP]` for swap. */
  readonly mountpoints: readonly (string | null)[];
  readonly children?: readonly BlockDevice[];
}

/** What would be lost: a file system, a partition table, … */
export interface DeviceContent {
  readonly device: string;
  /** `ext4`, `gpt`, `LVM2_member` … */
  readonly type: string;
  readonly label: string | null;
}

const COLUMNS = 'PATH,TYPE,SIZE,MODEL,SERIAL,TRAN,RO,MOUNTPOINTS';
const LIMITS = { timeoutMs: 60_000, maxOutputBytes: 4 * 1024 * 1024, debianPackage: 'util-linux' } as const;
/** lsblk(8): no such device, or nothing is attached to it. */
const NO_DEVICE = 32;

/** `undefined` for what the kernel knows as no device with a size. */
export async function describeDevice(path: string): Promise<BlockDevice | undefined> {
  const argv = ['lsblk', '--json', '--bytes', '--output', COLUMNS, path];
  const { status, stdout } = await run(argv, { ...LIMITS, statuses: [0, NO_DEVICE] });
  if (status !== 0) return undefined;
  const { blockdevices } = JSON.parse(stdout.toString('utf8')) as { blockdevices: BlockDevice[] };
  return blockdevices[0];
}

/** Read from the device itself, and nothing is written. */
export async function deviceContents(path: string): Promise<DeviceContent[]> {
  const { stdout } = await run(['wipefs', '--no-act', '--json', path], LIMITS);
  const text = stdout.toString('utf8');
  if (text.trim() === '') return [];
  const { signatures } = JSON.parse(text) as { signatures: { type: string; label: string | null }[] };
  return signatures.map(({ type, label }) => ({ device: path, type, label }));
}

/** Writes out and forgets what the kernel holds of the device, so that the next read asks the device. */
export async function flushBuffers(path: string): Promise<void> {
  await run(['blockdev', '--flushbufs', path], { ...LIMITS, timeoutMs: 30 * 60_000 });
}
