/** A raw disk: GPT, GRUB for BIOS, the signed chain of UEFI, and an ext4 root. */
import { hash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { runSealed } from '../exec/sealed.ts';
import type { partition } from '../exec/sfdisk.ts';
import { bootCode, coreImage } from '../formats/grub.ts';
import type { Run } from '../progress.ts';
import { DISK_SCRIPT } from './disk-script.ts';
import { runOnLayers } from './layers-script.ts';
import type { Built } from './output.ts';
import { uuidOf } from './uuid.ts';

export interface DiskDeps {
  readonly runSealed: typeof runSealed;
  readonly partition: typeof partition;
}

export type DiskRequest = Pick<Built, 'level' | 'layers' | 'epoch' | 'cmdline' | 'diskBytes' | 'key'>;

const MIB = 1024 ** 2;
const SECTOR_BYTES = 512;
const BIOS = { start: MIB, bytes: MIB };
const EFI = { start: 2 * MIB, bytes: 64 * MIB };
export const ROOT_START = EFI.start + EFI.bytes;
/** The second partition table, and a whole number of MiB. */
const END_BYTES = MIB;
const LEAST_BYTES = 512 * MIB;
/** Types of partitions: UEFI specification, and the Discoverable Partitions Specification (x86-64 root). */
const TYPES = {
  bios: '21686148-6449-6E6F-744E-656564454649',
  efi: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
};

/** Writes `disk.raw` into the folder, sparse. `bake.failed` where the system does not fit, or has nothing to boot. */
export async function rawDisk(
  deps: DiskDeps,
  request: DiskRequest,
  { folder, signal }: { readonly folder: string } & Run,
): Promise<string> {
  const { diskBytes: bytes, key, cmdline } = request;
  if (bytes < LEAST_BYTES)
    throw new KubedosError('spec.invalid', `disk: size: ${bytes / MIB} MiB are too few, at least ${LEAST_BYTES / MIB}`);
  const id = (what: string): string => uuidOf(key, what);
  const rootBytes = bytes - ROOT_START - END_BYTES;
  const disk = join(folder, 'disk.raw');
  const handle = await open(disk, 'wx+');
  try {
    await handle.truncate(bytes);
    const volume = hash('sha256', `${key} efi volume`).slice(0, 8);
    const numbers = [ROOT_START, rootBytes / 1024, id('root file system'), id('root'), EFI.bytes, volume].map(String);
    const args = [folder, disk, ...numbers, cmdline];
    await runOnLayers(deps, { ...request, script: DISK_SCRIPT, args, folder, signal });
    await deps.partition(disk, partitionTable(id, rootBytes), signal);
    await copySparse(join(folder, 'efi.img'), handle, EFI.start);
    const coreSector = BIOS.start / SECTOR_BYTES;
    await handle.write(bootCode(await readFile(join(folder, 'boot.img')), coreSector), 0, undefined, 0);
    const core = coreImage(await readFile(join(folder, 'core.img')), coreSector, BIOS.bytes);
    await handle.write(core, 0, undefined, BIOS.start);
  } finally {
    await handle.close();
  }
  return disk;
}

function partitionTable(id: (what: string) => string, rootBytes: number): string {
  const line = (start: number, bytes: number, type: keyof typeof TYPES): string =>
    `start=${start / SECTOR_BYTES}, size=${bytes / SECTOR_BYTES}, type=${TYPES[type]}, uuid=${id(type)}, name=${type}\n`;
  return [
    'label: gpt\nunit: sectors\n',
    `label-id: ${id('disk')}\n\n`,
    line(BIOS.start, BIOS.bytes, 'bios'),
    line(EFI.start, EFI.bytes, 'efi'),
    line(ROOT_START, rootBytes, 'root'),
  ].join('');
}

/** What is zero is left out: the target is fresh. */
async function copySparse(from: string, to: FileHandle, at: number): Promise<void> {
  const source = await open(from);
  const block = Buffer.alloc(MIB);
  const zeros = Buffer.alloc(MIB);
  try {
    for (let offset = 0; ; ) {
      const { bytesRead } = await source.read(block, 0, MIB, offset);
      if (bytesRead === 0) return;
      const piece = block.subarray(0, bytesRead);
      if (!piece.equals(zeros.subarray(0, bytesRead))) await to.write(piece, 0, bytesRead, at + offset);
      offset += bytesRead;
    }
  } finally {
    await source.close();
  }
}
