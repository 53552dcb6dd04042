/** What the catalog is told of a mirror of rpm repositories that it knows: records that stand in both lists are not read. */
import type { ListingChange, PackageRow } from '../../catalog/types.ts';
import { KEYS_FILE, repositoryOf } from '../../formats/rpm/layout.ts';
import { primaryChanges } from '../../formats/rpm/primary-records.ts';
import { diffManifests } from '../../store/manifest.ts';
import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ObjectStore, Sha256 } from '../../store/types.ts';
import { storedIndex } from '../stored-file.ts';
import { type Primary, primaryOf, recordRow } from './package-rows.ts';

/** Of both lists together. */
const MAX_CHANGES = 4000;
const NO_RECORDS = [Buffer.from('<metadata></metadata>')];

export interface RowChanges {
  readonly added: readonly PackageRow[];
  readonly removed: readonly PackageRow[];
}

/**
 * As of rpmPackageRows for both, the rows that only one of them has. Undefined where the whole list has to be read:
 * where the two differ in much, or where a package lies where it did but is told of otherwise.
 */
export async function rpmRowChanges(
  objects: ObjectStore,
  { before, root }: Pick<ListingChange, 'root'> & { readonly before: Sha256 },
): Promise<RowChanges | undefined> {
  const listed = await listedChanges(objects, before, root);
  if (listed === undefined) return undefined;
  const { files, primaries } = listed;
  const rows: { added: PackageRow[]; removed: PackageRow[] } = { added: [], removed: [] };
  for (const { removed, added, origin } of primaries) {
    const read = (primary: Primary | undefined) => (primary ? storedIndex(objects, primary.file) : NO_RECORDS);
    const changes = await primaryChanges(read(removed), read(added), origin);
    if (changes === undefined) return undefined;
    for (const [which, primary] of Object.entries({ removed, added }) as ['removed' | 'added', Primary][]) {
      for (const record of changes[which]) {
        const { pkgid, ...row } = recordRow(record, primary);
        // One whose checksum is not the name of an object may be answered otherwise than before.
        if (pkgid === undefined) return undefined;
        rows[which].push({ ...row, sha256: pkgid });
        files.delete(row.path);
      }
    }
  }
  // One that no record explains: of a repository whose checksums do not name objects, or missing before.
  if (files.size > 0) return undefined;
  // Another record may list it still.
  const reader = new ManifestReader(objects);
  for (const { path, sha256 } of rows.removed)
    if ((await reader.lookup(root, path))?.sha256 === sha256) return undefined;
  return rows;
}

interface ListedChanges {
  /** Paths beside the metadata that are not the same in both lists. */
  readonly files: Set<string>;
  /** Of the repositories with news; one that is new or gone has one of both. */
  readonly primaries: readonly PrimaryPair[];
}

interface PrimaryPair {
  readonly origin: string;
  readonly removed: Primary | undefined;
  readonly added: Primary | undefined;
}

/** By what differs between the lists, so that repositories without news are not looked at; undefined where it is much. */
async function listedChanges(objects: ObjectStore, before: Sha256, root: Sha256): Promise<ListedChanges | undefined> {
  const files = new Set<string>();
  const primaries: PrimaryPair[] = [];
  for await (const change of diffManifests(objects, before, root)) {
    const { path } = change;
    if (!/(?:^|\/)repodata\//.test(path) && path !== KEYS_FILE) files.add(path);
    if (files.size > MAX_CHANGES) return undefined;
    const folder = repositoryOf(path);
    if (folder === undefined) continue;
    const [removed] = change.before ? await primaryOf(objects, before, { folder, repomd: change.before }) : [];
    const [added] = change.after ? await primaryOf(objects, root, { folder, repomd: change.after }) : [];
    if (removed?.file.sha256 !== added?.file.sha256) primaries.push({ origin: path, removed, added });
  }
  return { files, primaries };
}
