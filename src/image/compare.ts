/** In what two makings of an artifact differ, as far as can be told. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { explainDifference } from '../exec/diffoscope.ts';
import type { convertImage } from '../exec/qemu-img.ts';
import type { runSealed } from '../exec/sealed.ts';
import type { unpackFile } from '../exec/tar.ts';
import { COMPARE_SCRIPT } from './compare-script.ts';
import { type DiskLayout, mountedPlaces } from './disk-layout.ts';

export interface CompareDeps {
  readonly runSealed: typeof runSealed;
  readonly convertImage: typeof convertImage;
  readonly unpackFile: typeof unpackFile;
  readonly explainDifference: typeof explainDifference;
}

/** A file of a disk, on one side (`-` kept, `+` built again) as it is there. */
export interface FileDifference {
  readonly side: '-' | '+';
  readonly path: string;
  /** Kind, mode, owner, time, where a link points, SHA-256. */
  readonly facts: string;
}

export interface Explanation {
  readonly files: readonly FileDifference[];
  /** What else can be said, with the words of diffoscope. */
  readonly text: string;
}

export interface Pair {
  readonly kept: string;
  readonly built: string;
  /** Of the list: its ending says what it is. */
  readonly path: string;
  /** Of disks. */
  readonly layout: DiskLayout;
  /** To work in; is there. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

const MAX_FILES = 100;
/** Forms of a disk that qemu-img reads, by ending, and what it calls them. */
const DISK_FORMATS: Readonly<Record<string, string>> = { raw: 'raw', qcow2: 'qcow2', vmdk: 'vmdk', vhd: 'vpc' };
const PACKED = '.tar.gz';
const CONTAINER = '.oci.tar';

export function isDisk(path: string): boolean {
  return formatOf(path) !== undefined || path.endsWith(PACKED);
}

function formatOf(path: string): string | undefined {
  return DISK_FORMATS[path.slice(path.lastIndexOf('.') + 1)];
}

/** The raw disk that is in it. */
async function diskOf(deps: CompareDeps, file: string, { path, folder, signal }: Pair): Promise<string> {
  const format = formatOf(path);
  if (format === 'raw') return file;
  await mkdir(folder);
  if (format === undefined) return deps.unpackFile(file, 'disk.raw', folder, signal);
  const to = join(folder, 'disk.raw');
  await deps.convertImage(file, to, { sourceFormat: format, format: 'raw', signal });
  return to;
}

/** The one layer of a container, which is named by what is in it. */
async function layerOf(deps: CompareDeps, archive: string, folder: string, signal?: AbortSignal): Promise<string> {
  await mkdir(folder);
  const manifest = await readFile(await deps.unpackFile(archive, 'manifest.json', folder, signal), 'utf8');
  return deps.unpackFile(archive, JSON.parse(manifest)[0].Layers[0], folder, signal);
}

/**
 * Disks by their file systems, file by file, and then the files that differ by diffoscope: of a whole disk it sees bytes
 * alone, since it reads file systems by libguestfs only. Containers by their layers, which it would not pair, and else, as
 * other artifacts, as they are.
 */
export async function explain(deps: CompareDeps, pair: Pair): Promise<Explanation> {
  const { kept, built, path, folder, signal } = pair;
  if (path.endsWith(CONTAINER)) {
    const before = await layerOf(deps, kept, join(folder, 'kept'), signal);
    const after = await layerOf(deps, built, join(folder, 'built'), signal);
    const text = await deps.explainDifference(before, after, signal);
    if (text !== '') return { files: [], text };
  }
  if (!isDisk(path)) return { files: [], text: await deps.explainDifference(kept, built, signal) };
  const disks = [
    await diskOf(deps, kept, { ...pair, folder: join(folder, 'kept') }),
    await diskOf(deps, built, { ...pair, folder: join(folder, 'built') }),
  ];
  const work = join(folder, 'trees');
  await mkdir(work);
  const places = mountedPlaces(pair.layout);
  await writeFile(join(work, 'places'), places.map((at) => `${at.start} ${at.bytes} ${at.mount}\n`).join(''));
  const args = [work, ...disks, String(MAX_FILES)];
  const lines = (await deps.runSealed({ script: COMPARE_SCRIPT, args, cwd: work, signal })).trim().split('\n');
  const rows = lines.map((line) => line.split('\t'));
  if (rows[0]?.[0] === 'cmp') return { files: [], text: placeOf(Number(rows[0][1]) - 1, pair.layout) };
  const files = rows.flatMap(([side, name, ...facts]): FileDifference[] =>
    (side === '-' || side === '+') && name !== undefined ? [{ side, path: name, facts: facts.join(' ').trim() }] : [],
  );
  return { files, text: await deps.explainDifference(join(work, '1'), join(work, '2'), signal) };
}

function placeOf(offset: number, { own, root }: DiskLayout): string {
  const at = [...own, root].find(({ start, bytes }) => offset >= start && offset < start + bytes);
  const where = at === undefined ? 'in the partition table or in what boots' : `behind the files of ${at.name}`;
  return `the file systems hold the same; the disks differ from byte ${offset} on, ${where}`;
}
