/** Writes some or all volumes of a prepared bundle: packs first, then what closes each, then reading back. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import type { OnEvent, Run } from '../progress.ts';
import { requireSpace } from '../store/space.ts';
import type { Store } from '../store/types.ts';
import { ContentsFile } from './contents-file.ts';
import { withBundleLock } from './ledger.ts';
import { CONTENTS_NAME, parseVolumeFolder } from './names.ts';
import type { ParityTool } from './parity.ts';
import type { Prepared } from './prepare.ts';
import { readBackVolume } from './read-back.ts';
import type { Bundle } from './types.ts';
import { remainingBytes } from './volume-space.ts';
import { closeVolume, folderOf, type VolumeJob, writePacks } from './volume-writer.ts';

export interface WrittenVolumes {
  readonly folders: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  /** Volume folders of other bundles in the target, left alone. */
  readonly foreign: readonly string[];
  /** False where the page cache may have answered the reading back; null without reading back. */
  readonly readBackDirect: boolean | null;
}

/** Goes on where a killed run stopped. One process at a time for each bundle. */
export async function writeVolumes(
  deps: { readonly store: Store; readonly parityTool?: ParityTool | undefined },
  wanted: {
    readonly prepared: Prepared;
    readonly to: string;
    readonly volumes: readonly number[];
    readonly readBack: boolean;
  },
  run: Run,
): Promise<WrittenVolumes> {
  const { prepared, to, volumes } = wanted;
  const { bundle } = prepared;
  if (bundle.root.parityPercent > 0 && deps.parityTool === undefined) {
    throw new KubedosError('exec.missing', 'write parity: no tool for it is at hand', { hint: 'apt-get install par2' });
  }
  return withBundleLock(deps.store, bundle.id, async () => {
    const foreign = await openTarget(to, bundle);
    for (const name of foreign) {
      run.onEvent?.({
        type: 'note',
        level: 'info',
        message: `${join(to, name)} belongs to another bundle: left alone`,
      });
    }
    const contents = await ContentsFile.open(join(prepared.folder, CONTENTS_NAME), bundle);
    if (contents === undefined) {
      throw new KubedosError('store.corrupt', `read the contents list of bundle ${bundle.id}: missing or damaged`, {
        hint: `remove ${prepared.folder} and export again`,
      });
    }
    try {
      const job = { store: deps.store, prepared, contents, to, parityTool: deps.parityTool, signal: run.signal };
      await requireSpace(to, await remainingBytes(job, volumes), `export bundle ${bundle.id}`);
      await writeAll({ ...job, onMember: memberCounter(bundle, volumes, run.onEvent) }, volumes);
      const readBackDirect = wanted.readBack ? await readAllBack(job, volumes, run) : null;
      const { objects, bytes } = bundle.root.contents;
      return { folders: volumes.map((volume) => folderOf(job, volume)), objects, bytes, foreign, readBackDirect };
    } finally {
      await contents.close();
    }
  });
}

/** All packs before any parity: the parity of the last volume's packs lies on the first volume. */
async function writeAll(job: VolumeJob, volumes: readonly number[]): Promise<void> {
  for (const volume of volumes) await writePacks(job, volume);
  for (const volume of volumes) await closeVolume(job, volume);
}

async function readAllBack(job: VolumeJob, volumes: readonly number[], run: Run): Promise<boolean> {
  run.onEvent?.({ type: 'phase', phase: 'read back' });
  let direct = true;
  for (const volume of volumes) direct = (await readBackVolume(job, volume, run)) && direct;
  if (!direct) {
    const message =
      'read back: this file system cannot be read past the page cache; unmount, mount and run `kubedos bundle verify`';
    run.onEvent?.({ type: 'note', level: 'warn', message });
  }
  return direct;
}

function memberCounter(
  bundle: Bundle,
  volumes: readonly number[],
  onEvent: OnEvent | undefined,
): (bytes: number) => void {
  const packs = volumes.flatMap((volume) => bundle.root.volumes[volume - 1]?.packs ?? []);
  const total = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  onEvent?.({
    type: 'phase',
    phase: 'write volumes',
    files: packs.reduce((sum, one) => sum + one.members, 0),
    bytes: total,
  });
  let files = 0;
  let bytes = 0;
  return (count) => {
    files += 1;
    bytes += count;
    onEvent?.({ type: 'advance', files, bytes });
  };
}

/** Makes the target and names the volumes of other bundles in it. */
async function openTarget(to: string, bundle: Bundle): Promise<string[]> {
  try {
    await mkdir(to, { recursive: true });
    const names = await readdir(to);
    return names.filter((name) => (parseVolumeFolder(name)?.id ?? bundle.id) !== bundle.id).sort();
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw new KubedosError('usage.argument', `export to ${to}: it is not a folder`);
    throw storageError(`export to ${to}`, error);
  }
}
