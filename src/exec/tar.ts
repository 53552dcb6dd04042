/** GNU tar(1), for what only its formats are taken for. */
import { basename, dirname, join } from 'node:path';
import { run } from './run.ts';

/** One file as the member `disk.raw`, or whatever its name is, in the old GNU format, by gzip. */
export async function packDisk(
  disk: string,
  to: string,
  { epoch, signal }: { readonly epoch: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const fixed = ['--format=oldgnu', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner', '--mode=0644'];
  await run(['tar', ...fixed, '--use-compress-program=gzip -n', '-cf', to, '-C', dirname(disk), basename(disk)], {
    timeoutMs: 60 * 60 * 1000,
    maxOutputBytes: 1024 * 1024,
    signal,
  });
}

/** The inverse: the one member of the archive that it wrote, into a folder; its path. */
export async function unpackDisk(archive: string, folder: string, signal?: AbortSignal): Promise<string> {
  await run(['tar', '--extract', '--gzip', '--file', archive, '--directory', folder, 'disk.raw'], {
    timeoutMs: 60 * 60 * 1000,
    maxOutputBytes: 1024 * 1024,
    signal,
  });
  return join(folder, 'disk.raw');
}
