/** The documents beside the artifacts of an image: its contents and its provenance, each with a signature. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { queryRpm } from '../exec/rpm-query.ts';
import type { readSquashed } from '../exec/unsquashfs.ts';
import type { Run } from '../progress.ts';
import { readManifest } from '../store/manifest.ts';
import { withScratch } from '../store/scratch.ts';
import type { ManifestEntry, ObjectStore, Sha256, SnapshotMirror, Store } from '../store/types.ts';
import { imageName, provenanceName } from './image-list.ts';
import { type InstalledPackage, installedPackages } from './installed-packages.ts';
import { installedRpms, RPM_FIELDS } from './installed-rpms.ts';
import type { Layer } from './layer.ts';
import { digestRecipes, makeProvenance, type ProvenanceInput } from './provenance.ts';
import type { RecipeChain } from './recipe-chain.ts';
import { cyclonedxDocument, type SbomInput, spdxDocument } from './sbom.ts';
import { SILENCE } from './silence.ts';
import { uuidOf } from './uuid.ts';

export interface DescribeDeps {
  readonly store: Pick<Store, 'objects' | 'file'>;
  readonly readSquashed: typeof readSquashed;
  readonly queryRpm: typeof queryRpm;
  readonly sign: (bytes: Uint8Array, date: Date) => Promise<string>;
}

export interface DescribeRequest extends Omit<ProvenanceInput, 'byproducts' | 'recipes' | 'layers' | 'network'> {
  readonly chain: RecipeChain;
  /** Those that can be read, the lowest first. */
  readonly layers: readonly Layer[];
  /** Of all. */
  readonly keys: readonly Sha256[];
}

/** What is beside the artifacts, ready for the list. Not durable before `objects.flush()`. */
export async function describeImage(deps: DescribeDeps, request: DescribeRequest, run: Run): Promise<ManifestEntry[]> {
  const { chain, snapshot, layers, keys, version, mirrors } = request;
  const contents: SbomInput = {
    image: imageName(chain.name),
    snapshot: snapshot.id,
    time: snapshot.document.time,
    uuid: uuidOf(keys.at(-1) as Sha256, `contents of ${chain.name} of snapshot ${snapshot.id} by ${version}`),
    base: chain.base,
    packages: await packagesOf(deps, { layers, mirrors, chain }, run),
    version,
  };
  const { objects } = deps.store;
  const byproducts = [
    { path: `${chain.name}.spdx.json`, mediaType: 'application/spdx+json', bytes: spdxDocument(contents) },
    { path: `${chain.name}.cdx.json`, mediaType: 'application/vnd.cyclonedx+json', bytes: cyclonedxDocument(contents) },
  ];
  const stored = await Promise.all(
    byproducts.map(async ({ bytes, ...rest }) => ({ ...rest, ...(await objects.put([bytes])) })),
  );
  const about = { ...request, layers: keys, network: SILENCE, byproducts: stored };
  return signDocuments(deps, [...byproducts, await provenanceOf(about)], request.epoch);
}

/** Of an artifact that is no system of ours: its provenance alone. */
export async function describeMedium(
  deps: Pick<DescribeDeps, 'store' | 'sign'>,
  request: Omit<ProvenanceInput, 'byproducts' | 'recipes' | 'layers'>,
): Promise<ManifestEntry[]> {
  const provenance = await provenanceOf({ ...request, layers: [], byproducts: [] });
  return signDocuments(deps, [provenance], request.epoch);
}

interface SignedDocument {
  readonly path: string;
  readonly bytes: Buffer;
}

async function provenanceOf(request: Omit<ProvenanceInput, 'recipes'>): Promise<SignedDocument> {
  const { chain } = request;
  const bytes = makeProvenance({ ...request, recipes: await digestRecipes(chain) });
  return { path: provenanceName(chain.name), bytes };
}

async function signDocuments(
  { store: { objects }, sign }: Pick<DescribeDeps, 'store' | 'sign'>,
  documents: readonly SignedDocument[],
  epoch: number,
): Promise<ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  for (const { path, bytes } of documents) {
    const signature = await sign(bytes, new Date(epoch * 1000));
    entries.push({ path, ...(await objects.put([bytes])) });
    entries.push({ path: `${path}.asc`, ...(await objects.put([Buffer.from(signature)])) });
  }
  return entries;
}

const DPKG_STATUS = 'var/lib/dpkg/status';
const RPM_DATABASE = 'var/lib/rpm/rpmdb.sqlite';

/** Both dpkg and rpm write one file anew: that of the uppermost layer with one is that of the system. */
async function packagesOf(
  deps: DescribeDeps,
  { layers, mirrors, chain }: Pick<DescribeRequest, 'layers' | 'mirrors' | 'chain'>,
  { signal }: Run,
): Promise<InstalledPackage[]> {
  const { objects } = deps.store;
  if (chain.base.distribution === 'debian') {
    const status = await uppermost(deps, layers, DPKG_STATUS, signal);
    return installedPackages(status, await packageDigests(objects, mirrors, '.deb'));
  }
  const database = await uppermost(deps, layers, RPM_DATABASE, signal);
  const answer = await withScratch(deps.store, 'bake', async (folder) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, basename(RPM_DATABASE)), database);
    return deps.queryRpm(folder, RPM_FIELDS, signal);
  });
  return installedRpms(answer, await packageDigests(objects, mirrors, '.rpm'));
}

async function uppermost(
  { readSquashed }: DescribeDeps,
  layers: readonly Layer[],
  path: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  for (const { file } of [...layers].reverse()) {
    const found = await readSquashed(file, path, signal);
    if (found !== undefined) return found;
  }
  throw new KubedosError('bake.failed', `describe the system: none of its layers has /${path}`);
}

/** SHA-256 by file name. A name that stands for two files is left out: nobody knows which one was taken. */
async function packageDigests(
  objects: ObjectStore,
  mirrors: readonly SnapshotMirror[],
  ending: string,
): Promise<ReadonlyMap<string, Sha256>> {
  const digests = new Map<string, Sha256>();
  const ambiguous = new Set<string>();
  for (const { manifest } of mirrors)
    for await (const { path, sha256 } of readManifest(objects, manifest.root)) {
      if (!path.endsWith(ending)) continue;
      // Some archives write the colon of an epoch, or encode it.
      const name = path.slice(path.lastIndexOf('/') + 1).replace(/_\d+(?::|%3a)/i, '_');
      if ((digests.get(name) ?? sha256) !== sha256) ambiguous.add(name);
      digests.set(name, sha256);
    }
  for (const name of ambiguous) digests.delete(name);
  return digests;
}
