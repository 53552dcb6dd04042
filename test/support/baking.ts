/** Bakes into a store, by the command, and finds what was baked. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
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

/** As another user of another machine would: on another date, with their umask, time zone, language, home and host name, and one CPU. */
export async function bakeElsewhere(
  { data, home }: { readonly data: string; readonly home: string },
  recipe: string,
  ...options: readonly string[]
): Promise<BakeReport> {
  const command = [...KUBEDOS, 'bake', recipe, '--json', '--quiet', '--data', data, ...options];
  const script =
    'umask 077; exec taskset --cpu-list 0 unshare --uts sh -c "hostname elsewhere; exec \\"\\$@\\"" sh "$@"';
  const PATH = `${await otherDate(home)}:${process.env.PATH}`;
  const { stdout } = await run(['sh', '-c', script, 'sh', ...command], {
    cwd: INSTALLATION,
    env: { TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: home, PATH },
    timeoutMs: 15 * MINUTE,
    maxOutputBytes: 16 << 20,
  });
  return imagesOf(stdout.toString())[0] as BakeReport;
}

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/**
 * A folder of commands before all others: what is built is built 400 days from now, outside of the root and inside. Times
 * of files stay those that they have.
 */
async function otherDate(home: string): Promise<string> {
  const folder = join(home, 'other-date');
  await mkdir(folder, { recursive: true });
  const fake = 'FAKETIME=+400d NO_FAKE_STAT=1 DONT_FAKE_MONOTONIC=1';
  const write = (name: string, lines: string) => writeFile(join(folder, name), `#!/bin/sh\n${lines}`, { mode: 0o755 });
  await write('unshare', `exec env LD_PRELOAD=${FAKETIME} ${fake} /usr/bin/unshare "$@"\n`);
  // /run is in memory where packages are installed and hooks run.
  await write(
    'chroot',
    `unset LD_PRELOAD
root=$1; shift
[ -d "$root/run/kubedos" ] || exec /usr/sbin/chroot "$root" "$@"
cp --no-clobber ${FAKETIME} "$root/run/"
# A root of few packages has no env(1) to say it by; chroot itself does not find the library, and says so.
exec env LD_PRELOAD=/run/${basename(FAKETIME)} ${fake} /usr/sbin/chroot "$root" "$@"
`,
  );
  return folder;
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
