/** mtools: files within a FAT image, without mounting it. */
import { type RunOptions, run } from './run.ts';

const OPTIONS = {
  timeoutMs: 60_000,
  maxOutputBytes: 64 * 1024 * 1024,
  debianPackage: 'mtools',
  offline: true,
} satisfies RunOptions;

/** Paths of all files, as `/EFI/BOOT/grub.cfg`. */
export async function listFat(image: string, signal?: AbortSignal): Promise<string[]> {
  const { stdout } = await run(['mdir', '-/', '-b', '-i', image, '::'], { ...OPTIONS, signal });
  const lines = stdout.toString('utf8').split('\n');
  return lines.filter((line) => line.startsWith('::/') && !line.endsWith('/')).map((line) => line.slice(2));
}

export async function readFromFat(image: string, path: string, signal?: AbortSignal): Promise<Buffer> {
  return (await run(['mcopy', '-i', image, `::${path}`, '-'], { ...OPTIONS, signal })).stdout;
}

/** In place of what is there; with the time of the file. */
export async function writeToFat(
  image: string,
  path: string,
  { file, epoch, signal }: { readonly file: string; readonly epoch: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const env = { SOURCE_DATE_EPOCH: String(epoch) };
  await run(['mcopy', '-o', '-m', '-i', image, file, `::${path}`], { ...OPTIONS, env, signal });
}
