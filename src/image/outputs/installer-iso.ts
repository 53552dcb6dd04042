/** The installer: a hybrid ISO that writes the image to the one disk that the answer names. docs/installer.md. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readManifest } from '../../store/manifest.ts';
import type { ObjectStore } from '../../store/types.ts';
import { makeView } from '../mirror-view.ts';
import type { Built, MakeOutput, PayloadMirror } from '../output.ts';
import { uuidOf } from '../uuid.ts';
import { BOOT_FILES } from './media/boot-files.ts';
import { ISO_PARTS, WRITE_ISO } from './media/hybrid-iso.ts';
import { MENU_HEAD, type MediaDeps, mediumIds, menuEntry, runScripts } from './media/medium.ts';

export interface InstallerDeps extends MediaDeps {
  readonly store: { readonly objects: ObjectStore };
}

/** Script: the disk `$DISK`, as the medium carries it, and what it must be. */
const DISK_ON_MEDIUM = `
say 'compress the disk'
mkdir -p "$W/iso/kubedos"
sha256 < "$DISK" > "$W/sum" &
# Of the system, not of this machine: another version writes other bytes.
chroot "$T" zstd -q -3 -T0 -c < "$DISK" > "$W/iso/kubedos/disk.raw.zst"
wait $!
echo "image_sha256=$(cat "$W/sum")" >> "$W/iso/kubedos/answer"
`;

export const iso: MakeOutput<InstallerDeps> = async (deps, built) => {
  const { name, key, folder, installer, payload, cmdline } = built;
  const tree = join(folder, 'iso');
  const payloadBytes = await layOutPayload(deps.store.objects, payload, { tree, built });
  const answer = {
    answer_disk: installer.disk ?? '',
    answer_wipe: installer.wipe ? 'yes' : 'no',
    answer_end: installer.end,
    image_bytes: built.diskBytes,
    root_partition: uuidOf(key, 'root'),
    payload: payload.map((each) => each.name).join(' '),
    payload_bytes: payloadBytes,
  };
  const lines = Object.entries(answer).map(([what, value]) => `${what}='${value}'\n`);
  const ids = mediumIds(built, 'installer', ...lines, cmdline, ...payload.map(({ manifestRoot }) => manifestRoot));
  const sha256 = await runScripts(deps, built, {
    script: BOOT_FILES + DISK_ON_MEDIUM + ISO_PARTS + WRITE_ISO,
    files: { 'iso/kubedos/answer': lines.join(''), 'grub.cfg': menu(built, ids.ID ?? '') },
    env: { ...ids, DISK: await built.disk() },
  });
  return [{ path: `${name}.iso`, file: join(folder, 'medium.iso'), sha256: sha256.trim() }];
};

/**
 * Once the system is on a disk, that is what starts by itself: a medium that was left in its place installs once and not
 * for ever.
 */
function menu({ name, key, cmdline }: Built, id: string): string {
  const install = menuEntry(`Install ${name}`, `boot=kubedos-install kubedos.medium=${id} ${cmdline}`);
  return `${MENU_HEAD}search --no-floppy --fs-uuid --set=installed ${uuidOf(key, 'root file system')}
if [ -n "$installed" ]; then set default=1; fi
${install}if [ -n "$installed" ]; then
menuentry 'Start the installed system' {
  set root=$installed
  configfile /boot/grub/grub.cfg
}
fi
`;
}

/**
 * Below /darksite of the medium, as hard links to the objects: the ISO is their first copy. Beside them lie the sums that
 * an installed copy is checked by. Gives the bytes of all files.
 */
async function layOutPayload(
  objects: ObjectStore,
  payload: readonly PayloadMirror[],
  { tree, built: { signal } }: { readonly tree: string; readonly built: Built },
): Promise<number> {
  let bytes = 0;
  await mkdir(join(tree, 'kubedos'), { recursive: true });
  for (const { name, manifestRoot } of payload) {
    await makeView(objects, manifestRoot, { folder: join(tree, 'darksite', name), signal });
    const lines = async function* (): AsyncGenerator<string> {
      for await (const { path, sha256, sizeBytes } of readManifest(objects, manifestRoot)) {
        bytes += sizeBytes;
        yield `${sha256}  ${path}\n`;
      }
    };
    const sums = createWriteStream(join(tree, 'kubedos', `${name}.sha256`));
    await pipeline(Readable.from(lines()), sums, { signal });
  }
  return bytes;
}
