/** Sender's side: a signed bundle in volumes, from snapshots of the store. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import type { OnEvent, Run } from '../progress.ts';
import type { Snapshot, Store } from '../store/types.ts';
import type { SigningKey } from '../trust/types.ts';
import { ContentsFile } from './contents-file.ts';
import { chooseBase, type ExportBase } from './export-base.ts';
import { previousExport, readLedger, updateLedger, withBundleLock } from './ledger.ts';
import { CONTENTS_NAME, parseVolumeFolder } from './names.ts';
import type { ParityTool } from './parity.ts';
import {
  type CarriedRoot,
  type PlanSummary,
  type Prepared,
  type PrepareInput,
  prepareBundle,
  summarizeBundle,
} from './prepare.ts';
import { readBackVolume } from './read-back.ts';
import { requireSpace } from './space.ts';
import { type Bundle, DEFAULT_PACK_BYTES, MAX_FILE_BYTES } from './types.ts';
import { remainingBytes } from './volume-space.ts';
import { closeVolume, folderOf, type VolumeJob, writePacks } from './volume-writer.ts';

export interface ExportDeps {
  readonly store: Store;
  readonly signer: SigningKey;
  /** The store's own chain of trusted roots, oldest first. */
  readonly roots: readonly CarriedRoot[];
  /** OpenPGP packets of the public keys of the newest root, for gpgv. */
  readonly senderKeys: Uint8Array;
  readonly now: () => Date;
  /** Needed with `parityPercent` only. */
  readonly parityTool?: ParityTool | undefined;
}

export interface ExportOptions {
  readonly to: string;
  /** References as `snapshots.resolve` takes them. */
  readonly snapshots?: readonly string[] | undefined;
  /** Channels that travel along with the snapshots they point at. */
  readonly channels?: readonly string[] | undefined;
  /** What the receiver holds: a snapshot, or its receipt. Without it the bundle is full. */
  readonly base?: ExportBase | undefined;
  /** Largest volume; default: no limit. */
  readonly volumeSizeBytes?: number | undefined;
  readonly packSizeBytes?: number | undefined;
  /** Whole per cent; 0 by default. */
  readonly parityPercent?: number | undefined;
  /** Store id of the only receiver. */
  readonly audience?: string | undefined;
  /** From the time of the newest snapshot on; without it the bundle does not expire. */
  readonly expiresAfterDays?: number | undefined;
  /** Read everything back past the page cache; default true. */
  readonly readBack?: boolean | undefined;
}

export interface ExportReport {
  readonly bundle: Bundle;
  readonly base: string | null;
  readonly folders: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  /** Volume folders of other bundles in the target, left alone. */
  readonly foreign: readonly string[];
  /** False where the page cache may have answered the reading back; null without reading back. */
  readonly readBackDirect: boolean | null;
}

const NO_LIMIT = 2 ** 52;

/** What `exportBundle` would write: sizes of packs and volumes. Changes nothing. */
export async function planExport(
  deps: ExportDeps,
  options: ExportOptions,
  run: Run,
): Promise<PlanSummary & { readonly base: string | null }> {
  const input = await inputOf(deps, options, run);
  return { ...(await summarizeBundle(input)), base: input.base?.id ?? null };
}

/**
 * Writes the volumes as folders in `to`. Killed or out of space, the same command goes on; repeated after the end it
 * finds all done. Acknowledges nothing: the base moves forward by the receiver's receipt alone.
 */
export async function exportBundle(deps: ExportDeps, options: ExportOptions, run: Run): Promise<ExportReport> {
  const input = await inputOf(deps, options, run);
  run.onEvent?.({ type: 'phase', phase: 'plan the bundle' });
  const prepared = await prepareBundle(input);
  const { bundle } = prepared;
  const all = bundle.root.volumes.map((_, index) => index + 1);
  const report = await writeVolumes(
    deps,
    { prepared, to: options.to, volumes: all, readBack: options.readBack ?? true },
    run,
  );
  const record = { bundle: bundle.sha256, sequence: bundle.root.sequence, audience: bundle.root.audience };
  await updateLedger(deps.store, (ledger) => {
    if (ledger.exports.some((one) => one.bundle === bundle.sha256)) return ledger;
    const time = `${deps.now().toISOString().slice(0, 19)}Z`;
    return { ...ledger, exports: [...ledger.exports, { ...record, time }] };
  });
  return { bundle, base: input.base?.id ?? null, ...report };
}

type WriteReport = Pick<ExportReport, 'folders' | 'objects' | 'bytes' | 'foreign' | 'readBackDirect'>;

/** Some or all volumes of a prepared bundle. */
export async function writeVolumes(
  deps: Pick<ExportDeps, 'store' | 'parityTool'>,
  wanted: {
    readonly prepared: Prepared;
    readonly to: string;
    readonly volumes: readonly number[];
    readonly readBack: boolean;
  },
  run: Run,
): Promise<WriteReport> {
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

async function inputOf(deps: ExportDeps, options: ExportOptions, run: Run): Promise<PrepareInput> {
  const { store } = deps;
  const { snapshots, channels } = await chooseSnapshots(store, options);
  const base = await chooseBase(store, options.base);
  const audience = options.audience ?? null;
  const newest = snapshots.at(-1)?.document.sequence ?? 0;
  const previous = previousExport(await readLedger(store), audience, newest);
  const packBytes = options.packSizeBytes ?? DEFAULT_PACK_BYTES;
  if (packBytes > MAX_FILE_BYTES) {
    throw new KubedosError(
      'usage.argument',
      `export in packs of ${packBytes} bytes: at most 4 GiB - 1 (FAT32 holds no larger file)`,
    );
  }
  const parityPercent = options.parityPercent ?? 0;
  if (!Number.isInteger(parityPercent) || parityPercent < 0 || parityPercent > 100) {
    throw new KubedosError('usage.argument', `export with parity of ${parityPercent}: whole per cent from 0 to 100`);
  }
  return {
    store,
    signer: deps.signer,
    roots: deps.roots,
    senderKeys: deps.senderKeys,
    snapshots,
    channels,
    base,
    audience,
    previous: previous === undefined ? null : { sequence: previous.sequence, sha256: previous.bundle },
    expiresAfterDays: options.expiresAfterDays,
    sizes: { volumeBytes: options.volumeSizeBytes ?? NO_LIMIT, packBytes, parityPercent },
    signal: run.signal,
  };
}

/** Each snapshot once, ascending by sequence; all of them this store's own. */
async function chooseSnapshots(
  store: Store,
  options: ExportOptions,
): Promise<{ snapshots: Snapshot[]; channels: Record<string, string> }> {
  const chosen = new Map<string, Snapshot>();
  const channels: Record<string, string> = {};
  for (const name of options.channels ?? []) {
    const channel = await store.channels.read(name);
    if (channel === undefined)
      throw new KubedosError('store.not-found', `export channel ${name}: there is none of that name`);
    const snapshot = await store.snapshots.resolve(channel.snapshot);
    channels[name] = snapshot.id;
    chosen.set(snapshot.id, snapshot);
  }
  for (const reference of options.snapshots ?? []) {
    const snapshot = await store.snapshots.resolve(reference);
    chosen.set(snapshot.id, snapshot);
  }
  if (chosen.size === 0) {
    throw new KubedosError('usage.argument', 'export: no snapshot and no channel given', {
      hint: 'give --channel or --snapshot',
    });
  }
  for (const { id, document } of chosen.values()) {
    if (document.store === store.identity.id) continue;
    throw new KubedosError(
      'usage.argument',
      `export snapshot ${id}: it was made by store ${document.store}, not by this one`,
      {
        hint: 'to pass on what came from elsewhere, copy the folders of its bundle as they are',
      },
    );
  }
  const snapshots = [...chosen.values()].sort((a, b) => a.document.sequence - b.document.sequence);
  return { snapshots, channels };
}
