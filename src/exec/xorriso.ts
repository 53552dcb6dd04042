/** xorriso(1): ISO 9660 images, read and written as files. */
import { type RunOptions, run } from './run.ts';

/** An El Torito image: what the firmware starts. */
export interface BootImage {
  readonly platform: 'BIOS' | 'UEFI';
  readonly startBytes: number;
  /** In the tree; undefined where it lies in a partition behind it. */
  readonly path: string | undefined;
}

export interface IsoPartition {
  readonly number: number;
  /** As xorriso writes it. */
  readonly type: string;
  readonly startBytes: number;
  readonly sizeBytes: number;
}

export interface IsoFacts {
  /** YYYYMMDDhhmmsscc: loaders of some media look for the volume by it. Undefined where there is none. */
  readonly volumeDate: string | undefined;
  readonly bootImages: readonly BootImage[];
  /** Of the GPT, or else of the MBR. */
  readonly partitions: readonly IsoPartition[];
  /** Absolute paths of all regular files. */
  readonly files: ReadonlySet<string>;
}

export interface IsoChange {
  readonly from: string;
  readonly to: string;
  /** xorriso's own commands, between loading and writing. */
  readonly commands: readonly string[];
  /** Seconds. */
  readonly epoch: number;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS = {
  timeoutMs: 4 * 60 * 60 * 1000,
  maxOutputBytes: 256 * 1024 * 1024,
  debianPackage: 'xorriso',
  offline: true,
} satisfies RunOptions;
/** Nothing of the user's start-up files; and what xorriso is sorry for, as a boot image that it drops, is the end. */
const STRICT = ['xorriso', '-no_rc', '-report_about', 'SORRY', '-abort_on', 'SORRY', '-return_with', 'SORRY', '32'];
const BLOCK_BYTES = 2048;
const SECTOR_BYTES = 512;

export async function inspectIso(iso: string, signal?: AbortSignal): Promise<IsoFacts> {
  const reports = ['-report_el_torito', 'plain', '-report_system_area', 'plain', '-pvd_info'];
  const argv = [...STRICT, '-indev', iso, ...reports, '-find', '/', '-type', 'f', '-exec', 'echo', '--'];
  const lines = (await run(argv, { ...OPTIONS, signal })).stdout.toString('utf8').split('\n');
  const paths = new Map(matches(lines, /^El Torito img path : +(\d+) +(.*)$/).map(([, n, path]) => [n, path]));
  const bootImages = matches(lines, /^El Torito boot img : +(\d+) +(BIOS|UEFI) +y .* (\d+)$/).map(
    ([, n, platform, block]) => ({
      platform: platform as BootImage['platform'],
      startBytes: Number(block) * BLOCK_BYTES,
      path: paths.get(n),
    }),
  );
  return {
    volumeDate: matches(lines, /^Modif\. Time +: ([1-9]\d{15})$/)[0]?.[1],
    bootImages,
    partitions: partitionsOf(lines),
    files: new Set(matches(lines, /^'(.*)'$/).map(([, path]) => (path as string).replaceAll(`'"'"'`, "'"))),
  };
}

function partitionsOf(lines: readonly string[]): IsoPartition[] {
  const types = new Map(matches(lines, /^GPT type GUID +: +(\d+) +(\w+)$/).map(([, n, type]) => [n, type as string]));
  const part = (n: string, type: string, start: string, sectors: string): IsoPartition => ({
    number: Number(n),
    type,
    startBytes: Number(start) * SECTOR_BYTES,
    sizeBytes: Number(sectors) * SECTOR_BYTES,
  });
  const gpt = matches(lines, /^GPT start and size +: +(\d+) +(\d+) +(\d+)$/) as string[][];
  if (gpt.length > 0) return gpt.map(([, n = '', start = '', size = '']) => part(n, types.get(n) ?? '', start, size));
  const mbr = matches(lines, /^MBR partition +: +(\d+) +0x\w\w +(0x\w\w) +(\d+) +(\d+)$/) as string[][];
  return mbr.map(([, n = '', type = '', start = '', size = '']) => part(n, type, start, size));
}

function matches(lines: readonly string[], form: RegExp): RegExpExecArray[] {
  return lines.map((line) => form.exec(line)).filter((match) => match !== null);
}

/** Copies files out of the tree: path there → file here. */
export async function extractFromIso(
  iso: string,
  files: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  const pairs = [...files].flatMap(([path, file]) => ['-extract', path, file]);
  await run([...STRICT, '-osirrox', 'on:auto_chmod_on', '-indev', iso, ...pairs], { ...OPTIONS, signal });
}

/** Writes the image anew with changes, without a copy of what stays; it boots as it did. */
export async function changeIso({ from, to, commands, epoch, signal }: IsoChange): Promise<void> {
  // It ends with this process, even one that is killed: it writes for long.
  const xorriso = ['setpriv', '--pdeathsig', 'KILL', ...STRICT];
  const argv = [...xorriso, '-indev', from, '-outdev', to, '-boot_image', 'any', 'replay', ...commands];
  await run([...argv, '-volume_date', 'all_file_dates', 'set_to_mtime', '-commit'], {
    ...OPTIONS,
    env: { SOURCE_DATE_EPOCH: String(epoch) },
    signal,
  });
}
