/** Writes one volume, in two steps that each go on where a killed run stopped: its packs, then what closes it. */

import { hash } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { withScratch } from '../store/scratch.ts';
import type { Store } from '../store/types.ts';
import type { ContentsFile } from './contents-file.ts';
import { documentNames } from './document-names.ts';
import { copyDocuments, hashDocuments } from './document-set.ts';
import { makeFolder, readOrdinary, syncFolder, writeFileDurably } from './documents.ts';
import { Journal } from './journal.ts';
import { SUMS_NAME, VOLUME_NAME, volumeFolder } from './names.ts';
import { writePack } from './pack-writer.ts';
import { type ParityTool, writeParity } from './parity.ts';
import { isParityOf, protectedBy } from './parity-geometry.ts';
import type { Prepared } from './prepare.ts';
import { type Bundle, type PackPlan, VOLUME_FORMAT, type VolumeDocument, type VolumeFile } from './types.ts';
import { MAX_VOLUME_BYTES, parseVolume, sumsText, volumeBytes } from './volume-document.ts';

export interface VolumeJob {
  readonly store: Store;
  readonly prepared: Prepared;
  /** Of the prepared bundle; opened once for all packs. */
  readonly contents: ContentsFile;
  readonly to: string;
  readonly parityTool: ParityTool | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onMember?: ((bytes: number) => void) | undefined;
}

export function folderOf(job: Pick<VolumeJob, 'prepared' | 'to'>, volume: number): string {
  return join(job.to, volumeFolder(job.prepared.bundle.id, volume));
}

/** The finished volume's document, if all its files are there with their sizes. */
export async function finishedVolume(folder: string, bundle: Bundle): Promise<VolumeDocument | undefined> {
  const bytes = await readOrdinary(join(folder, VOLUME_NAME), MAX_VOLUME_BYTES);
  if (bytes === undefined) return undefined;
  try {
    const document = parseVolume(bytes, bundle, join(folder, VOLUME_NAME));
    const whole = await Promise.all([...document.packs, ...document.parity].map((one) => hasSize(folder, one)));
    return whole.every(Boolean) ? document : undefined;
  } catch (error) {
    if (error instanceof KubedosError && error.code === 'bundle.invalid') return undefined;
    throw error;
  }
}

async function hasSize(folder: string, file: { readonly name: string; readonly sizeBytes: number }): Promise<boolean> {
  const stats = await stat(join(folder, file.name)).catch(() => undefined);
  return stats?.isFile() === true && stats.size === file.sizeBytes;
}

/** Documents and packs of a volume. Packs that the journal knows with their right size are kept. */
export async function writePacks(job: VolumeJob, volume: number): Promise<void> {
  const folder = folderOf(job, volume);
  const { bundle } = job.prepared;
  if ((await finishedVolume(folder, bundle)) !== undefined) return;
  await makeFolder(folder);
  await syncFolder(job.to);
  const journal = await Journal.open(folder);
  await copyDocuments(job.prepared.folder, folder, documentNames(bundle.root));
  for (const pack of packsOf(bundle, volume)) {
    if (await journal.holds(pack)) continue;
    const written = await writePackTo(job, pack, join(folder, pack.name));
    await syncFolder(folder);
    await journal.add(written);
  }
}

/** Parity of the neighbour, checksums, and volume.json as the last. */
export async function closeVolume(job: VolumeJob, volume: number): Promise<VolumeDocument> {
  const folder = folderOf(job, volume);
  const { bundle } = job.prepared;
  const finished = await finishedVolume(folder, bundle);
  if (finished !== undefined) {
    // Killed after volume.json and before this, an earlier run left it.
    await rm(join(folder, Journal.NAME), { force: true });
    return finished;
  }
  const journal = await Journal.open(folder);
  const parity = bundle.root.parityPercent === 0 ? [] : await parityFor(job, volume, journal);
  const documents = await hashDocuments(job.prepared.folder, documentNames(bundle.root));
  const document: VolumeDocument = {
    format: VOLUME_FORMAT,
    bundle: bundle.sha256,
    volume,
    of: bundle.root.volumes.length,
    documents,
    packs: packsOf(bundle, volume).map((pack) => journal.require(pack)),
    parity: parity.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
  const bytes = volumeBytes(document);
  const own = { name: VOLUME_NAME, sha256: hash('sha256', bytes, 'hex') };
  const sums = sumsText([...documents, ...document.packs, ...document.parity, own]);
  await writeFileDurably(join(folder, SUMS_NAME), sums);
  await writeFileDurably(join(folder, VOLUME_NAME), bytes);
  await rm(join(folder, Journal.NAME), { force: true });
  await syncFolder(folder);
  return document;
}

/** Packs of the neighbour come from its folder beside this one; where that is not at hand they are made again in scratch space. */
async function parityFor(job: VolumeJob, volume: number, journal: Journal): Promise<VolumeFile[]> {
  const { bundle } = job.prepared;
  const { parityTool } = job;
  if (parityTool === undefined) throw new KubedosError('internal.bug', 'make parity without a tool');
  const neighbour = protectedBy(volume, bundle.root.volumes.length);
  const beside = folderOf(job, neighbour);
  const files: VolumeFile[] = [];
  for (const pack of packsOf(bundle, neighbour)) {
    const known = journal.files.filter(({ name }) => isParityOf(name, pack.name));
    const whole = await Promise.all(known.map((one) => journal.holds(one)));
    if (known.length >= 2 && whole.every(Boolean)) {
      files.push(...known);
      continue;
    }
    const made = await withScratch(job.store, 'parity', async (scratch) => {
      await makeFolder(scratch);
      let file = join(beside, pack.name);
      if (!(await hasSize(beside, pack))) {
        file = join(scratch, pack.name);
        await writePackTo({ ...job, onMember: undefined }, pack, file);
      }
      const { signal } = job;
      const percent = bundle.root.parityPercent;
      return writeParity(parityTool, { pack, file, scratch, folder: folderOf(job, volume), percent, signal });
    });
    await syncFolder(folderOf(job, volume));
    for (const one of made) await journal.add(one);
    files.push(...made);
  }
  return files;
}

async function writePackTo(job: VolumeJob, pack: PackPlan, file: string): Promise<VolumeFile> {
  const { bundle } = job.prepared;
  const written = await writePack(file, {
    objects: job.store.objects,
    members: job.contents.members(packNumber(pack)),
    extentBytes: bundle.root.extentBytes,
    mtime: Date.parse(bundle.root.time) / 1000,
    signal: job.signal,
    onMember: job.onMember,
  });
  if (written.sizeBytes !== pack.sizeBytes) {
    throw new KubedosError('internal.bug', `write ${pack.name}: ${written.sizeBytes} bytes, planned ${pack.sizeBytes}`);
  }
  return { name: pack.name, ...written };
}

export function packsOf(bundle: Bundle, volume: number): readonly PackPlan[] {
  return bundle.root.volumes[volume - 1]?.packs ?? [];
}

export function packNumber(pack: { readonly name: string }): number {
  return Number(pack.name.slice('pack-'.length, -'.tar'.length));
}
