/** A layer for each recipe of a chain, made once and kept in cache/layers under a key of all that goes into it. */
import { hash } from 'node:crypto';
import { chmod, mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { runSealed } from '../exec/sealed.ts';
import type { Run } from '../progress.ts';
import type { Recipe, RecipeBase } from '../spec/recipe-spec.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import { withScratch } from '../store/scratch.ts';
import type { SnapshotMirror, Store } from '../store/types.ts';
import { layerScript } from './layer-script.ts';
import { runOnLayers } from './layers-script.ts';
import { makeView } from './mirror-view.ts';
import type { FoundRecipe } from './recipe-chain.ts';

export interface LayerDeps {
  readonly store: Pick<Store, 'objects' | 'file'>;
  readonly runSealed: typeof runSealed;
  /** The lines of a client, where the mirror lies below this URL. */
  readonly sources: (mirror: SnapshotMirror, url: string) => Promise<string>;
  /** By file: those that are being built, for others that want the same. */
  readonly underWay: Map<string, Promise<void>>;
}

export interface Layer {
  /** SHA-256 of all that it is made of. */
  readonly key: string;
  readonly file: string;
}

export interface LayerRequest {
  readonly level: FoundRecipe;
  readonly base: RecipeBase;
  readonly mirrors: readonly SnapshotMirror[];
  /** Seconds: nothing in the layer is younger. */
  readonly epoch: number;
  /** The lowest first. */
  readonly below: readonly Layer[];
}

/** Of the way in which layers are made: another one makes other layers. */
const FORMAT = 'kubedos-layer/2';
/** Where apt finds the mirrors while packages are installed. */
const INSIDE = '/run/kubedos/repos';

export async function layerOf(deps: LayerDeps, request: LayerRequest, run: Run = {}): Promise<Layer> {
  const { level } = request;
  const contents = new Map<string, Buffer>();
  for (const { path, source } of level.recipe.files)
    if (source !== undefined) contents.set(path, await level.read(source));
  const key = layerKey(request, contents);
  const file = await deps.store.file('cache', 'layers', `${key}.squashfs`);
  let made = deps.underWay.get(file);
  if (made === undefined) {
    made = keepLayer(deps, { request, contents, file }, run).finally(() => deps.underWay.delete(file));
    deps.underWay.set(file, made);
  }
  await made;
  return { key, file };
}

async function keepLayer(
  deps: LayerDeps,
  { file, ...parts }: Omit<Preparation, 'folder'> & { readonly file: string },
  run: Run,
): Promise<void> {
  if (await isKept(file)) return;
  run.onEvent?.({ type: 'phase', phase: `build ${parts.request.level.recipe.name}`, files: 1 });
  await mkdir(dirname(file), { recursive: true });
  await withScratch(deps.store, 'bake', async (folder) => {
    await prepare(deps, { ...parts, folder }, run);
    await build(deps, { request: parts.request, folder }, run);
    await rename(join(folder, 'layer.squashfs'), file);
  });
  run.onEvent?.({ type: 'advance', files: 1, bytes: 0 });
}

function layerKey({ level, base, mirrors, epoch, below }: LayerRequest, contents: ReadonlyMap<string, Buffer>): string {
  const {
    description,
    name,
    outputs,
    disk,
    cmdline,
    build: _,
    payload,
    oci,
    installer,
    media,
    ...recipe
  } = level.recipe;
  const parts = {
    format: FORMAT,
    recipe,
    contents: [...contents].map(([path, bytes]) => [path, hash('sha256', bytes)]),
    base,
    mirrors: mirrors.map(({ name, manifest }) => [name, manifest.root]),
    epoch,
    below: below.at(-1)?.key ?? null,
  };
  return hash('sha256', canonicalJson(parts));
}

/** Also says that it was used: what nobody used for a month may be collected. */
async function isKept(file: string): Promise<boolean> {
  const now = new Date();
  return utimes(file, now, now).then(
    () => true,
    () => false,
  );
}

interface Preparation {
  readonly request: LayerRequest;
  readonly contents: ReadonlyMap<string, Buffer>;
  readonly folder: string;
}

async function prepare(deps: LayerDeps, { request, contents, folder }: Preparation, { signal }: Run): Promise<void> {
  const { level, mirrors, base } = request;
  const { recipe } = level;
  for (const name of ['files', 'keys', 'hooks']) await mkdir(join(folder, name), { recursive: true });
  const sources = { host: '', inside: '' };
  for (const mirror of mirrors) {
    const place = join(folder, 'repos', mirror.name);
    await makeView(deps.store.objects, mirror.manifest.root, { folder: place, signal });
    if (base.distribution === 'el') sources.host += `${await deps.sources(mirror, `file://${place}/`)}\n`;
    else {
      sources.host += `${await deps.sources(mirror, `copy:${place}/`)}\n`;
      sources.inside += `${await deps.sources(mirror, `file:${INSIDE}/${mirror.name}/`)}\n`;
    }
  }
  const lines = (list: readonly string[]): string => list.map((each) => `${each}\n`).join('');
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await write('sources.host', sources.host);
  await write('sources.inside', sources.inside);
  await write('packages', lines(recipe.packages));
  await write('enable', lines(recipe.enable));
  await write('mask', lines(recipe.mask));
  await write('users', lines(recipe.users.map(userLine)));
  for (const { name, keys } of recipe.users) await write(join('keys', name), lines(keys));
  for (const [at, { name, run }] of recipe.hooks.entries())
    await write(join('hooks', `${String(at).padStart(3, '0')}-${name}`), run);
  for (const file of filesOf(recipe)) await placeFile(join(folder, 'files'), file, contents);
}

function userLine({ name, uid, groups, shell }: Recipe['users'][number]): string {
  return [name, uid ?? '-', groups.join(',') || '-', shell ?? '-'].join(' ');
}

/** Those of the recipe, and what its time zone and locale come to. */
function filesOf({ files, timezone, locale }: Recipe): Recipe['files'] {
  const own: Recipe['files'] = [];
  if (timezone !== undefined)
    own.push(
      { path: '/etc/localtime', link: `/usr/share/zoneinfo/${timezone}` },
      { path: '/etc/timezone', content: `${timezone}\n` },
    );
  if (locale !== undefined) own.push({ path: '/etc/default/locale', content: `LANG=${locale}\n` });
  return [...own, ...files];
}

async function placeFile(
  folder: string,
  { path, content, link, mode }: Recipe['files'][number],
  contents: ReadonlyMap<string, Buffer>,
): Promise<void> {
  const place = join(folder, path);
  await mkdir(dirname(place), { recursive: true });
  if (link !== undefined) await symlink(link, place);
  else {
    await writeFile(place, content ?? contents.get(path) ?? '');
    // Whatever the umask is.
    await chmod(place, Number.parseInt(mode ?? '0644', 8));
  }
}

async function build(
  deps: LayerDeps,
  { request, folder }: Pick<Preparation, 'request' | 'folder'>,
  { signal }: Run,
): Promise<void> {
  const { level, base, epoch, below } = request;
  const suite = base.distribution === 'debian' ? base.suite : base.release;
  await runOnLayers(deps, {
    ...{ level, layers: below, epoch, folder, signal },
    script: layerScript(base.distribution),
    args: [folder, suite],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}
