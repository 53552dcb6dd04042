/** GNU tar(1), for what only its formats are taken for. */
import { join } from 'node:path';
import { run } from './run.ts';

export interface TarRequest {
  readonly folder: string;
  /** Members, in this order; what is in a folder is sorted. */
  readonly names: readonly string[];
  readonly to: string;
  /** What ustar cannot hold, a member of 8 GiB or more, fails. */
  readonly format: 'oldgnu' | 'ustar' | 'gnu';
  readonly gzip?: boolean | undefined;
  /** Seconds. */
  readonly epoch: number;
  readonly signal?: AbortSignal | undefined;
}

/** Files of this folder, owned by root, of this time. */
export async function packFiles({ folder, names, to, format, gzip, epoch, signal }: TarRequest): Promise<void> {
  const fixed = ['--sort=name', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  const compress = gzip === true ? ['--use-compress-program=gzip -n'] : [];
  await run(['tar', `--format=${format}`, ...fixed, ...compress, '-cf', to, '-C', folder, ...names], {
    timeoutMs: 60 * 60 * 1000,
    maxOutputBytes: 1024 * 1024,
    signal,
  });
}

/** A file of an archive, packed or not, into a folder; its path. */
export async function unpackFile(archive: string, name: string, folder: string, signal?: AbortSignal): Promise<string> {
  await run(['tar', '--extract', '--file', archive, '--directory', folder, name], {
    timeoutMs: 60 * 60 * 1000,
    maxOutputBytes: 1024 * 1024,
    signal,
  });
  return join(folder, name);
}
