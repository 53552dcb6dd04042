/** A raw disk: GPT, GRUB for BIOS, the signed chain of UEFI, and an ext4 root. */
import { hash } from 'node:crypto';
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { runSealed } from '../exec/sealed.ts';
import type { partition } from '../exec/sfdisk.ts';
import { bootCode, coreImage } from '../formats/grub.ts';
import type { Run } from '../progress.ts';
import { type DiskLayout, mountedPlaces, partitionTable, SECTOR_BYTES } from './disk-layout.ts';
import { DISK_SCRIPT } from './disk-script.ts';
import { runOnLayers } from './layers-script.ts';
import type { Built } from './output.ts';
import { uuidOf } from './uuid.ts';

export interface DiskDeps {
  readonly runSealed: typeof runSealed;
  readonly partition: typeof partition;
}

export type DiskRequest = Pick<Built, 'level' | 'layers' | 'epoch' | 'cmdline' | 'diskBytes' | 'layout' | 'key'>;

const MIB = 1024 ** 2;

/** Writes `disk.raw` into the folder, sparse. `bake.failed` where the system does not fit, or has nothing to boot. */
export async function rawDisk(
  deps: DiskDeps,
  request: DiskRequest,
  { folder, signal }: { readonly folder: string } & Run,
): Promise<string> {
  const { diskBytes: bytes, layout, key, cmdline } = request;
  const { bios, efi, root } = layout;
  const id = (what: string): string => uuidOf(key, what);
  const disk = join(folder, 'disk.raw');
  const handle = await open(disk, 'wx+');
  try {
    await handle.truncate(bytes);
    await writeFile(join(folder, 'partitions'), ownLines(layout, id));
    const volume = hash('sha256', `${key} efi volume`).slice(0, 8);
    const numbers = [root.start, root.bytes / 1024, id('root file system'), id('root'), efi.bytes, volume].map(String);
    const args = [folder, disk, ...numbers, cmdline];
    await runOnLayers(deps, { ...request, script: DISK_SCRIPT, args, folder, signal });
    await deps.partition(disk, partitionTable(layout, id), signal);
    await copySparse(join(folder, 'efi.img'), handle, efi.start);
    for (const { name, type, start } of layout.own)
      if (type === 'swap') await copySparse(join(folder, `${name}.swap`), handle, start);
    const coreSector = bios.start / SECTOR_BYTES;
    await handle.write(bootCode(await readFile(join(folder, 'boot.img')), coreSector), 0, undefined, 0);
    const core = coreImage(await readFile(join(folder, 'core.img')), coreSector, bios.bytes);
    await handle.write(core, 0, undefined, bios.start);
  } finally {
    await handle.close();
  }
  return disk;
}

/** As DISK_SCRIPT reads them. */
function ownLines(layout: DiskLayout, id: (what: string) => string): string {
  const swaps = layout.own.filter(({ type }) => type === 'swap').map((place) => ({ ...place, mount: 'none' }));
  const [, ...mounted] = mountedPlaces(layout);
  const lines = [...mounted, ...swaps].map(({ name, type, start, bytes, mount, options }) =>
    [type, name, start, bytes / 1024, id(`${name} file system`), id(name), mount, options ?? 'defaults'].join(' '),
  );
  return lines.map((line) => `${line}\n`).join('');
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
