/** A recipe with `media:` and a snapshot become an ISO: the vendor's, with answers and a payload. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { Run } from '../../progress.ts';
import type { Media } from '../../spec/media-spec.ts';
import { lookupPath, readManifest } from '../../store/manifest.ts';
import { withScratch } from '../../store/scratch.ts';
import type { ManifestEntry, Snapshot, SnapshotMirror } from '../../store/types.ts';
import { type Artifact, type ArtifactDeps, type BakeReport, epochOf, showArtifacts, takeIn } from '../artifacts.ts';
import { type DescribeDeps, describeMedium } from '../describe.ts';
import { layOut, makeView } from '../mirror-view.ts';
import type { ToolVersions } from '../provenance.ts';
import type { FoundRecipe } from '../recipe-chain.ts';
import { snapshotMirror } from '../snapshot-mirror.ts';
import { removeStaleBuilds } from '../stale-builds.ts';
import { checkAnswers } from './answers.ts';
import { type MediumDeps, openMedium } from './medium.ts';
import { type RepackDeps, repack } from './repack.ts';

export interface MediaDeps extends ArtifactDeps, MediumDeps, RepackDeps {
  readonly sign: DescribeDeps['sign'];
  readonly toolVersions: () => Promise<ToolVersions>;
  /** Whether the tools run where there is no network. */
  readonly offline: boolean;
}

export interface MediaRequest {
  readonly found: FoundRecipe;
  readonly media: Media;
  readonly snapshot: Snapshot;
}

const NO_NETWORK = 'none: each tool ran in a network namespace of its own, in which nothing was up';
const NONE_ASKED_FOR = 'none asked for: files of the store alone went into tools that know no network';

export async function bakeMedia(deps: MediaDeps, request: MediaRequest, run: Run = {}): Promise<BakeReport> {
  const { found, media, snapshot } = request;
  const tools = await deps.toolVersions();
  await removeStaleBuilds(deps.store);
  const answers = await found.read(media.answers);
  checkAnswers(media.family, answers, media.answers);
  const names = [media.mirror, ...media.payload.flatMap(({ mirror }) => mirror ?? [])];
  const mirrors = [...new Set(names)].map((name) => mirrorOf(request, name));
  const artifacts = await withScratch(deps.store, 'bake', async (folder) => [
    await makeIso(deps, { ...request, answers, folder }, run),
  ]);
  const chain = { name: found.recipe.name, levels: [found] };
  const network = deps.offline ? NO_NETWORK : NONE_ASKED_FOR;
  const about = { artifacts, mirrors, chain, snapshot, tools, network, outputs: ['iso'] as const };
  const documents = await describeMedium(deps, { ...about, epoch: epochOf(snapshot), version: deps.version });
  return showArtifacts(deps, { name: chain.name, snapshot, artifacts, documents });
}

async function makeIso(
  deps: MediaDeps,
  request: MediaRequest & { readonly answers: Buffer; readonly folder: string },
  run: Run,
): Promise<Artifact> {
  const { found, media, snapshot, answers, folder } = request;
  const { signal } = run;
  const origin = `${found.file}: media: ${media.path}`;
  run.onEvent?.({ type: 'phase', phase: `repack ${media.path}`, files: 1 });
  const entry = await entryOf(deps, request);
  await mkdir(folder, { recursive: true });
  const iso = join(folder, 'vendor.iso');
  await layOut(deps.store.objects, entry.sha256, iso);
  const medium = await openMedium(deps, { iso, name: media.family, origin, folder: join(folder, 'medium') }, signal);
  const file = await repack(deps, {
    ...{ medium, iso, origin, answers, folder, signal, epoch: epochOf(snapshot) },
    cmdline: media.cmdline.split(' ').filter(Boolean),
    ...(await payloadOf(deps, request, run)),
  });
  const artifact = await takeIn(deps, { path: `${found.recipe.name}.iso`, file }, run);
  run.onEvent?.({ type: 'advance', files: 1, bytes: artifact.sizeBytes });
  return artifact;
}

async function payloadOf(
  { store }: MediaDeps,
  request: MediaRequest & { readonly folder: string },
  { signal }: Run,
): Promise<{ readonly files: Map<string, Buffer>; readonly trees: Map<string, string> }> {
  const files = new Map<string, Buffer>();
  const trees = new Map<string, string>();
  for (const { mirror, source, at } of request.media.payload) {
    const path = `/${at ?? `darksite/${mirror}`}`;
    if (files.has(path) || trees.has(path))
      throw new KubedosError('spec.invalid', `${request.found.file}: media: payload: ${path} is there twice`);
    if (source !== undefined) files.set(path, await request.found.read(source));
    if (mirror === undefined) continue;
    const folder = join(request.folder, 'payload', String(trees.size));
    await mkdir(folder, { recursive: true });
    await makeView(store.objects, mirrorOf(request, mirror).manifest.root, { folder, signal });
    trees.set(path, folder);
  }
  return { files, trees };
}

async function entryOf({ store }: MediaDeps, request: MediaRequest): Promise<ManifestEntry> {
  const { media, found } = request;
  const { root } = mirrorOf(request, media.mirror).manifest;
  const entry = await lookupPath(store.objects, root, media.path);
  if (entry !== undefined) return entry;
  const paths: string[] = [];
  for await (const { path } of readManifest(store.objects, root)) if (/\.iso$/i.test(path)) paths.push(path);
  throw new KubedosError('store.not-found', `${found.file}: media: ${media.mirror} holds no ${media.path}`, {
    hint: paths.length === 0 ? 'it holds no .iso' : `it holds: ${paths.slice(0, 20).join(', ')}`,
  });
}

function mirrorOf({ snapshot, found }: MediaRequest, name: string): SnapshotMirror {
  return snapshotMirror(snapshot, name, () => `${found.file}: media`);
}
