/** What images are made with, and in which version: goes into their provenance. */
import { runForText } from './run.ts';

/** Tool, its option, and its Debian package. */
const TOOLS = [
  ['mmdebstrap', '--version', 'mmdebstrap'],
  ['mksquashfs', '-version', 'squashfs-tools'],
  ['mke2fs', '-V', 'e2fsprogs'],
  ['mkfs.vfat', '--help', 'dosfstools'],
  ['mcopy', '--version', 'mtools'],
  ['sfdisk', '--version', 'fdisk'],
  ['qemu-img', '--version', 'qemu-utils'],
  ['tar', '--version', 'tar'],
  ['gzip', '--version', 'gzip'],
] as const;

/** Tool → version; `exec.missing` names the first one that is not installed. */
export async function toolVersions(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [tool, option, debianPackage] of TOOLS) {
    const limits = { timeoutMs: 30_000, maxOutputBytes: 1024 * 1024, statuses: [0, 1], debianPackage };
    const { stdout, stderr } = await runForText([tool, option], limits);
    found[tool] = /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'unknown';
  }
  return found;
}
