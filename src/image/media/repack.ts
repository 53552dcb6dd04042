/** Puts answers and a payload on a vendor's medium; it boots as it did, and its checksums hold. */
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { packInitramfs } from '../../exec/cpio.ts';
import type { implantChecksum } from '../../exec/isomd5sum.ts';
import type { BootImage, changeIso, inspectIso } from '../../exec/xorriso.ts';
import { changeMd5sums, changeTreeinfo } from './checksums.ts';
import { MD5SUMS, type Medium, TREEINFO } from './medium.ts';
import { changeMenus, type MenuDeps } from './menus.ts';
import { Overlay } from './overlay.ts';

export interface RepackDeps extends MenuDeps {
  readonly packInitramfs: typeof packInitramfs;
  readonly changeIso: typeof changeIso;
  readonly inspectIso: typeof inspectIso;
  readonly implantChecksum: typeof implantChecksum;
}

export interface Repacking {
  readonly medium: Medium;
  readonly iso: string;
  /** For messages. */
  readonly origin: string;
  readonly answers: Buffer;
  /** Further words for the installer's kernel. */
  readonly cmdline: readonly string[];
  /** Path on the medium → content. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Path on the medium → folder here. */
  readonly trees: ReadonlyMap<string, string>;
  /** Seconds. */
  readonly epoch: number;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** The new ISO, in the folder. `bake.failed` where the medium is not as the family's are, or has what would be put there. */
export async function repack(deps: RepackDeps, work: Repacking): Promise<string> {
  const { medium, iso, origin, epoch, folder, signal } = work;
  const { family, facts } = medium;
  const overlay = new Overlay(join(folder, 'overlay'), facts.files);
  const menu = { ...family.menu, args: (rest: string) => [...family.menu.args(rest), ...work.cmdline] };
  const commands = await changeMenus(deps, { medium, menu, overlay, origin, epoch, signal });
  await overlay.add(family.answers, await answersFile(deps, work));
  for (const [path, text] of family.beside) await overlay.add(path, text);
  for (const [path, content] of work.files) await overlay.add(path, content);
  for (const [path, tree] of work.trees) overlay.addTree(path, tree);
  await renewChecksums(overlay, medium, signal);
  const to = join(folder, 'new.iso');
  commands.push(...overlay.commands(epoch));
  if (facts.volumeDate !== undefined) commands.push('-volume_date', 'uuid', facts.volumeDate);
  try {
    await deps.changeIso({ from: iso, to, commands, epoch, signal });
  } catch (error) {
    if (!(error instanceof KubedosError) || error.code !== 'exec.failed') throw error;
    throw new KubedosError('bake.failed', `${origin}: ${error.message}`, { cause: error });
  }
  const { bootImages } = await deps.inspectIso(to, signal);
  if (bootsBy(bootImages) !== bootsBy(facts.bootImages))
    throw new KubedosError('bake.failed', `${origin}: xorriso cannot keep how it boots: ${bootsBy(facts.bootImages)}`);
  if (family.checksums === 'treeinfo') await deps.implantChecksum(to, signal);
  return to;
}

function bootsBy(images: readonly BootImage[]): string {
  return images.map(({ platform, path }) => `${platform} by ${path ?? 'a partition'}`).join(', ');
}

/** As the installer reads them: a file, or an initramfs that has it. */
async function answersFile({ packInitramfs }: RepackDeps, work: Repacking): Promise<Buffer> {
  const { medium, answers, epoch, signal } = work;
  const name = medium.family.initramfs;
  if (name === undefined) return answers;
  const folder = join(work.folder, 'initramfs');
  await mkdir(folder);
  const file = join(folder, name);
  await writeFile(file, answers);
  // Both are in the archive.
  await chmod(file, 0o444);
  await utimes(file, epoch, epoch);
  return packInitramfs(folder, [name], signal);
}

/** The last change of the overlay. */
async function renewChecksums(
  overlay: Overlay,
  { family, facts, texts }: Medium,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = family.checksums === 'treeinfo' ? TREEINFO : MD5SUMS;
  const text = texts.get(path)?.toString('utf8');
  if (text === undefined) return;
  if (family.checksums === 'treeinfo') {
    await overlay.replace(path, changeTreeinfo(text, await overlay.digests('sha256', signal)));
    return;
  }
  // The loaders that xorriso writes its addresses into are other bytes on each medium.
  const patched = facts.bootImages.flatMap(({ platform, path }) =>
    platform === 'BIOS' && path !== undefined ? [path] : [],
  );
  await overlay.replace(path, changeMd5sums(text, await overlay.digests('md5', signal), new Set(patched)));
}
