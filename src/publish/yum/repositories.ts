/** Which repositories a mirror has, by its list. */
import { repositoryOf } from '../../formats/rpm/layout.ts';
import { readManifest } from '../../store/manifest.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from '../../store/types.ts';

export interface MirrorRepository {
  readonly folder: string;
  readonly repomd: ManifestEntry;
}

/** Sorted by path. */
export async function mirrorRepositories(objects: ObjectStore, root: Sha256): Promise<MirrorRepository[]> {
  const found: MirrorRepository[] = [];
  for await (const entry of readManifest(objects, root)) {
    const folder = repositoryOf(entry.path);
    if (folder !== undefined) found.push({ folder, repomd: entry });
  }
  return found;
}
