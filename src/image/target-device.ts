/** Whether an image may be written to a block device. Pure. */
import { KubedosError } from '../errors.ts';
import type { BlockDevice } from '../exec/block-device.ts';

/** Files that are the content of a disk, byte for byte; others are containers of one. */
const DISK_LIKE = /\.(?:raw|iso|img|ext4|squashfs|erofs)$/;
/** Where the running system lives. */
const SYSTEM = ['/', '/boot', '/boot/efi', '/usr', '/var', '[SWAP]'];

export interface DeviceRequest {
  /** Of the artifact. */
  readonly path: string;
  readonly sizeBytes: number;
  /** The user asked for a part of a disk. */
  readonly partition: boolean;
}

/** `artifact.device` for what is in use, is too small, is read-only, or is a part of a disk that nobody asked for. */
export function checkTarget(device: BlockDevice, { path, sizeBytes, partition }: DeviceRequest): void {
  const refuse = (what: string, hint: string): never => {
    throw new KubedosError('artifact.device', `export ${path} to ${device.path}: ${what}`, { hint });
  };
  if (!DISK_LIKE.test(path))
    refuse('a disk takes raw images and ISOs', 'export it to a file, or bake the output `raw`');
  const all = family(device);
  const mounts = all.flatMap(({ mountpoints }) => mountpoints.filter((each) => each !== null));
  const system = mounts.filter((each) => SYSTEM.includes(each));
  if (system.length > 0)
    refuse(`the running system is on it (${system.join(', ')})`, 'name another device: `lsblk` lists them');
  if (mounts.length > 0) refuse(`it is mounted at ${mounts.join(', ')}`, `umount ${mounts.join(' ')}`);
  const holder = all.slice(1).find(({ type }) => type !== 'part');
  if (holder !== undefined)
    refuse(`${holder.path} (${holder.type}) is made of it`, `take ${holder.path} down first, or name another device`);
  if (device.type === 'rom') refuse('it is an optical drive', 'burn the image with xorriso or wodim');
  if (device.type === 'part' && !partition)
    refuse('it is a partition, and the image a whole disk', 'name the disk; or say --partition');
  if (device.ro) refuse('it is read-only', 'look for a switch on the medium, or `blockdev --setrw`');
  if (device.size < sizeBytes)
    refuse(
      `it has ${device.size} bytes, the image ${sizeBytes}`,
      'take a larger device, or a smaller disk in the recipe',
    );
}

/** The device with all that is made of it. */
export function family(device: BlockDevice): BlockDevice[] {
  return [device, ...(device.children ?? []).flatMap(family)];
}
