/** What a change does to each package of a repository, and the records that come of it. */
import { KubedosError } from '../../errors.ts';
import { comparePaths } from '../../formats/path.ts';
import { type Nevra, showEvr, showNevra } from '../../formats/rpm/package.ts';
import { primaryPlace } from '../../formats/rpm/primary.ts';
import type { KeptPiece, MetadataRecord, MetadataType } from '../../formats/rpm/publication.ts';
import { groupBy } from '../../store/group-by.ts';
import type { Removal } from '../merge-index.ts';
import type { ChangedPackage, Outcome } from '../repo-outcome.ts';
import type { RecordFile } from './record-file.ts';
import type { RpmAddition } from './rpm-intake.ts';
import type { StoredPiece, StoredRecord } from './stored-metadata.ts';

export interface RpmChange {
  readonly additions: readonly RpmAddition[];
  readonly removals: readonly Removal[];
  /** Packages of the same NEVRA or path with other bytes give way. */
  readonly force: boolean;
  readonly origin: string;
}

export interface Settled {
  /** New ones, by name, then pkgid. */
  readonly additions: readonly RpmAddition[];
  /** By pkgid. */
  readonly removed: ReadonlySet<string>;
  /** How many there will be. */
  readonly packages: number;
}

/** The names of packages that may come or go. */
export function touchedNames({ additions, removals }: Pick<RpmChange, 'additions' | 'removals'>): ReadonlySet<string> {
  return new Set([...additions.map(({ nevra }) => nevra.name), ...removals.map(({ name }) => name)]);
}

/** Reads the primary of before; only names that the change touches are looked at closer. Throws `repo.conflict`. */
export async function settleChange(
  primary: AsyncIterable<StoredRecord[] | StoredPiece>,
  change: RpmChange,
  outcome: Outcome,
): Promise<Settled> {
  const additions = uniqueAdditions(change);
  const byName = groupBy(additions.values(), ({ nevra }) => nevra.name);
  const removals = groupBy(change.removals, ({ name }) => name);
  const removed = new Set<string>();
  let packages = 0;
  for await (const part of primary) {
    const batch = Array.isArray(part) ? part : [];
    packages += Array.isArray(part) ? part.length : part.packages;
    for (const record of batch) {
      const rivals = byName.get(record.name) ?? [];
      const unwanted = removals.get(record.name) ?? [];
      if (rivals.length === 0 && unwanted.length === 0) continue;
      const there = placeOf(record, change.origin);
      if (goes(there, rivals, unwanted, change)) {
        removed.add(record.pkgid);
        outcome.removed.set(`${there.path} ${record.pkgid}`, changed(there));
      } else if (additions.delete(record.pkgid)) outcome.keep(changed(there));
    }
  }
  const rest = [...additions.values()].sort(compareRecords);
  return { additions: rest, removed, packages: packages - removed.size + rest.length };
}

interface Placed {
  readonly nevra: Nevra;
  readonly path: string;
  readonly sha256: string;
}

function placeOf(record: StoredRecord, origin: string): Placed {
  const place = primaryPlace(record.bytes, origin);
  return { nevra: place, path: place.href, sha256: record.pkgid };
}

/** Each once; two of one NEVRA are a conflict whatever `force` says. */
function uniqueAdditions({ additions, origin }: RpmChange): Map<string, RpmAddition> {
  const byPath = new Map<string, RpmAddition>();
  for (const addition of additions) {
    const other = byPath.get(addition.path);
    if (other !== undefined && other.sha256 !== addition.sha256) throw conflict(origin, other, addition, false);
    byPath.set(addition.path, addition);
  }
  return new Map([...byPath.values()].map((each) => [each.sha256, each]));
}

function goes(
  there: Placed,
  rivals: readonly RpmAddition[],
  unwanted: readonly Removal[],
  { force, origin }: RpmChange,
): boolean {
  if (unwanted.some((removal) => isMeant(removal, there.nevra))) return true;
  const rival = rivals.find(({ path, sha256 }) => path === there.path && sha256 !== there.sha256);
  if (rival === undefined) return false;
  if (force) return true;
  throw conflict(origin, there, rival, true);
}

/** A version may be given as `1.2`, `1.2-3` or with its epoch. */
function isMeant({ version, architecture }: Removal, { epoch, version: own, release, arch }: Nevra): boolean {
  if (architecture !== undefined && architecture !== arch) return false;
  return version === undefined || [own, `${own}-${release}`, `${epoch}:${own}-${release}`].includes(version);
}

function conflict(origin: string, there: Placed, coming: Placed, forcible: boolean): KubedosError {
  return new KubedosError(
    'repo.conflict',
    `add ${showNevra(coming.nevra)} to ${origin}: it is there with other bytes, ${there.sha256}, not ${coming.sha256}`,
    {
      hint: forcible
        ? 'give the new build another release; or `--force` replaces it, and clients that have it see no change'
        : 'give one of the two another release',
    },
  );
}

export function changed({ nevra, path, sha256 }: Placed): ChangedPackage {
  return { name: nevra.name, version: showEvr(nevra), architecture: nevra.arch, path, sha256 };
}

/** The records of before without what goes, and with what comes. */
export async function* mergedRecords(
  before: AsyncIterable<StoredRecord[] | KeptPiece>,
  { additions, removed }: Settled,
  of: { readonly type: MetadataType; readonly file: RecordFile },
): AsyncGenerator<MetadataRecord | KeptPiece> {
  let next = 0;
  const own = async (addition: RpmAddition): Promise<MetadataRecord> => ({
    name: addition.nevra.name,
    bytes: await of.file.read(addition.records[of.type]),
  });
  async function* ownBefore(place: Place): AsyncGenerator<MetadataRecord> {
    for (let coming = additions[next]; isBefore(coming, place); coming = additions[next]) {
      yield await own(coming);
      next += 1;
    }
  }
  for await (const part of before) {
    if (!Array.isArray(part)) {
      yield* ownBefore({ name: part.first, pkgid: '' });
      yield part;
      continue;
    }
    for (const record of part) {
      if (removed.has(record.pkgid)) continue;
      if (isBefore(additions[next], record)) yield* ownBefore(record);
      yield record;
    }
  }
  for (const addition of additions.slice(next)) yield await own(addition);
}

type Place = Pick<StoredRecord, 'name' | 'pkgid'>;

function isBefore(coming: RpmAddition | undefined, { name, pkgid }: Place): coming is RpmAddition {
  return coming !== undefined && (comparePaths(coming.nevra.name, name) || comparePaths(coming.sha256, pkgid)) < 0;
}

function compareRecords(a: RpmAddition, b: RpmAddition): number {
  return comparePaths(a.nevra.name, b.nevra.name) || comparePaths(a.sha256, b.sha256);
}
