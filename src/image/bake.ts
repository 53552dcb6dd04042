/** A snapshot and a recipe become artifacts: files of a list of their own, served and carried like any other. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { OutputName } from '../spec/recipe-spec.ts';
import { withScratch } from '../store/scratch.ts';
import type { Snapshot, SnapshotMirror } from '../store/types.ts';
import { type Artifact, type ArtifactDeps, type BakeReport, epochOf, showArtifacts, takeIn } from './artifacts.ts';
import { type DiskDeps, rawDisk } from './disk-image.ts';
import { type Layer, type LayerDeps, layerOf } from './layer.ts';
import type { Built } from './output.ts';
import { OUTPUT_FORMS, type OutputDeps } from './outputs.ts';
import type { FoundRecipe, RecipeChain } from './recipe-chain.ts';
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
  const tools = await deps.toolVersions();
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
  const layers: Layer[] = [];
  for (const level of chain.levels)
    layers.push(await layerOf(deps, { level, suite: chain.base.suite, mirrors, epoch, below: [...layers] }, run));
  const { key } = layers.at(-1) as Layer;
  const { name, cmdline, diskBytes } = chain;
  const system = { name, level: chain.levels.at(-1) as FoundRecipe, layers, epoch, key, cmdline, diskBytes };
  const artifacts = await withScratch(deps.store, 'bake', (folder) =>
    makeOutputs(deps, { ...system, outputs, folder }, run),
  );
  return { artifacts, mirrors };
}

async function makeOutputs(
  deps: BakeDeps,
  { outputs, ...system }: Omit<Built, 'disk' | 'signal'> & Pick<BakeRequest, 'outputs'>,
  run: Run,
): Promise<Artifact[]> {
  run.onEvent?.({ type: 'phase', phase: `write ${outputs.join(', ')}`, files: outputs.length });
  const { signal } = run;
  let rawFile: Promise<string> | undefined;
  const disk = (): Promise<string> => {
    rawFile ??= inFolder(system.folder, 'raw', (folder) => rawDisk(deps, system, { folder, signal }));
    return rawFile;
  };
  const made: Artifact[] = [];
  let count = 0;
  for (const [output, make] of Object.entries(OUTPUT_FORMS)) {
    if (!outputs.includes(output as OutputName)) continue;
    const files = await inFolder(system.folder, `output-${output}`, (folder) =>
      make(deps, { ...system, folder, disk, signal }),
    );
    for (const { path, file } of files) made.push({ path, ...(await takeIn(deps, file, run)) });
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
  const file = levels.find(({ recipe }) => recipe.mirrors.includes(name))?.file;
  throw new KubedosError('store.not-found', `${file}: mirrors: snapshot ${id} holds no ${name}`, {
    hint: `it holds: ${document.mirrors.map((each) => each.name).join(', ')}`,
  });
}
