/** Reed–Solomon parity by par2cmdline (Debian: par2). */
import { basename, dirname, join } from 'node:path';
import { run } from './run.ts';

/** An 8 TB disk's worth of packs is done one by one; one pack of 1 GiB takes a minute or two. */
const TIMEOUT_MS = 60 * 60 * 1000;
const COMMON = { timeoutMs: TIMEOUT_MS, maxOutputBytes: 16 * 1024 * 1024, debianPackage: 'par2' } as const;
/** par2(1): repair is possible, was needed and was done, or is not possible. */
const REPAIR_NOT_POSSIBLE = [2, 4];

export const par2 = {
  async create(
    input: {
      readonly file: string;
      readonly into: string;
      readonly blockBytes: number;
      readonly recoveryBlocks: number;
    },
    signal?: AbortSignal,
  ): Promise<void> {
    const { file, into, blockBytes, recoveryBlocks } = input;
    const argv = ['par2', 'create', '-q', '-q', '-t1', '-n1', `-s${blockBytes}`, `-c${recoveryBlocks}`];
    argv.push('-B', dirname(file), '-a', join(into, `${basename(file)}.par2`), '--', file);
    await run(argv, { ...COMMON, signal });
  },

  async repair(input: { readonly folder: string; readonly name: string }, signal?: AbortSignal): Promise<boolean> {
    const { folder, name } = input;
    const argv = ['par2', 'repair', '-q', '-q', '-B', folder, '--', join(folder, `${name}.par2`)];
    const { status } = await run(argv, { ...COMMON, signal, statuses: [0, ...REPAIR_NOT_POSSIBLE] });
    return status === 0;
  },
};
