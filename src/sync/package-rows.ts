/** What the catalog knows of a mirror, read from its manifest alone: so it can be rebuilt at any time. */
import type { PackageRow } from '../catalog/types.ts';
import { readManifest } from '../store/manifest.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from '../store/types.ts';
import { folderOf } from './archive-layout.ts';
import { storedPackages } from './index-read.ts';

const PACKAGES = /(?:^|\/)Packages(?:\.(?:zst|gz|xz))?$/;
const QUICKEST = ['.zst', '.gz', 'Packages', '.xz'];

/** Every package of every Packages index on the list. A package in several indexes comes several times. */
export async function* packageRows(objects: ObjectStore, root: Sha256): AsyncGenerator<PackageRow> {
  for (const index of (await packagesIndexes(objects, root)).values()) {
    for await (const entry of storedPackages(objects, index)) {
      if (entry.sha256 === undefined) continue;
      yield {
        family: 'apt',
        name: entry.name,
        version: entry.version,
        architecture: entry.architecture,
        source: entry.source.name,
        section: entry.section ?? '',
        description: entry.synopsis,
        sha256: entry.sha256,
        path: entry.path,
      };
    }
  }
}

/** One form of each index, by folder. Indexes of the installer's packages are not for people to search. */
async function packagesIndexes(objects: ObjectStore, root: Sha256): Promise<Map<string, ManifestEntry>> {
  const found = new Map<string, ManifestEntry>();
  const rank = ({ path }: ManifestEntry): number => QUICKEST.findIndex((ending) => path.endsWith(ending));
  const consider = (entry: ManifestEntry): void => {
    if (!PACKAGES.test(entry.path) || entry.path.includes('/debian-installer/')) return;
    const folder = folderOf(entry.path);
    const best = found.get(folder);
    if (best === undefined || rank(entry) < rank(best)) found.set(folder, entry);
  };
  for await (const entry of readManifest(objects, root, { prefix: 'dists/' })) consider(entry);
  if (found.size > 0) return found;
  for await (const entry of readManifest(objects, root)) consider(entry);
  return found;
}
