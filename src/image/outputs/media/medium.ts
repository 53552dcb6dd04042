/** What boots without a disk: the scripts that make it, run in the sealed room. */
import { hash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { runSealed } from '../../../exec/sealed.ts';
import { runOnLayers } from '../../layers-script.ts';
import type { Built } from '../../output.ts';
import { uuidOf } from '../../uuid.ts';
import { INITRAMFS_FUNCTIONS } from './initramfs-functions.ts';
import { INITRAMFS_HOOK } from './initramfs-hook.ts';
import { INITRAMFS_INSTALL } from './initramfs-install.ts';
import { INITRAMFS_LIVE } from './initramfs-live.ts';

export interface MediaDeps {
  readonly runSealed: typeof runSealed;
}

/** Path below the work folder of the scripts (`$W`) → content. */
export type WorkFiles = Readonly<Record<string, string>>;

/**
 * `sha256`: of standard input, which goes on into the file `$1`, if there is one. By the instructions that processors have
 * for it, six times as fast as sha256sum(1).
 */
export const SHA256 = `
sha256() {
  "$NODE" -e '
    const [{ createHash }, fs] = [require("crypto"), require("fs")];
    const [sum, block] = [createHash("sha256"), Buffer.allocUnsafe(1 << 20)];
    const to = process.argv[1] && fs.openSync(process.argv[1], "w");
    for (let bytes; (bytes = fs.readSync(0, block)) > 0; ) {
      const piece = block.subarray(0, bytes);
      sum.update(piece);
      if (to) fs.writeFileSync(to, piece);
    }
    console.log(sum.digest("hex"));
  ' "$@"
}
`;

/** Runs the scripts with `$W`, the folder of the output. Gives what they print; `bake.failed` otherwise. */
export async function runScripts(
  deps: MediaDeps,
  built: Built,
  { script, files = {}, env = {} }: { script: string; files?: WorkFiles; env?: Readonly<Record<string, string>> },
): Promise<string> {
  const { folder } = built;
  await writeFiles(folder, files);
  await writeFiles(join(folder, 'initramfs'), {
    'hooks/kubedos': INITRAMFS_HOOK,
    'scripts/kubedos-functions': INITRAMFS_FUNCTIONS,
    'scripts/kubedos-install': INITRAMFS_INSTALL,
    'scripts/kubedos-live': INITRAMFS_LIVE,
  });
  const all = { W: folder, NODE: process.execPath, ...env };
  return runOnLayers(deps, { ...built, script: SHA256 + script, env: all });
}

async function writeFiles(folder: string, files: WorkFiles): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** Environment of ISO_PARTS and WRITE_ISO, for a medium that differs from all whose `parts` are others. */
export function mediumIds({ key, name }: Built, ...parts: readonly string[]): Record<string, string> {
  const id = hash('sha256', [key, ...parts].join(' ')).slice(0, 32);
  return {
    ID: id,
    VOLUME: hash('sha256', `${id} efi volume`).slice(0, 8),
    // What ISO 9660 takes.
    LABEL: name
      .toUpperCase()
      .replace(/[^A-Z0-9]/g, '_')
      .slice(0, 32),
    DISK_GUID: uuidOf(id, 'medium'),
  };
}

/** The beginning of a boot menu. */
export const MENU_HEAD = `serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=3
`;

export function menuEntry(title: string, cmdline: string): string {
  return `menuentry '${title}' {
  linux /boot/vmlinuz ${cmdline}
  initrd /boot/initrd
}
`;
}
