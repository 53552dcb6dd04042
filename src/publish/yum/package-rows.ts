/** What the catalog says of a mirror of rpm repositories, read from its manifest alone. */
import type { PackageRow } from '../../catalog/types.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import { type Nevra, type PackageFacts, showEvr, sourceName } from '../../formats/rpm/package.ts';
import { type PrimaryPackage, primaryPackage } from '../../formats/rpm/primary.ts';
import { primaryRecords } from '../../formats/rpm/primary-records.ts';
import { quickestRecord } from '../../formats/rpm/quickest-record.ts';
import { checksumAlgorithm, hrefPath, parseRepomd } from '../../formats/rpm/repomd.ts';
import { lookupPath } from '../../store/manifest.ts';
import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from '../../store/types.ts';
import { storedDocument, storedIndex } from '../stored-file.ts';
import { type MirrorRepository, mirrorRepositories } from './repositories.ts';

/** The primary of a repository of a mirror. */
export interface Primary {
  /** Of the repository. */
  readonly folder: string;
  readonly file: ManifestEntry;
}

/** Of every repository on the list that has one, sorted by folder. */
export async function primariesOf(objects: ObjectStore, root: Sha256): Promise<Primary[]> {
  const primaries: Primary[] = [];
  for (const repository of await mirrorRepositories(objects, root))
    primaries.push(...(await primaryOf(objects, root, repository)));
  return primaries;
}

/** None where its repomd.xml names none, or one that the list lacks. */
export async function primaryOf(
  objects: ObjectStore,
  root: Sha256,
  { folder, repomd }: MirrorRepository,
): Promise<Primary[]> {
  const { records } = await parseRepomd(await storedDocument(objects, repomd), repomd.path);
  const record = quickestRecord(records, 'primary');
  const file = record && (await lookupPath(objects, root, inFolder(folder, record.path)));
  return file ? [{ folder, file }] : [];
}

export function recordsOf(objects: ObjectStore, { file }: Primary): AsyncGenerator<Buffer[]> {
  return primaryRecords(storedIndex(objects, file), file.path);
}

/** Every package of every repository on the list that is there. */
export async function* rpmPackageRows(objects: ObjectStore, root: Sha256): AsyncGenerator<PackageRow> {
  const reader = new ManifestReader(objects);
  for (const primary of await primariesOf(objects, root)) {
    for await (const batch of recordsOf(objects, primary)) {
      for (const bytes of batch) {
        const { pkgid, ...row } = recordRow(bytes, primary);
        const sha256 = pkgid ?? (await reader.lookup(root, row.path))?.sha256;
        if (sha256 !== undefined) yield { ...row, sha256 };
      }
    }
  }
}

/** What a record says of its package; `pkgid` where that is its SHA-256. */
export function recordRow(
  bytes: Buffer,
  { folder, file }: Primary,
): Omit<PackageRow, 'sha256'> & { readonly pkgid: string | undefined } {
  const entry = primaryPackage(bytes, file.path);
  const path = hrefPath(entry.href, file.path, baseFolder(entry, folder));
  const pkgid = checksumAlgorithm(entry.checksumType) === 'sha256' ? entry.pkgid : undefined;
  return { ...rpmRow(entry), path, pkgid };
}

export function rpmRow(
  entry: Pick<PackageFacts, keyof Nevra | 'sourceRpm' | 'group' | 'summary'>,
): Omit<PackageRow, 'sha256' | 'path'> {
  const { name, arch, group, summary } = entry;
  return {
    family: 'yum',
    name,
    version: showEvr(entry),
    architecture: arch,
    source: sourceName(entry),
    section: group,
    description: summary.split('\n', 1)[0] ?? '',
  };
}

function baseFolder({ base }: PrimaryPackage, folder: string): string {
  return base === undefined || base === '' || base === '.' ? folder : hrefPath(base, 'xml:base', folder);
}
