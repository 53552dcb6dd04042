/** qemu-img(1). */
import { run } from './run.ts';

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
    debianPackage: 'qemu-utils',
  });
}
