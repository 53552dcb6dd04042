/** What the primary of a repository lists: where each package lies, and by what it is known. */
import { KubedosError } from '../../errors.ts';
import type { Nevra } from '../../formats/rpm/package.ts';
import { type PrimaryPlace, primaryPlace } from '../../formats/rpm/primary.ts';
import { primaryRecords } from '../../formats/rpm/primary-records.ts';
import { quickestRecord } from '../../formats/rpm/quickest-record.ts';
import { checksumAlgorithm, checksumHex, hrefPath, type RpmChecksum } from '../../formats/rpm/repomd.ts';
import type { ObjectStore } from '../../store/types.ts';
import { elsewhere, type PresentRecord, recordContent } from './records.ts';
import type { RepositoryState } from './repository-state.ts';

export interface ListedPackage {
  readonly nevra: Nevra;
  /** From the root of the mirror. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly checksum: RpmChecksum;
}

/** In the order of primary, as many at once as it comes in. `sync.incomplete` where the repository has no primary. */
export async function* listedPackages(
  objects: ObjectStore,
  state: RepositoryState,
  records: readonly PresentRecord[],
): AsyncGenerator<ListedPackage[]> {
  const { folder } = state.request;
  const primary = primaryOf(state, records);
  const origin = primary.path;
  for await (const batch of primaryRecords(recordContent(objects, primary), origin))
    yield batch.map((record) => listedPackage(primaryPlace(record, origin), folder, origin));
}

/** `sync.incomplete` where the repository has none. */
export function primaryOf(state: RepositoryState, records: readonly PresentRecord[]): PresentRecord {
  const wanted = quickestRecord(state.repomd.records, 'primary');
  const primary = records.find(({ record }) => record === wanted);
  if (primary === undefined) throw missingPrimary(state.request.source);
  return primary;
}

/** As a record of a primary tells it; `folder`: of its repository. Errors for what is not canonical, or lies elsewhere. */
export function listedPackage(place: PrimaryPlace, folder: string, origin: string): ListedPackage {
  const { name, epoch, version, release, arch, packageBytes } = place;
  const what = `${origin}: ${name}`;
  const at = folderOf(place, folder, what);
  const algorithm = checksumAlgorithm(place.checksumType);
  if (algorithm === undefined)
    throw new KubedosError('trust.weak-digest', `${what}: unknown kind of checksum ${place.checksumType}`);
  return {
    nevra: { name, epoch, version, release, arch },
    path: hrefPath(place.href, what, at),
    sizeBytes: packageBytes,
    checksum: { algorithm, hex: checksumHex(place.pkgid, algorithm, what) },
  };
}

export function missingPrimary(source: string): KubedosError {
  return new KubedosError('sync.incomplete', `sync ${source}: its repomd.xml lists no primary`, {
    hint: 'a repository without packages has one, too; ask its owner',
  });
}

/** `xml:base` may be relative to the repository; another place is none of ours. */
function folderOf({ base }: PrimaryPlace, folder: string, what: string): string {
  if (base === undefined || base === '' || base === '.') return folder;
  if (/^[a-z][a-z0-9+.-]*:|^\//i.test(base)) throw elsewhere(what, base);
  return hrefPath(base, what, folder);
}
