/** A snapshot and a recipe become artifacts: files of a list of their own, served and carried like any other. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { OutputName } from '../spec/recipe-spec.ts';
import { textsBelow } from '../spec/yaml-spec.ts';
import { withScratch } from '../store/scratch.ts';
import type { Sha256, Snapshot, SnapshotMirror } from '../store/types.ts';
import { type Artifact, type ArtifactDeps, type BakeReport, epochOf, showArtifacts, takeIn } from './artifacts.ts';
import { type DescribeDeps, describeImage } from './describe.ts';
import { type DiskDeps, rawDisk } from './disk-image.ts';
import { type Layer, type LayerDeps, layerOf } from './layer.ts';
import type { Built, Made } from './output.ts';
import { checkOutputs, OUTPUT_FORMS, type OutputDeps } from './outputs.ts';
import { packageSources } from './package-sources.ts';
import { payloadOf } from './payload.ts';
import type { ToolVersions } from './provenance.ts';
import type { FoundRecipe, RecipeChain } from './recipe-chain.ts';
import { siteLayer } from './site-layer.ts';
import { snapshotMirror } from './snapshot-mirror.ts';
import { removeStaleBuilds } from './stale-builds.ts';

export interface BakeDeps extends BuildDeps, DescribeDeps, ArtifactDeps {
  readonly store: ArtifactDeps['store'];
  readonly toolVersions: VersionsOf;
}

/** Of the tools that a build takes. */
export type VersionsOf = (request: Pick<BakeRequest, 'chain' | 'outputs'>) => Promise<ToolVersions>;

export interface BuildDeps extends LayerDeps, DiskDeps, OutputDeps {
  readonly store: LayerDeps['store'];
}

export interface BakeRequest {
  readonly chain: RecipeChain;
  readonly snapshot: Snapshot;
  readonly outputs: readonly OutputName[];
}

/** Builds what is not in the cache, and makes the artifacts visible in one step. */
export async function bake(deps: BakeDeps, request: BakeRequest, run: Run = {}): Promise<BakeReport> {
  const { chain, snapshot } = request;
  checkOutputs(chain, request.outputs);
  // Before anything is made: it tells what is not installed.
  const tools = await deps.toolVersions(request);
  await removeStaleBuilds(deps.store);
  const built = await buildArtifacts(deps, request, (made) => takeIn(deps, made, run), run);
  const about = { ...request, ...built, epoch: epochOf(snapshot), version: deps.version, tools };
  const documents = await describeImage(deps, about, run);
  return showArtifacts(deps, { name: chain.name, snapshot, artifacts: built.artifacts, documents });
}

/** What becomes of a file that was made. */
export type Take = (made: Made) => Promise<Artifact>;

export interface BuiltArtifacts {
  readonly artifacts: readonly Artifact[];
  readonly mirrors: readonly SnapshotMirror[];
  /** Those of the cache, the lowest first. */
  readonly layers: readonly Layer[];
  /** Of all layers: what is of the site lies above those of the cache. */
  readonly keys: readonly Sha256[];
}

/** All layers and outputs, of which nothing is shown yet. */
export async function buildArtifacts(
  deps: BuildDeps,
  { chain, snapshot, outputs }: BakeRequest,
  take: Take,
  run: Run,
): Promise<BuiltArtifacts> {
  const epoch = epochOf(snapshot);
  const mirrors = chain.mirrors.map((name) => packagesMirror(snapshot, name, chain));
  const payload = payloadOf(chain);
  const carried = payload.flatMap(({ mirror }) => (mirror === undefined ? [] : [mirrorOf(snapshot, mirror, chain)]));
  const { installer } = chain;
  const onMedium = outputs.includes('iso') ? installer.payload.map((each) => mirrorOf(snapshot, each, chain)) : [];
  const sources = await packageSources(deps, { chain, mirrors, payload });
  const layers: Layer[] = [];
  // A layer knows nothing of what recipes above it name: it is the same for all of them.
  const named = new Set<string>();
  for (const level of chain.levels) {
    for (const name of level.recipe.mirrors) named.add(name);
    const known = mirrors.filter(({ name }) => named.has(name));
    layers.push(await layerOf(deps, { level, base: chain.base, mirrors: known, epoch, below: [...layers] }, run));
  }
  return withScratch(deps.store, 'bake', async (folder) => {
    const site = await inFolder(folder, 'site', (place) =>
      siteLayer(deps, { chain, sources, payload, mirrors: carried, epoch, below: layers, folder: place }, run),
    );
    const all = site === undefined ? layers : [...layers, site];
    const keys = all.map(({ key }) => key);
    const { name, cmdline, diskBytes, layout, container } = chain;
    const system = {
      ...{ name, cmdline, diskBytes, layout, container, installer, epoch, layers: all, key: keys.at(-1) as Sha256 },
      level: chain.levels.at(-1) as FoundRecipe,
      payload: onMedium.map((each) => ({ name: each.name, manifestRoot: each.manifest.root })),
    };
    const artifacts = await makeOutputs(deps, { ...system, outputs, folder, take }, run);
    return { artifacts, mirrors: [...new Set([...mirrors, ...carried, ...onMedium])], layers, keys };
  });
}

async function makeOutputs(
  deps: BuildDeps,
  {
    outputs,
    take,
    ...system
  }: Omit<Built, 'once' | 'disk' | 'signal'> & Pick<BakeRequest, 'outputs'> & { readonly take: Take },
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
    for (const each of files) made.push(await take(each));
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

function packagesMirror(snapshot: Snapshot, name: string, chain: RecipeChain): SnapshotMirror {
  const mirror = mirrorOf(snapshot, name, chain);
  const kind = chain.base.distribution === 'debian' ? 'apt' : 'yum';
  if (mirror.kind === kind) return mirror;
  throw new KubedosError('spec.invalid', `${placeOf(name, chain)}: mirrors: ${name} is no ${kind} repository`);
}

function mirrorOf(snapshot: Snapshot, name: string, chain: RecipeChain): SnapshotMirror {
  return snapshotMirror(snapshot, name, () => placeOf(name, chain));
}

/** File and line that name a mirror. */
function placeOf(name: string, { levels }: RecipeChain): string {
  // It is one of mirrors:, of payload:, or of the installer's.
  const places = levels.flatMap(({ file, text }) =>
    ['mirrors', 'payload', 'installer'].flatMap((field) => textsBelow(text, field).map((each) => ({ ...each, file }))),
  );
  const place = places.find(({ value }) => value === name);
  return `${place?.file}:${place?.line}`;
}
