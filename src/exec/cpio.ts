/** GNU cpio(1): archives that the kernel unpacks as a part of its initramfs. */
import { run } from './run.ts';

/** The files of a folder, as root's, in the order given. */
export async function packInitramfs(folder: string, names: readonly string[], signal?: AbortSignal): Promise<Buffer> {
  const fixed = ['--format=newc', '--reproducible', '--owner=+0:+0', '--quiet'];
  const { stdout } = await run(['cpio', '--create', ...fixed], {
    cwd: folder,
    input: names.map((name) => `${name}\n`).join(''),
    timeoutMs: 60_000,
    maxOutputBytes: 64 * 1024 * 1024,
    signal,
    debianPackage: 'cpio',
    offline: true,
  });
  return stdout;
}
