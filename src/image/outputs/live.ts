/** The system running from RAM: for machines that boot by network, or from a medium. docs/installer.md. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Built, MakeOutput } from '../output.ts';
import { BOOT_FILES, LIVE_ROOT } from './media/boot-files.ts';
import { ISO_PARTS, WRITE_ISO } from './media/hybrid-iso.ts';
import { MENU_HEAD, type MediaDeps, mediumIds, menuEntry, runScripts } from './media/medium.ts';

/** Prints the digest of the root. */
const ROOT_SUM = `sha256 < "$W/root.squashfs"
`;

/** Kernel, initramfs, root, and what the kernel must be told, but for where the root is to be fetched. */
export const netboot: MakeOutput<MediaDeps> = async (deps, built) => {
  const { name, folder, cmdline } = built;
  const sum = await runScripts(deps, built, { script: BOOT_FILES + LIVE_ROOT + ROOT_SUM });
  await writeFile(join(folder, 'cmdline'), `boot=kubedos-live kubedos.sha256=${sum.trim()} ${cmdline}\n`);
  return [
    { path: `${name}.vmlinuz`, file: join(folder, 'vmlinuz') },
    { path: `${name}.initrd`, file: join(folder, 'initrd') },
    { path: `${name}.squashfs`, file: join(folder, 'root.squashfs') },
    { path: `${name}.cmdline`, file: join(folder, 'cmdline') },
  ];
};

/** Script: the root goes onto the medium, and its digest into the menu. */
const ROOT_ON_MEDIUM = `
mkdir -p "$W/iso/kubedos"
sum=$(sha256 < "$W/root.squashfs")
mv "$W/root.squashfs" "$W/iso/kubedos/"
sed -i "s/@SHA256@/$sum/" "$W/grub.cfg"
`;

export const live: MakeOutput<MediaDeps> = async (deps, built) => {
  const ids = mediumIds(built, 'live', built.cmdline);
  const sha256 = await runScripts(deps, built, {
    script: BOOT_FILES + LIVE_ROOT + ROOT_ON_MEDIUM + ISO_PARTS + WRITE_ISO,
    files: { 'grub.cfg': menu(built, ids.ID ?? '') },
    env: ids,
  });
  return [{ path: `${built.name}.live.iso`, file: join(built.folder, 'medium.iso'), sha256: sha256.trim() }];
};

function menu({ name, cmdline }: Built, id: string): string {
  const words = `boot=kubedos-live kubedos.root=medium kubedos.medium=${id} kubedos.sha256=@SHA256@ ${cmdline}`;
  return MENU_HEAD + menuEntry(`Run ${name} from RAM`, words);
}
