/** A snapshot and a recipe become artifacts: files of a list of their own, served and carried like any other. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { OutputName } from '../spec/recipe-spec.ts';
import { textsBelow } from '../spec/yaml-spec.ts';
import { withScratch } from '../store/scratch.ts';
import type { Snapshot, SnapshotMirror } from '../store/types.ts';
import { aptSources } from './apt-sources.ts';
import { type Artifact, type ArtifactDeps, type BakeReport, epochOf, showArtifacts, takeIn } from './artifacts.ts';
import { type DiskDeps, rawDisk } from './disk-image.ts';
import { type Layer, type LayerDeps, layerOf } from './layer.ts';
import type { Built } from './output.ts';
import { OUTPUT_FORMS, type OutputDeps } from './outputs.ts';
import { payloadOf } from './payload.ts';
import type { FoundRecipe, RecipeChain } from './recipe-chain.ts';
import { siteLayer } from './site-layer.ts';
import { removeStaleBuilds } from './stale-builds.ts';

export interface BakeDeps extends ArtifactDeps, LayerDeps, DiskDeps, OutputDeps {
  readonly store: ArtifactDeps['store'];
}

export interface BakeRequest {
  readonly chain: RecipeChain;
  readonly snapshot: Snapshot;
  readonly outputs: readonly OutputName[];
}

/** Builds what is not in the cache, and makes the artifacts visible in one step. */
export async function bake(deps: BakeDeps, request: BakeRequest, run: Run = {}): Promise<BakeReport> {
  const { chain, snapshot } = request;
  // First of all: it tells what is not installed.
  const tools = await deps.toolVersions(request.outputs);
  await removeStaleBuilds(deps.store);
  const built = await buildArtifacts(deps, request, run);
  const network = 'none: in a namespace of its own, whose counters were zero at the end';
  return showArtifacts(deps, { ...built, chain, snapshot, tools, network });
}

/** All layers and outputs; the artifacts are objects then, and nothing shows them. */
async function buildArtifacts(
  deps: BakeDeps,
  { chain, snapshot, outputs }: BakeRequest,
  run: Run,
): Promise<{ readonly artifacts: readonly Artifact[]; readonly mirrors: readonly SnapshotMirror[] }> {
  const epoch = epochOf(snapshot);
  const mirrors = chain.mirrors.map((name) => mirrorOf(snapshot, name, chain));
  const payload = payloadOf(chain);
  const carried = payload.flatMap(({ mirror }) => (mirror === undefined ? [] : [mirrorOf(snapshot, mirror, chain)]));
  const { installer } = chain;
  const onMedium = outputs.includes('iso') ? installer.payload.map((each) => mirrorOf(snapshot, each, chain)) : [];
  const sources = await aptSources(deps, { chain, mirrors, payload });
  const layers: Layer[] = [];
  for (const level of chain.levels)
    layers.push(await layerOf(deps, { level, suite: chain.base.suite, mirrors, epoch, below: [...layers] }, run));
  const artifacts = await withScratch(deps.store, 'bake', async (folder) => {
    const site = await inFolder(folder, 'site', (place) =>
      siteLayer(deps, { chain, sources, payload, mirrors: carried, epoch, below: layers, folder: place }, run),
    );
    if (site !== undefined) layers.push(site);
    const { key } = layers.at(-1) as Layer;
    const { name, cmdline, diskBytes, container } = chain;
    const level = chain.levels.at(-1) as FoundRecipe;
    const system = { name, level, layers, epoch, key, cmdline, diskBytes, container, installer };
    const alongside = onMedium.map((each) => ({ name: each.name, manifestRoot: each.manifest.root }));
    return makeOutputs(deps, { ...system, payload: alongside, outputs, folder }, run);
  });
  return { artifacts, mirrors: [...new Set([...mirrors, ...carried, ...onMedium])] };
}

async function makeOutputs(
  deps: BakeDeps,
  { outputs, ...system }: Omit<Built, 'once' | 'disk' | 'signal'> & Pick<BakeRequest, 'outputs'>,
  run: Run,
): Promise<Artifact[]> {
  run.onEvent?.({ type: 'phase', phase: `write ${outputs.join(', ')}`, files: outputs.length });
  const { signal } = run;
  const shared = new Map<string, Promise<string>>();
  const once: Built['once'] = (what, work) => {
    const file = shared.get(what) ?? inFolder(system.folder, what, work);
    shared.set(what, file);
    return file;
  };
  const disk: Built['disk'] = () => once('raw', (folder) => rawDisk(deps, system, { folder, signal }));
  const made: Artifact[] = [];
  let count = 0;
  for (const [output, make] of Object.entries(OUTPUT_FORMS)) {
    if (!outputs.includes(output as OutputName)) continue;
    const files = await inFolder(system.folder, `output-${output}`, (folder) =>
      make(deps, { ...system, folder, once, disk, signal }),
    );
    for (const { path, ...file } of files) made.push({ path, ...(await takeIn(deps, file, run)) });
    count += 1;
    run.onEvent?.({ type: 'advance', files: count, bytes: 0 });
  }
  return made;
}

async function inFolder<T>(parent: string, name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  return work(folder);
}

function mirrorOf({ document, id }: Snapshot, name: string, { levels }: RecipeChain): SnapshotMirror {
  const mirror = document.mirrors.find((each) => each.name === name);
  if (mirror !== undefined) return mirror;
  // It is one of mirrors:, of payload:, or of the installer's.
  const places = levels.flatMap(({ file, text }) =>
    ['mirrors', 'payload', 'installer'].flatMap((field) => textsBelow(text, field).map((each) => ({ ...each, file }))),
  );
  const place = places.find(({ value }) => value === name);
  throw new KubedosError('store.not-found', `${place?.file}:${place?.line}: snapshot ${id} holds no ${name}`, {
    hint: `it holds: ${document.mirrors.map((each) => each.name).join(', ')}`,
  });
}
