/** What the catalog says of a mirror of rpm repositories, read from its manifest alone. */
import type { PackageRow } from '../../catalog/types.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import { type Nevra, type PackageFacts, showEvr, sourceName } from '../../formats/rpm/package.ts';
import { type PrimaryPackage, primaryPackage, primaryRecords } from '../../formats/rpm/primary.ts';
import { quickestRecord } from '../../formats/rpm/quickest-record.ts';
import { checksumAlgorithm, hrefPath, parseRepomd } from '../../formats/rpm/repomd.ts';
import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ObjectStore, Sha256 } from '../../store/types.ts';
import { storedDocument, storedIndex } from '../stored-file.ts';
import { mirrorRepositories } from './repositories.ts';

/** Every package of every repository on the list that is there. */
export async function* rpmPackageRows(objects: ObjectStore, root: Sha256): AsyncGenerator<PackageRow> {
  const reader = new ManifestReader(objects);
  for (const { folder, repomd } of await mirrorRepositories(objects, root)) {
    const { records } = await parseRepomd(await storedDocument(objects, repomd), repomd.path);
    const record = quickestRecord(records, 'primary');
    const primary = record && (await reader.lookup(root, inFolder(folder, record.path)));
    if (primary === undefined) continue;
    for await (const batch of primaryRecords(storedIndex(objects, primary), primary.path)) {
      for (const bytes of batch) {
        const entry = primaryPackage(bytes, primary.path);
        const path = hrefPath(entry.href, primary.path, baseFolder(entry, folder));
        const sha256 =
          checksumAlgorithm(entry.checksumType) === 'sha256' ? entry.pkgid : (await reader.lookup(root, path))?.sha256;
        if (sha256 !== undefined) yield { ...rpmRow(entry), path, sha256 };
      }
    }
  }
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
