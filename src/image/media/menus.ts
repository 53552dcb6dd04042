/** The menus of a medium: those of its tree, and those within the FAT image that UEFI starts. */
import { utimes, writeFile } from 'node:fs/promises';
import { KubedosError } from '../../errors.ts';
import type { listFat, readFromFat, writeToFat } from '../../exec/mtools.ts';
import { type ChangedMenu, changeMenu, type Dialect, dialectOf, type MenuChange } from './boot-config.ts';
import type { EfiImage, Medium } from './medium.ts';
import type { Overlay } from './overlay.ts';

export interface MenuDeps {
  readonly listFat: typeof listFat;
  readonly readFromFat: typeof readFromFat;
  readonly writeToFat: typeof writeToFat;
}

export interface MenuWork {
  readonly medium: Medium;
  readonly menu: MenuChange;
  readonly overlay: Overlay;
  /** For messages. */
  readonly origin: string;
  /** Seconds. */
  readonly epoch: number;
  readonly signal?: AbortSignal | undefined;
}

/** Gives what xorriso must be told beside the overlay. `bake.failed` where no menu starts the family's installer. */
export async function changeMenus(deps: MenuDeps, work: MenuWork): Promise<string[]> {
  const { medium, overlay, origin } = work;
  const entries = { grub: 0, isolinux: 0 };
  for (const [path, bytes] of medium.texts) {
    const changed = changedMenu(path, bytes, work);
    if (changed === undefined) continue;
    entries[changed.dialect] += changed.entries;
    if (!changed.bytes.equals(bytes)) await overlay.replace(path, changed.bytes);
  }
  const inEfi = medium.efi === undefined ? 0 : await changeEfi(deps, medium.efi, work);
  const starts = { BIOS: entries.isolinux + entries.grub, UEFI: entries.grub + inEfi };
  for (const { platform } of medium.facts.bootImages)
    if (starts[platform] === 0)
      throw new KubedosError(
        'bake.failed',
        `${origin}: no menu for ${platform} starts an installer that takes answers`,
        {
          hint: 'live and desktop media have none: take the installer (netinst, live-server, boot or DVD)',
        },
      );
  return inEfi === 0 || medium.efi === undefined ? [] : placeEfi(overlay, medium.efi);
}

/** How many entries were changed; the image then has the new menu in place of the old. */
async function changeEfi(deps: MenuDeps, { file }: EfiImage, work: MenuWork): Promise<number> {
  const { epoch, signal } = work;
  let entries = 0;
  for (const path of await deps.listFat(file, signal)) {
    if (dialectOf(path) === undefined) continue;
    const changed = changedMenu(path, await deps.readFromFat(file, path, signal), work);
    if (changed === undefined || changed.entries === 0) continue;
    entries += changed.entries;
    const text = `${file}.menu`;
    await writeFile(text, changed.bytes);
    await utimes(text, epoch, epoch);
    await deps.writeToFat(file, path, { file: text, epoch, signal });
  }
  return entries;
}

/** In the tree, behind it, or both, as it was. */
function placeEfi(overlay: Overlay, { file, paths, partition }: EfiImage): string[] {
  for (const path of paths) overlay.replaceByFile(path, file);
  return partition === undefined ? [] : ['-append_partition', String(partition.number), partition.type, file];
}

function changedMenu(
  path: string,
  bytes: Buffer,
  { menu, origin }: MenuWork,
): { readonly dialect: Dialect; readonly entries: number; readonly bytes: Buffer } | undefined {
  const dialect = dialectOf(path);
  if (dialect === undefined) return undefined;
  let changed: ChangedMenu;
  try {
    // Byte for byte: whatever encoding a vendor's menu has.
    changed = changeMenu(bytes.toString('latin1'), dialect, menu);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new KubedosError('bake.failed', `${origin}: ${path}: ${words}`, { cause });
  }
  return { dialect, entries: changed.entries, bytes: Buffer.from(changed.text, 'latin1') };
}
