/** What images are made with, and in which version: goes into their provenance. */
import { runForText } from './run.ts';

/** Tool, its option, its Debian package, and the outputs that need it, where not all do. */
const TOOLS: readonly (readonly [tool: string, option: string, debianPackage: string, outputs?: readonly string[]])[] =
  [
    ['mmdebstrap', '--version', 'mmdebstrap'],
    ['mksquashfs', '-version', 'squashfs-tools'],
    ['mke2fs', '-V', 'e2fsprogs'],
    ['mkfs.vfat', '--help', 'dosfstools'],
    ['mcopy', '--version', 'mtools'],
    ['sfdisk', '--version', 'fdisk'],
    ['qemu-img', '--version', 'qemu-utils'],
    ['tar', '--version', 'tar'],
    ['gzip', '--version', 'gzip'],
    ['xorriso', '-version', 'xorriso', ['iso', 'live']],
  ];

/** Tool → version; `exec.missing` names the first one that is not installed. */
export async function toolVersions(outputs: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [tool, option, debianPackage, onlyFor] of TOOLS) {
    if (onlyFor !== undefined && !onlyFor.some((each) => outputs.includes(each))) continue;
    const limits = { timeoutMs: 30_000, maxOutputBytes: 1024 * 1024, statuses: [0, 1], debianPackage };
    const { stdout, stderr } = await runForText([tool, option], limits);
    found[tool] = /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'unknown';
  }
  return found;
}
