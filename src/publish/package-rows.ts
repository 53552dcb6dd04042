/** What the catalog says of a mirror, read from its manifest alone: so that it can be rebuilt at any time. */
import type { PackageRow } from '../catalog/types.ts';
import { KubedosError } from '../errors.ts';
import { packagesStanza, readDeb } from '../formats/apt/deb.ts';
import { type PackageEntry, packageEntry } from '../formats/apt/packages.ts';
import { readManifest } from '../store/manifest.ts';
import type { ManifestEntry, ObjectStore, RepositoryKind, Sha256 } from '../store/types.ts';
import { storedBytes, storedStanzas } from './stored-file.ts';
import { rpmPackageRows } from './yum/package-rows.ts';

const PACKAGES = /(?:^|\/)Packages(?:\.(?:zst|gz|xz))?$/;
/** By how quickly they unpack. */
const ENDINGS = ['.zst', '.gz', '/Packages', '.xz'];
/** Packages of the installer are not for people to search. */
const INSTALLER = '/debian-installer/';

export function packageRow(entry: PackageEntry): Omit<PackageRow, 'sha256'> {
  return {
    family: 'apt',
    name: entry.name,
    version: entry.version,
    architecture: entry.architecture,
    source: entry.source.name,
    section: entry.section ?? '',
    description: entry.synopsis,
    path: entry.path,
  };
}

/** The packages of a mirror, of whichever kind it is; none of one of plain files. */
export async function* mirrorRows(
  objects: ObjectStore,
  mirror: { readonly kind: RepositoryKind; readonly root: Sha256 },
): AsyncGenerator<PackageRow> {
  if (mirror.kind === 'apt') yield* packageRows(objects, mirror.root);
  if (mirror.kind === 'yum') yield* rpmPackageRows(objects, mirror.root);
}

/**
 * Every package of every Packages index on the list; one that is in several indexes comes several times. Where there is
 * no index at all, or one names no SHA-256, the .deb files themselves are read.
 */
export async function* packageRows(objects: ObjectStore, root: Sha256): AsyncGenerator<PackageRow> {
  const indexes = await findIndexes(objects, root);
  let complete = indexes.length > 0;
  for (const index of indexes) {
    for await (const stanza of storedStanzas(objects, index)) {
      const entry = packageEntry(stanza, index.path);
      if (entry.sha256 !== undefined) yield { ...packageRow(entry), sha256: entry.sha256 };
      else complete = false;
    }
  }
  if (!complete) yield* rowsOfFiles(objects, root);
}

/** One form of each index. Below dists/ if there is any there; else of a flat repository, wherever it lies. */
async function findIndexes(objects: ObjectStore, root: Sha256): Promise<ManifestEntry[]> {
  for (const prefix of ['dists/', '']) {
    const found = new Map<string, ManifestEntry>();
    for await (const entry of readManifest(objects, root, { prefix })) {
      if (!PACKAGES.test(entry.path) || entry.path.includes(INSTALLER)) continue;
      const folder = entry.path.slice(0, entry.path.lastIndexOf('/') + 1);
      const best = found.get(folder);
      if (best === undefined || rank(entry) < rank(best)) found.set(folder, entry);
    }
    if (found.size > 0) return [...found.values()];
  }
  return [];
}

function rank({ path }: ManifestEntry): number {
  return ENDINGS.findIndex((ending) => `/${path}`.endsWith(ending));
}

/** A file that is no package, whatever its name says, is none for the catalog either. */
async function* rowsOfFiles(objects: ObjectStore, root: Sha256): AsyncGenerator<PackageRow> {
  for await (const entry of readManifest(objects, root)) {
    if (!entry.path.endsWith('.deb')) continue;
    try {
      const { control } = await readDeb(storedBytes(objects, entry), entry.path);
      const { sha256 } = entry;
      yield { ...packageRow(packageEntry(packagesStanza(control, entry), entry.path)), sha256 };
    } catch (error) {
      if (!(error instanceof KubedosError && error.code.startsWith('format.'))) throw error;
    }
  }
}
