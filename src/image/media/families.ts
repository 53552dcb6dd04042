/** How the installers of three families find their answers on their own medium. Pure. */
import { KubedosError } from '../../errors.ts';
import type { Family } from '../../spec/media-spec.ts';
import type { MenuChange } from './boot-config.ts';

export interface MediaFamily {
  /** The file that says what medium it is, and how it says so. */
  readonly mark: { readonly path: string; readonly form: RegExp; readonly words: string };
  readonly menu: MenuChange;
  /** Where the answers lie: path on the medium. */
  readonly answers: string;
  /** The name that the installer knows them by, where they lie within an initramfs. */
  readonly initramfs?: string;
  /** What must lie beside them, with its text. */
  readonly beside: ReadonlyMap<string, string>;
  readonly checksums: 'md5sum.txt' | 'treeinfo';
}

export const MEDIA_FAMILIES: Readonly<Record<Family, MediaFamily>> = {
  // As a further initrd: read before the first question, and before a medium is looked for; the vendor's own initrds
  // stay as they are, and so does the menu's rescue (installation guide, B.2: preseeding by initrd).
  debian: {
    mark: { path: '/.disk/info', form: /^Debian GNU\/Linux/, words: 'beginning with "Debian GNU/Linux"' },
    menu: {
      kernel: /^\/?install\.?\w*\/(?:\w+\/)?vmlinuz$/,
      args: () => ['auto=true', 'priority=critical'],
      initrd: '/preseed.cpio',
    },
    answers: '/preseed.cpio',
    initramfs: 'preseed.cfg',
    beside: new Map(),
    checksums: 'md5sum.txt',
  },
  // cloud-init's NoCloud, which asks for both files; the word autoinstall says that nobody is to be asked.
  ubuntu: {
    mark: { path: '/.disk/info', form: /^\w*buntu/i, words: 'beginning with "Ubuntu"' },
    menu: {
      kernel: /^\/casper\/(?:hwe-)?vmlinuz(?:\.efi)?$/,
      args: () => ['autoinstall', 'ds=nocloud;s=/cdrom/nocloud/'],
    },
    answers: '/nocloud/user-data',
    beside: new Map([['/nocloud/meta-data', '']]),
    checksums: 'md5sum.txt',
  },
  // dracut-cmdline of Anaconda: inst.ks. The label as the vendor's own line writes it, escapes and all.
  rhel: {
    mark: { path: '/.treeinfo', form: /^\[general\]/m, words: 'with a section [general]' },
    menu: {
      kernel: /^(?:\/?images\/pxeboot\/|\/?isolinux\/)?vmlinuz$/,
      args: (rest) => [`inst.ks=${stageDevice(rest)}:/ks.cfg`],
    },
    answers: '/ks.cfg',
    beside: new Map(),
    checksums: 'treeinfo',
  },
};

function stageDevice(rest: string): string {
  const device = /\binst\.stage2=(hd:LABEL=[^\s:]+)/.exec(rest)?.[1];
  if (device !== undefined) return device;
  throw new KubedosError(
    'bake.failed',
    `a menu entry says not where Anaconda lies (inst.stage2=hd:LABEL=…): ${rest.trim()}`,
  );
}
