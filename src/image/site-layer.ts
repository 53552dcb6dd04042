/**
 * What lies above the layers of the recipes: sources of packages, and what travels along. It is made anew for each build, of
 * links to objects: kept, it would be a second copy of all that travels.
 */
import { hash } from 'node:crypto';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import type { SnapshotMirror } from '../store/types.ts';
import { fileDigest } from './file-digest.ts';
import type { Layer, LayerDeps } from './layer.ts';
import { runOnLayers } from './layers-script.ts';
import { makeView } from './mirror-view.ts';
import { type PackageSources, PUBLIC_NEEDS } from './package-sources.ts';
import type { PayloadEntry } from './payload.ts';
import type { RecipeChain } from './recipe-chain.ts';
import { SITE_SCRIPT } from './site-script.ts';

export interface SiteRequest {
  readonly chain: RecipeChain;
  readonly sources: readonly PackageSources[];
  readonly payload: readonly PayloadEntry[];
  /** Those that travel along. */
  readonly mirrors: readonly SnapshotMirror[];
  /** Seconds. */
  readonly epoch: number;
  /** The lowest first. */
  readonly below: readonly Layer[];
  /** Which is there, and holds the layer as long as it is needed. */
  readonly folder: string;
}

/** `undefined` where there is nothing to lay above. */
export async function siteLayer(
  deps: Pick<LayerDeps, 'store' | 'runSealed'>,
  request: SiteRequest,
  run: Run = {},
): Promise<Layer | undefined> {
  const { sources, payload, folder } = request;
  if (sources.length === 0 && payload.length === 0) return undefined;
  run.onEvent?.({ type: 'phase', phase: 'lay out what travels along', files: sources.length + payload.length });
  await mkdir(join(folder, 'site'));
  const places: string[] = [];
  /** All that goes into it, as its key is made of it. */
  const parts: unknown[] = [];
  const next = (at: string, what: string): string => {
    const place = join(folder, 'site', String(places.length));
    places.push(`${places.length} ${at}`);
    parts.push([at, what]);
    return place;
  };
  for (const { path, text } of sources) {
    const file = next(path, text);
    await writeFile(file, text);
    await chmod(file, 0o644);
  }
  for (const entry of payload) {
    if (entry.file !== undefined) await takeFile(entry.file, next(entry.at, await digestOf(entry, run)));
    else {
      const { root } = (request.mirrors.find(({ name }) => name === entry.mirror) as SnapshotMirror).manifest;
      await makeView(deps.store.objects, root, { folder: next(entry.at, root), signal: run.signal });
    }
    run.onEvent?.({ type: 'advance', files: places.length, bytes: 0 });
  }
  const needs = request.chain.build?.type === 'connected' ? Object.entries(PUBLIC_NEEDS) : [];
  await writeFile(join(folder, 'places'), lines(places));
  await writeFile(join(folder, 'needs'), lines(needs.map((words) => words.join(' '))));
  await build(deps, request, run);
  const key = hash('sha256', canonicalJson(['kubedos-site/1', request.epoch, request.below.at(-1)?.key ?? '', parts]));
  return { key, file: join(folder, 'site.squashfs') };
}

const lines = (list: readonly string[]): string => list.map((each) => `${each}\n`).join('');

async function digestOf({ file = '', level }: PayloadEntry, { signal }: Run): Promise<string> {
  try {
    return (await fileDigest(file, { signal })).sha256;
  } catch (cause) {
    if (errnoOf(cause) === undefined || signal?.aborted) throw cause;
    throw new KubedosError('spec.invalid', `${level.file}: payload: file ${file} cannot be read`, { cause });
  }
}

async function takeFile(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o644);
}

async function build(
  deps: Pick<LayerDeps, 'runSealed'>,
  { chain, below, epoch, folder }: SiteRequest,
  { signal }: Run,
): Promise<void> {
  const level = chain.levels.at(-1) as RecipeChain['levels'][number];
  await runOnLayers(deps, { script: SITE_SCRIPT, args: [folder], level, layers: below, epoch, folder, signal });
}
