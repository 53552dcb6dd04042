/** What images are made with, and in which version: goes into their provenance. */
import { runForText } from './run.ts';

/** Tool, its option, and its Debian package. */
export type Tool = readonly [name: string, option: string, debianPackage: string];

const DISK_TOOLS: readonly Tool[] = [
  ['mksquashfs', '-version', 'squashfs-tools'],
  ['mke2fs', '-V', 'e2fsprogs'],
  ['mkfs.vfat', '--help', 'dosfstools'],
  ['mcopy', '--version', 'mtools'],
  ['sfdisk', '--version', 'fdisk'],
  ['qemu-img', '--version', 'qemu-utils'],
  ['tar', '--version', 'tar'],
  ['gzip', '--version', 'gzip'],
];

const XORRISO: Tool = ['xorriso', '-version', 'xorriso'];

/** What systems are put together by. faketime tells no version without a command. */
const FAMILY_TOOLS: Readonly<Record<'debian' | 'el', readonly Tool[]>> = {
  debian: [['mmdebstrap', '--version', 'mmdebstrap']],
  el: [
    ['dnf', '--version', 'dnf'],
    ['rpm', '--version', 'rpm'],
    ['faketime', '--version', 'faketime'],
  ],
};

/** For a system and its outputs. */
export const systemTools = (family: 'debian' | 'el', outputs: readonly string[]): readonly Tool[] => [
  ...FAMILY_TOOLS[family],
  ...DISK_TOOLS,
  ...(outputs.includes('iso') || outputs.includes('live') ? [XORRISO] : []),
];

/** For vendors' media. */
export const MEDIA_TOOLS: readonly Tool[] = [
  XORRISO,
  ['mcopy', '--version', 'mtools'],
  ['cpio', '--version', 'cpio'],
  // Tells no version.
  ['implantisomd5', '--help', 'isomd5sum'],
];

/** Tool → version; `exec.missing` names one that is not installed. */
export async function toolVersions(tools: readonly Tool[]): Promise<Record<string, string>> {
  const versions = tools.map(async ([tool, option, debianPackage]) => {
    const limits = { timeoutMs: 30_000, maxOutputBytes: 1024 * 1024, statuses: [0, 1], debianPackage };
    const { stdout, stderr } = await runForText([tool, option], limits);
    return [tool, /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'unknown'] as const;
  });
  return Object.fromEntries(await Promise.all(versions));
}
