/** Menus of boot loaders: the entries that start an installer are told more. Pure. */

export type Dialect = 'grub' | 'isolinux';

export interface MenuChange {
  /** Kernels that are installers, by their path in an entry. */
  readonly kernel: RegExp;
  /** For the kernel, of the rest of its line; a reason as an Error where it cannot be told. */
  readonly args: (rest: string) => readonly string[];
  /** A further initrd: its path on the medium. */
  readonly initrd?: string | undefined;
}

export interface ChangedMenu {
  readonly text: string;
  /** Entries that were changed. */
  readonly entries: number;
}

/** Seconds until the menu's first choice starts: some vendors' menus wait for ever, or start another. */
const TIMEOUT = 5;
/** Debian's and Ubuntu's sign for: what follows also goes to the installed system. */
const END_OF_INSTALLER = /(^|\s)---?(\s|$)/;
/** Of these entries the answers are none. */
const RESCUE = /\brescue\b/;

/** An isolinux or GRUB menu of a vendor's medium, whichever the path is of. */
export function dialectOf(path: string): Dialect | undefined {
  if (!/\.(?:cfg|conf)$/i.test(path)) return undefined;
  return /(?:iso|sys)linux/i.test(path) ? 'isolinux' : 'grub';
}

export function changeMenu(text: string, dialect: Dialect, change: MenuChange): ChangedMenu {
  return dialect === 'grub' ? changeGrub(text, change) : changeIsolinux(text, change);
}

/** GRUB manual, "linux", "initrd": the initrd of an entry follows its kernel. */
function changeGrub(text: string, change: MenuChange): ChangedMenu {
  let entries = 0;
  let ours = false;
  const lines = text.split('\n').map((line) => {
    const [, head = '', kernel = '', rest = ''] = /^(\s*linux(?:efi|16)?\s+)(\S+)(.*)$/.exec(line) ?? [];
    if (kernel !== '') {
      ours = change.kernel.test(kernel) && !RESCUE.test(rest);
      if (!ours) return line;
      entries += 1;
      return `${head}${kernel}${withArgs(rest, change.args(rest).map(grubWord))}`;
    }
    if (/^\s*(?:menuentry|submenu)\b/.test(line)) ours = false;
    if (ours && change.initrd !== undefined && /^\s*initrd(?:efi|16)?\s/.test(line))
      return `${line.trimEnd()} ${change.initrd}`;
    return line.replace(/^(\s*set\s+timeout=).*$/, `$1${TIMEOUT}`);
  });
  const changed = lines.join('\n');
  if (entries === 0) return { text, entries };
  return { text: /^\s*set\s+timeout=/m.test(changed) ? changed : `set timeout=${TIMEOUT}\n${changed}`, entries };
}

/** SYSLINUX, "Configuration file": kernel or linux, and append with its initrd=, in either order, of each label. */
function changeIsolinux(text: string, change: MenuChange): ChangedMenu {
  let entries = 0;
  // A label's lines are judged together: which kernel it has may stand below.
  const labels = text.split(/^(?=\s*label\s)/im).map((label) => {
    const kernel = /^\s*(?:kernel|linux)\s+(\S+)/im.exec(label)?.[1];
    if (kernel === undefined || !change.kernel.test(kernel) || RESCUE.test(label)) return label;
    return label.replace(/^(\s*append\s)(.*)$/im, (_, head: string, rest: string) => {
      entries += 1;
      const more = change.initrd === undefined ? rest : rest.replace(/(\binitrd=\S+)/, `$1,${change.initrd}`);
      return head.trimEnd() + withArgs(` ${more.trimStart()}`, change.args(rest));
    });
  });
  const changed = labels.join('');
  // A page of help asks for a name, and waits.
  if (entries === 0 && !/^\s*default\s/im.test(text)) return { text, entries };
  // Debian's menu starts its talking installer after a while; this one starts what is first.
  const kept = changed.replace(/^[ \t]*(?:ontimeout|menu autoboot)\s.*\n/gim, '');
  return { text: kept.replace(/^([ \t]*timeout\s+)\d+/gim, `$1${TIMEOUT * 10}`), entries };
}

/** Before the `---`, if there is one: what is behind it stays on the installed system. */
function withArgs(rest: string, args: readonly string[]): string {
  const text = args.map((each) => ` ${each}`).join('');
  const end = END_OF_INSTALLER.exec(rest);
  if (end === null) return rest.trimEnd() + text;
  const at = end.index;
  return `${rest.slice(0, at).trimEnd()}${text}${rest.slice(at)}`;
}

/** A vendor's own words are as the vendor wrote them; of ours `;` ends a command, were it not quoted. */
function grubWord(word: string): string {
  return /[;&|<>$#*]/.test(word) ? `'${word}'` : word;
}
