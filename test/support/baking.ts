/** Bakes into a store, by the command, and finds what was baked. */
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/exec/run.ts';
import { INSTALLATION } from '../../src/wiring.ts';
import { KUBEDOS } from './command-line.ts';
import { kubedos, MINUTE } from './real-debian.ts';

export interface BakeReport {
  readonly image: string;
  readonly changed: boolean;
  readonly artifacts: readonly { readonly path: string; readonly sha256: string; readonly sizeBytes: number }[];
}

export async function bakeIn(data: string, recipe: string, ...options: readonly string[]): Promise<BakeReport> {
  const [image] = await bakeAllIn(data, [recipe], ...options);
  return image as BakeReport;
}

/** By one command. */
export async function bakeAllIn(
  data: string,
  recipes: readonly string[],
  ...options: readonly string[]
): Promise<BakeReport[]> {
  return imagesOf(await kubedos(data, 'bake', ...recipes, '--json', '--quiet', ...options));
}

function imagesOf(json: string): BakeReport[] {
  return (JSON.parse(json) as { images: BakeReport[] }).images;
}

/** As another user of another machine would: with their umask, time zone, language, home and host name, and one CPU. */
export async function bakeElsewhere(
  { data, home }: { readonly data: string; readonly home: string },
  recipe: string,
  ...options: readonly string[]
): Promise<BakeReport> {
  const command = [...KUBEDOS, 'bake', recipe, '--json', '--quiet', '--data', data, ...options];
  const script =
    'umask 077; exec taskset --cpu-list 0 unshare --uts sh -c "hostname elsewhere; exec \\"\\$@\\"" sh "$@"';
  const { stdout } = await run(['sh', '-c', script, 'sh', ...command], {
    cwd: INSTALLATION,
    env: { TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: home },
    timeoutMs: 15 * MINUTE,
    maxOutputBytes: 16 << 20,
  });
  return imagesOf(stdout.toString())[0] as BakeReport;
}

/** The artifact with this ending, as a file of its name in the folder `dir`. */
export async function artifactFile(
  { artifacts }: BakeReport,
  ending: string,
  { data, dir }: { readonly data: string; readonly dir: string },
): Promise<string> {
  const found = artifacts.find(({ path }) => path.endsWith(`.${ending}`));
  if (found === undefined) throw new Error(`no ${ending} was baked`);
  const file = join(dir, found.path);
  await rm(file, { force: true });
  await symlink(join(data, 'objects', found.sha256.slice(0, 2), found.sha256), file);
  return file;
}
