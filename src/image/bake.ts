/** A snapshot and a recipe become artifacts: files of a list of their own, served and carried like any other. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { KubedosError } from '../errors.ts';
import { comparePaths } from '../formats/path.ts';
import type { Run } from '../progress.ts';
import type { OutputName } from '../spec/recipe-spec.ts';
import { textsBelow } from '../spec/yaml-spec.ts';
import { writeManifest } from '../store/manifest.ts';
import { withScratch } from '../store/scratch.ts';
import type {
  ManifestEntry,
  ManifestRef,
  MirrorHead,
  ObjectRef,
  Snapshot,
  SnapshotMirror,
  Store,
} from '../store/types.ts';
import { type DiskDeps, rawDisk } from './disk-image.ts';
import { type Layer, type LayerDeps, layerOf } from './layer.ts';
import type { Built } from './output.ts';
import { OUTPUT_FORMS, type OutputDeps } from './outputs.ts';
import { makeProvenance, type ToolVersions } from './provenance.ts';
import type { FoundRecipe, RecipeChain } from './recipe-chain.ts';
import { removeStaleBuilds } from './stale-builds.ts';

export interface BakeDeps extends LayerDeps, DiskDeps, OutputDeps {
  readonly store: Pick<Store, 'objects' | 'heads' | 'file' | 'withWriter'>;
  readonly toolVersions: () => Promise<ToolVersions>;
  readonly sign: (bytes: Uint8Array, date: Date) => Promise<string>;
  readonly version: string;
}

export interface BakeRequest {
  readonly chain: RecipeChain;
  readonly snapshot: Snapshot;
  readonly outputs: readonly OutputName[];
}

export interface Artifact extends ObjectRef {
  readonly path: string;
}

export interface BakeReport {
  readonly image: string;
  readonly snapshot: string;
  readonly artifacts: readonly Artifact[];
  readonly manifest: ManifestRef;
  /** False: the same bytes were there already. */
  readonly changed: boolean;
}

/** The list that a recipe's artifacts are on. */
const imageName = (recipe: string): string => `image-${recipe}`;

/** Builds what is not in the cache, and makes the artifacts visible in one step. */
export async function bake(deps: BakeDeps, request: BakeRequest, run: Run = {}): Promise<BakeReport> {
  const { chain, snapshot } = request;
  const { objects } = deps.store;
  // First of all: it tells what is not installed.
  const tools = await deps.toolVersions();
  await removeStaleBuilds(deps.store);
  const built = await buildArtifacts(deps, request, run);
  const date = new Date(epochOf(snapshot) * 1000);
  const provenance = makeProvenance({
    ...built,
    chain,
    snapshot,
    version: deps.version,
    tools,
  });
  const name = `${chain.name}.provenance.json`;
  const entries: ManifestEntry[] = [
    ...built.artifacts,
    { path: name, ...(await objects.put([provenance])) },
    { path: `${name}.asc`, ...(await objects.put([Buffer.from(await deps.sign(provenance, date))])) },
  ].sort((a, b) => comparePaths(a.path, b.path));
  const manifest = await writeManifest(objects, entries);
  await objects.flush();
  const changed = await deps.store.withWriter('bake', () =>
    show(deps, { name: imageName(chain.name), manifest, snapshot }),
  );
  return { image: imageName(chain.name), snapshot: snapshot.id, artifacts: built.artifacts, manifest, changed };
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
    layers.push(await layerOf(deps, { level, base: chain.base, mirrors, epoch, below: [...layers] }, run));
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

/** Moves a file into the store. */
async function takeIn({ store: { objects } }: BakeDeps, file: string, { signal }: Run): Promise<ObjectRef> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), digest, { signal });
  const ref = { sha256: digest.digest('hex'), sizeBytes: (await stat(file)).size };
  await objects.adopt(file, ref);
  await objects.flush();
  return ref;
}

/** Seconds: nothing that is made of a snapshot is younger than it. */
function epochOf({ document }: Snapshot): number {
  return Math.floor(Date.parse(document.time) / 1000);
}

function mirrorOf({ document, id }: Snapshot, name: string, { levels }: RecipeChain): SnapshotMirror {
  const mirror = document.mirrors.find((each) => each.name === name);
  if (mirror !== undefined) return mirror;
  const { file, text } = levels.find(({ recipe }) => recipe.mirrors.includes(name)) as FoundRecipe;
  const line = textsBelow(text, 'mirrors').find(({ value }) => value === name)?.line;
  throw new KubedosError('store.not-found', `${file}:${line}: mirrors: snapshot ${id} holds no ${name}`, {
    hint: `it holds: ${document.mirrors.map((each) => each.name).join(', ')}`,
  });
}

async function show(
  { store }: BakeDeps,
  { name, manifest, snapshot }: { readonly name: string; readonly manifest: ManifestRef; readonly snapshot: Snapshot },
): Promise<boolean> {
  const before = await store.heads.read(name);
  if (before !== undefined && (before.kind !== 'files' || before.form !== 'local'))
    throw new KubedosError('store.exists', `bake ${name}: there is a mirror of that name`);
  if (before?.manifest.root === manifest.root) return false;
  const head: MirrorHead = {
    format: 'kubedos-head/1',
    name,
    kind: 'files',
    form: 'local',
    manifest,
    evidence: [],
    time: snapshot.document.time,
    spec: null,
    memory: { snapshot: snapshot.id },
  };
  await store.heads.write(head, before?.manifest.root);
  return true;
}
