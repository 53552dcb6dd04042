/** qemu-img(1). */
import { run } from './run.ts';

const DEBIAN_PACKAGE = 'qemu-utils';

/** Bytes of a file that are no hole. */
export interface Extent {
  readonly start: number;
  readonly length: number;
}

/** Where a raw disk is no hole, in order. qemu-img speaks of whole sectors: the last one may end behind the file. */
export async function dataExtents(file: string, signal?: AbortSignal): Promise<readonly Extent[]> {
  const { stdout } = await run(['qemu-img', 'map', '--output=json', '-f', 'raw', file], {
    timeoutMs: 10 * 60 * 1000,
    maxOutputBytes: 64 * 1024 * 1024,
    signal,
    debianPackage: DEBIAN_PACKAGE,
  });
  const extents = JSON.parse(stdout.toString()) as { start: number; length: number; data: boolean }[];
  return extents.filter(({ data }) => data).map(({ start, length }) => ({ start, length }));
}

/** Never with `-W`: out of order, the same disk makes other bytes. */
export async function convertImage(
  from: string,
  to: string,
  {
    format,
    sourceFormat = 'raw',
    options = [],
    compressed = false,
    signal,
  }: {
    readonly format: string;
    readonly sourceFormat?: string;
    readonly options?: readonly string[];
    readonly compressed?: boolean;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const extra = [...(compressed ? ['-c'] : []), ...options.flatMap((option) => ['-o', option])];
  await run(['qemu-img', 'convert', '-f', sourceFormat, '-O', format, ...extra, from, to], {
    timeoutMs: 60 * 60 * 1000,
    maxOutputBytes: 1024 * 1024,
    signal,
    debianPackage: DEBIAN_PACKAGE,
  });
}
