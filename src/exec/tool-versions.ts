/** What images are made with, and in which version: goes into their provenance. */
import { runForText } from './run.ts';

/** Tool, its option, and its Debian package. */
export type Tool = readonly [name: string, option: string, debianPackage: string];

const DISK_TOOLS: readonly Tool[] = [
  ['mmdebstrap', '--version', 'mmdebstrap'],
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

/** For the outputs of a system. */
export const diskTools = (outputs: readonly string[]): readonly Tool[] =>
  outputs.includes('iso') || outputs.includes('live') ? [...DISK_TOOLS, XORRISO] : DISK_TOOLS;

/** For vendors' media. */
export const MEDIA_TOOLS: readonly Tool[] = [
  XORRISO,
  ['mcopy', '--version', 'mtools'],
  ['cpio', '--version', 'cpio'],
  // Tells no version.
  ['implantisomd5', '--help', 'isomd5sum'],
];

/** Tool → version; `exec.missing` names the first one that is not installed. */
export async function toolVersions(tools: readonly Tool[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [tool, option, debianPackage] of tools) {
    const limits = { timeoutMs: 30_000, maxOutputBytes: 1024 * 1024, statuses: [0, 1], debianPackage };
    const { stdout, stderr } = await runForText([tool, option], limits);
    found[tool] = /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'unknown';
  }
  return found;
}
