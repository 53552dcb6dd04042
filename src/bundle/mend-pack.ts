/** Mends a damaged pack with the parity that lies on its neighbour, in scratch space: media are not written to. */
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../errors.ts';
import { BlockReader } from './block-reader.ts';
import { openOrdinary } from './documents.ts';
import type { FoundVolume } from './medium.ts';
import type { ParityTool } from './parity.ts';
import { isParityOf, parityGeometry, protectorOf } from './parity-geometry.ts';
import type { Bundle, PackPlan } from './types.ts';

export interface MendInput {
  readonly bundle: Bundle;
  readonly pack: PackPlan;
  readonly volume: number;
  /** The damaged file. */
  readonly file: string;
  readonly volumes: readonly FoundVolume[];
  readonly tool: ParityTool;
  /** A folder that is or can be made; it gets the mended pack and copies of the parity. */
  readonly into: string;
  readonly signal?: AbortSignal | undefined;
}

/** The mended file, which the caller still holds against the signed list; `undefined` where there is no parity or not enough. */
export async function mendPack(input: MendInput): Promise<string | undefined> {
  const { bundle, pack, into } = input;
  const { parityPercent, volumes } = bundle.root;
  if (parityPercent === 0) return undefined;
  try {
    await mkdir(into, { recursive: true });
    const { boundBytes } = parityGeometry(pack.sizeBytes, parityPercent);
    const holder = protectorOf(input.volume, volumes.length);
    let copied = 0;
    for (const { folder } of input.volumes.filter(({ volume }) => volume === holder)) {
      for (const name of await readdir(folder)) {
        if (isParityOf(name, pack.name) && (await salvage(join(folder, name), join(into, name), boundBytes)))
          copied += 1;
      }
    }
    const target = join(into, pack.name);
    if (copied === 0 || !(await salvage(input.file, target, pack.sizeBytes))) return undefined;
    return (await input.tool.repair({ folder: into, name: pack.name }, input.signal)) ? target : undefined;
  } catch (error) {
    throw storageError(`mend ${pack.name} in ${into}`, error);
  }
}

/** Copies what can be read; unreadable sectors become zeros. False if there is no such file, or one larger than any honest one. */
async function salvage(from: string, to: string, maxBytes: number): Promise<boolean> {
  const opened = await openOrdinary(from);
  if (opened === undefined) return false;
  const { handle, sizeBytes } = opened;
  try {
    if (sizeBytes > maxBytes) return false;
    const reader = new BlockReader(handle, { origin: from, sizeBytes });
    const target = await open(to, 'w', 0o644);
    try {
      for await (const chunk of reader.chunks(sizeBytes)) await target.writeFile(chunk);
      return true;
    } finally {
      await reader.settle();
      await target.close();
    }
  } finally {
    await handle.close();
  }
}
