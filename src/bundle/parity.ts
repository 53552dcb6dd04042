/** Parity of packs by an outside tool (par2), which the wiring passes in. */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError, storageError } from '../errors.ts';
import { hashHandle } from './contents-file.ts';
import { copyFileDurably, makeFolder } from './documents.ts';
import { isParityOf, parityGeometry } from './parity-geometry.ts';
import type { PackPlan, VolumeFile } from './types.ts';

/** What the bundle needs of par2; see exec/par2.ts. */
export interface ParityTool {
  /** Writes `<name of file>.par2` and `<name of file>.vol….par2` into the folder `into`. The same input gives the same bytes. */
  create(
    input: {
      readonly file: string;
      readonly into: string;
      readonly blockBytes: number;
      readonly recoveryBlocks: number;
    },
    signal?: AbortSignal,
  ): Promise<void>;
  /** Mends `folder/name` in place with the .par2 files beside it; false where more is lost than they can give back. */
  repair(input: { readonly folder: string; readonly name: string }, signal?: AbortSignal): Promise<boolean>;
}

/** Makes the parity of one pack in `scratch` and moves it into `folder`, durable but for the folder's own fsync. */
export async function writeParity(
  tool: ParityTool,
  input: {
    readonly pack: PackPlan;
    readonly file: string;
    readonly scratch: string;
    readonly folder: string;
    readonly percent: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<VolumeFile[]> {
  const { pack, scratch, folder } = input;
  const into = join(scratch, `parity-of-${pack.name}`);
  const { blockBytes, recoveryBlocks } = parityGeometry(pack.sizeBytes, input.percent);
  try {
    await rm(into, { recursive: true, force: true });
    await makeFolder(into);
    await tool.create({ file: input.file, into, blockBytes, recoveryBlocks }, input.signal);
    const names = (await readdir(into)).filter((name) => isParityOf(name, pack.name)).sort();
    if (names.length < 2) {
      throw new KubedosError('exec.failed', `make parity of ${pack.name}: par2 wrote ${names.join(', ') || 'nothing'}`);
    }
    const files: VolumeFile[] = [];
    for (const name of names) files.push(await placeFile(join(into, name), join(folder, name), name));
    return files;
  } catch (error) {
    throw storageError(`make parity of ${pack.name}`, error);
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

async function placeFile(from: string, to: string, name: string): Promise<VolumeFile> {
  await copyFileDurably(from, to);
  const handle = await open(to, 'r');
  try {
    const { size } = await handle.stat();
    return { name, sizeBytes: size, sha256: await hashHandle(handle, size) };
  } finally {
    await handle.close();
  }
}
