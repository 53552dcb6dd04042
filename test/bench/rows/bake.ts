import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecipe } from '../../../src/spec/recipe-spec.ts';
import { INSTALLATION } from '../../../src/wiring.ts';
import { connectedStore } from '../../support/real-debian.ts';
import { type Command, type Compared, compare, shell, timed } from '../measure.ts';
import { kubedosCommand, peakOfProcess, runCommand, serveStore } from '../tools.ts';
import { type Bench, type Figure, figure, megabytes, type Row, seconds } from '../types.ts';

const MIRROR = 'debian-12-bootable';
const PAYLOAD_FILES = 10;
const PAYLOAD_FILE_MIB = 1024;
const ROLES = 8;

export const bake: Row = {
  name: 'bake',
  about:
    'a node of Debian 12 as an image, cold and warm, eight roles at once, and an installer with 10 GiB of payload; needs root and 50 GB',
  onDemand: true,
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const data = join(folder, 'data');
    const kubedos = (...args: string[]): Promise<string> => runCommand(kubedosCommand(data, ...args));
    say('sync');
    await runCommand({ argv: ['cp', '-a', await connectedStore(), data] });
    const layers = join(data, 'cache', 'layers');
    const removeLayers =
      (kept: readonly string[] = []) =>
      async (): Promise<void> => {
        for (const name of await readdir(layers).catch(() => []))
          if (!kept.includes(name)) await rm(join(layers, name));
      };
    say('a node, cold');
    const server = await serveStore(data);
    const cold = await compare(
      3,
      { ...kubedosCommand(data, 'bake', 'node', '--output', 'raw'), before: removeLayers() },
      await mmdebstrap(data, { folder, url: server.url }),
    ).finally(() => server.stop());
    await removeLayers()();
    await kubedos('bake', 'base', '--output', 'raw');
    const base = await readdir(layers);
    say('a node, on its base');
    const node = kubedosCommand(data, 'bake', 'node', '--output', 'raw');
    await removeLayers(base)();
    const warm = await timed(node);
    await removeLayers(base)();
    const peak = await peakOfProcess(node);
    say('a role, on its node');
    const roles = await roleRecipes(folder);
    const role = await timed(kubedosCommand(data, 'bake', roles[0] as string, '--output', 'raw'));
    say('eight roles');
    const peakOfRoles = await peakOfProcess(kubedosCommand(data, 'bake', ...roles, '--output', 'raw'));
    say('an installer with a payload');
    const iso = await installer(data, folder);
    return [
      figure(
        'bake a node of Debian 12, cold, to a raw disk',
        'mmdebstrap of the same packages, to a folder',
        cold,
        1 / 1.3,
      ),
      onWarmBase('bake node on its base, to a raw disk', warm),
      onWarmBase('bake a role on its node, to a raw disk', role),
      memory('bake node: memory of our own process', peak),
      memory(`bake ${ROLES} roles by one command: memory of our own process`, peakOfRoles),
      figure(`installer ISO with ${PAYLOAD_FILES} GiB of payload, hashed`, 'xorriso, sha256sum', iso, 0.9),
    ];
  },
};

function onWarmBase(work: string, { seconds: taken }: { readonly seconds: number }): Figure {
  return {
    ...{ work, ours: seconds(taken), against: '–', theirs: '' },
    ...{ reach: '≤ 10 s', reached: taken <= 10 },
  };
}

function memory(work: string, peak: number): Figure {
  return {
    ...{ work, ours: megabytes(peak), against: '–', theirs: '' },
    ...{ reach: '≤ 300 MB', reached: peak <= 300e6 },
  };
}

/** On top of node, each with something of its own. */
function roleRecipes(folder: string): Promise<string[]> {
  const recipes = Array.from({ length: ROLES }, async (_, at) => {
    const file = join(folder, `role-${at}.yaml`);
    const hook = `{ name: mark, run: 'echo ${at} > /etc/role' }`;
    await writeFile(file, `name: role-${at}\nextends: node\npackages: [iputils-ping]\nhooks: [${hook}]\n`);
    return file;
  });
  return Promise.all(recipes);
}

/** As a user would call it, of this store's own server. */
async function mmdebstrap(
  data: string,
  { folder, url }: { readonly folder: string; readonly url: string },
): Promise<Command> {
  const recipes = ['base', 'node'].map(async (name) => {
    const file = join(INSTALLATION, 'recipes', `${name}.yaml`);
    return parseRecipe(await readFile(file, 'utf8'), file).packages;
  });
  const packages = (await Promise.all(recipes)).flat();
  const sources = await runCommand(kubedosCommand(data, 'client-config', MIRROR, '--url', url));
  const root = join(folder, 'mmdebstrap');
  const options = ['--variant=minbase', '--aptopt=APT::Install-Recommends "false"', `--include=${packages.join(',')}`];
  return {
    argv: shell(
      'root=$1; shift; printf "%s" "$1" | { shift; mmdebstrap --quiet "$@" bookworm "$root" -; }',
      root,
      sources,
      ...options,
    ),
    before: () => rm(root, { recursive: true, force: true }),
  };
}

/** The same files, into an ISO of the same kind; both know its SHA-256 in the end. */
async function installer(data: string, folder: string): Promise<Compared> {
  const payload = join(folder, 'payload');
  const make = 'mkdir "$1"; for n in $(seq "$2"); do head -c "$3M" /dev/urandom > "$1/file-$n"; done';
  await runCommand({ argv: shell(make, payload, String(PAYLOAD_FILES), String(PAYLOAD_FILE_MIB)) });
  const kubedos = (...args: string[]): Promise<string> => runCommand(kubedosCommand(data, ...args));
  await kubedos('repo', 'create', 'payload', '--type', 'files');
  await kubedos('repo', 'add', 'payload', ...(await readdir(payload)).map((name) => join(payload, name)));
  await kubedos('snapshot', 'create', '--mirror', MIRROR, 'payload', '--channel', 'payload');
  const recipe = join(folder, 'carrier.yaml');
  await runCommand({
    argv: shell('printf "name: carrier\\nextends: node\\ninstaller: { payload: [payload] }\\n" > "$1"', recipe),
  });
  const bakeCarrier = (...outputs: string[]) =>
    kubedosCommand(data, 'bake', recipe, '--channel', 'payload', '--output', ...outputs);
  // Layers are there, as where one more medium is made of a system.
  await runCommand(bakeCarrier('raw'));
  const out = join(folder, 'plain.iso');
  const theirs = 'xorriso -as mkisofs -quiet -r -iso-level 3 -o "$2" "$1" 2> /dev/null; sha256sum "$2"; sync -f "$2"';
  const remove = (name: string) => async (): Promise<void> => {
    await runCommand(kubedosCommand(data, 'mirror', 'remove', name, '--yes'));
    await runCommand(kubedosCommand(data, 'store', 'gc', '--grace', '0', '--yes'));
  };
  return compare(1, { ...bakeCarrier('iso'), before: remove('image-carrier') }, { argv: shell(theirs, payload, out) });
}
