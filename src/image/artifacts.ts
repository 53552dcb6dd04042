/** What was made becomes files of a list of its own, with their provenance; shown in one step. */
import { stat } from 'node:fs/promises';
import { KubedosError } from '../errors.ts';
import { comparePaths } from '../formats/path.ts';
import type { Run } from '../progress.ts';
import { writeManifest } from '../store/manifest.ts';
import type { ManifestEntry, ManifestRef, MirrorHead, ObjectRef, Snapshot, Store } from '../store/types.ts';
import { type DigestOptions, fileDigest } from './file-digest.ts';
import { imageName } from './image-list.ts';
import type { Made } from './output.ts';

export interface ArtifactDeps extends Pick<DigestOptions, 'dataExtents'> {
  readonly store: Pick<Store, 'objects' | 'heads' | 'file' | 'withWriter'>;
  readonly version: string;
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

/** Seconds: nothing that is made of a snapshot is younger than it. */
export function epochOf({ document }: Snapshot): number {
  return Math.floor(Date.parse(document.time) / 1000);
}

export interface FinishedImage extends Pick<BakeReport, 'artifacts'> {
  /** Of the recipe. */
  readonly name: string;
  readonly snapshot: Snapshot;
  /** What tells of the artifacts. */
  readonly documents: readonly ManifestEntry[];
}

export async function showArtifacts(
  deps: Pick<ArtifactDeps, 'store'>,
  { name, snapshot, artifacts, documents }: FinishedImage,
): Promise<BakeReport> {
  const { objects } = deps.store;
  const entries = [...artifacts, ...documents].sort((a, b) => comparePaths(a.path, b.path));
  const manifest = await writeManifest(objects, entries);
  await objects.flush();
  const image = imageName(name);
  const changed = await deps.store.withWriter('bake', () => show(deps, { name: image, manifest, snapshot }));
  return { image, snapshot: snapshot.id, artifacts, manifest, changed };
}

/** Moves a file into the store. */
export async function takeIn(
  { store: { objects }, dataExtents }: Pick<ArtifactDeps, 'store' | 'dataExtents'>,
  { path, file, sha256 }: Made,
  { signal }: Run,
): Promise<Artifact> {
  const ref =
    sha256 === undefined
      ? await fileDigest(file, { signal, dataExtents })
      : { sha256, sizeBytes: (await stat(file)).size };
  await objects.adopt(file, ref);
  await objects.flush();
  return { path, ...ref };
}

async function show(
  { store }: Pick<ArtifactDeps, 'store'>,
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
