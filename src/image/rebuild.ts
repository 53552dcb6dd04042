/** An image is made again, from nothing but the snapshot and the recipe, and held against what it was. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { OutputName } from '../spec/recipe-spec.ts';
import { withScratch } from '../store/scratch.ts';
import type { ObjectStore, Sha256, Snapshot, Store } from '../store/types.ts';
import { type BuildDeps, buildArtifacts, type VersionsOf } from './bake.ts';
import { type CompareDeps, type Explanation, explain, isDisk } from './compare.ts';
import { type DigestOptions, fileDigest } from './file-digest.ts';
import type { Made } from './output.ts';
import { OUTPUT_FORMS } from './outputs.ts';
import { digestRecipes, type Provenance, type ToolVersions } from './provenance.ts';
import type { RecipeChain } from './recipe-chain.ts';
import { removeStaleBuilds } from './stale-builds.ts';

export interface RebuildDeps extends BuildDeps, CompareDeps, Pick<DigestOptions, 'dataExtents'> {
  readonly store: Pick<Store, 'objects' | 'file'>;
  readonly toolVersions: VersionsOf;
  readonly version: string;
}

export interface RebuildRequest {
  /** Of which it was checked who signed it. */
  readonly provenance: Provenance;
  readonly chain: RecipeChain;
  /** That of the provenance. */
  readonly snapshot: Snapshot;
}

export interface RebuiltArtifact {
  readonly path: string;
  readonly expected: Sha256 | null;
  readonly got: Sha256 | null;
  /** Null where they are the same, or another form of the same disk has it. */
  readonly difference: Explanation | null;
}

export interface RebuildReport {
  readonly snapshot: string;
  readonly identical: boolean;
  readonly artifacts: readonly RebuiltArtifact[];
  /** Which are not as they were. */
  readonly tools: readonly { readonly tool: string; readonly was: string | null; readonly is: string | null }[];
}

/** Without the cache. `artifact.recipe` where the recipes at hand are not those that the image was made of. */
export async function rebuild(deps: RebuildDeps, request: RebuildRequest, run: Run = {}): Promise<RebuildReport> {
  const { provenance, snapshot } = request;
  const chain = { ...request.chain, build: provenance.build };
  await checkRecipes(chain, provenance);
  const outputs = provenance.outputs.map(knownOutput);
  const tools = changedTools(provenance.tools, {
    kubedos: deps.version,
    ...(await deps.toolVersions({ chain, outputs })),
  });
  await removeStaleBuilds(deps.store);
  return withScratch(deps.store, 'bake', async (folder) => {
    const artifacts: RebuiltArtifact[] = [];
    const take = async (made: Made) => {
      const ref = await fileDigest(made.file, { signal: run.signal, dataExtents: deps.dataExtents });
      artifacts.push(await compare(deps, { made, got: ref.sha256, provenance, layout: chain.layout, folder, run }));
      return { path: made.path, ...ref };
    };
    await buildArtifacts(withoutCache(deps, folder), { chain, snapshot, outputs }, take, run);
    const missing = [...provenance.subjects].filter(([path]) => !artifacts.some((each) => each.path === path));
    for (const [path, expected] of missing) artifacts.push({ path, expected, got: null, difference: null });
    const identical = artifacts.every(({ expected, got }) => expected === got);
    return { snapshot: snapshot.id, identical, artifacts, tools };
  });
}

/** A store with an empty cache, and the same objects. */
function withoutCache(deps: RebuildDeps, folder: string): RebuildDeps {
  const { objects } = deps.store;
  const file: Store['file'] = async (area, ...names) =>
    area === 'cache' ? join(folder, 'cache', ...names) : deps.store.file(area, ...names);
  return { ...deps, store: { objects, file } };
}

interface Comparison {
  readonly made: Made;
  readonly got: Sha256;
  readonly provenance: Provenance;
  readonly layout: RecipeChain['layout'];
  readonly folder: string;
  readonly run: Run;
}

async function compare(
  deps: RebuildDeps,
  { made, got, provenance, layout, folder, run }: Comparison,
): Promise<RebuiltArtifact> {
  const { path, file: built } = made;
  const expected = provenance.subjects.get(path) ?? null;
  const { signal } = run;
  const told = isDisk(path) && !path.endsWith('.raw') && provenance.outputs.includes('raw');
  if (expected === null || expected === got || told) return { path, expected, got, difference: null };
  run.onEvent?.({ type: 'phase', phase: `compare ${path}`, files: 1 });
  const place = join(folder, `compare-${path}`);
  await mkdir(place, { recursive: true });
  const kept = await keptFile(deps.store.objects, expected, path);
  return { path, expected, got, difference: await explain(deps, { kept, built, path, layout, folder: place, signal }) };
}

async function keptFile(objects: ObjectStore, sha256: Sha256, path: string): Promise<string> {
  const file = (await objects.stat(sha256)) && objects.localPath?.(sha256);
  if (file !== undefined) return file;
  throw new KubedosError('store.not-found', `compare ${path}: object ${sha256} is missing`);
}

async function checkRecipes(chain: RecipeChain, { recipe, recipes }: Provenance): Promise<void> {
  const refuse = (what: string): KubedosError =>
    new KubedosError('artifact.recipe', `rebuild ${recipe}: ${what}`, {
      hint: 'give the recipe as it was: `kubedos bake PATH --verify IMAGE`',
    });
  const given = await digestRecipes(chain);
  const names = (list: typeof recipes): string => list.map(({ name }) => name).join(', ');
  if (names(given) !== names(recipes))
    throw refuse(`made of the recipes ${names(recipes)}, at hand are ${names(given)}`);
  for (const [at, { name, sha256, sources }] of recipes.entries()) {
    const now = given[at];
    if (now?.sha256 !== sha256) throw refuse(`recipe ${name} was ${sha256}, at hand is ${now?.sha256}`);
    const other = sources.find(({ path, ...source }) =>
      now.sources.every((each) => each.path !== path || each.sha256 !== source.sha256),
    );
    if (other !== undefined) throw refuse(`${other.path} of recipe ${name} was ${other.sha256}, and is no more`);
  }
}

function knownOutput(name: string): OutputName {
  if (name in OUTPUT_FORMS) return name as OutputName;
  throw new KubedosError('artifact.recipe', `rebuild: this kubedos knows no output ${name}`, {
    hint: 'use the kubedos that baked it, or a newer one',
  });
}

function changedTools(was: ToolVersions, is: ToolVersions): RebuildReport['tools'] {
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .sort()
    .filter((tool) => was[tool] !== is[tool])
    .map((tool) => ({ tool, was: was[tool] ?? null, is: is[tool] ?? null }));
}
