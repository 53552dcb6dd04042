/** Which packages meet a dependency: names, virtual packages, versions and architectures (Debian Policy 7.1, 7.5; multi-arch). */
import { type Relation, versionSatisfies } from '../../../formats/apt/dependency.ts';
import type { PackageTable, Row } from './package-table.ts';

export interface Candidates {
  /** Packages of the name itself, best first: newest, then the preferred index. */
  readonly real: readonly Row[];
  /** Providers of the name, best first: see `compareProviders`. */
  readonly providers: readonly Row[];
}

export interface CandidateFinder {
  readonly table: PackageTable;
  /** False for what the spec excludes. */
  readonly allowed: (row: Row) => boolean;
}

/**
 * Everything that meets a relation on a host of `architecture`. `name:arch` asks for that architecture, `name:any` for
 * packages that are `Multi-Arch: allowed`; without a qualifier it is the host's architecture or `all`. That a package
 * of another architecture is `Multi-Arch: foreign` does not count: each architecture gets a selection whole in itself.
 */
export function candidatesFor(finder: CandidateFinder, relation: Relation, architecture: string): Candidates {
  const { table } = finder;
  const name = table.names.find(relation.name);
  if (name < 0) return { real: [], providers: [] };
  const fits = fitsArchitecture(finder, relation.archQualifier, architecture);
  const real: Row[] = [];
  for (const row of table.rowsOf(name)) if (fits(row) && meets(relation, table.version(row))) real.push(row);
  const providers: Row[] = [];
  for (const { row, version } of table.providersOf(name))
    if (table.nameId(row) !== name && fits(row) && meets(relation, version)) providers.push(row);
  return {
    real: real.sort((a, b) => table.compare(a, b)),
    providers: [...new Set(providers)].sort((a, b) => compareProviders(table, a, b)),
  };
}

/** The architecture that what a relation brings in is for. */
export function architectureFor(relation: Relation, architecture: string): string {
  const { archQualifier } = relation;
  return archQualifier === undefined || archQualifier === 'any' || archQualifier === 'native'
    ? architecture
    : archQualifier;
}

function fitsArchitecture(
  { table, allowed }: CandidateFinder,
  qualifier: string | undefined,
  architecture: string,
): (row: Row) => boolean {
  const wanted = table.architectureId(
    qualifier === undefined || qualifier === 'any' || qualifier === 'native' ? architecture : qualifier,
  );
  const all = table.architectureId('all');
  return (row) => {
    const have = table.architectureIdOf(row);
    if (have !== wanted && have !== all) return false;
    if (qualifier === 'any' && table.multiArch(row) !== 'allowed') return false;
    return allowed(row);
  };
}

/** An unversioned Provides meets no versioned dependency. */
function meets(relation: Relation, version: string | undefined): boolean {
  if (relation.version === undefined) return true;
  return version !== undefined && versionSatisfies(relation.version.relation, version, relation.version.version);
}

/**
 * Essential before others, then by priority, as apt orders providers (CompareProviders in apt's depcache.cc); where apt
 * takes what its cache holds first, we take the first name and its newest version.
 */
function compareProviders(table: PackageTable, a: Row, b: Row): number {
  return (
    Number(table.essential(b)) - Number(table.essential(a)) ||
    table.priorityRank(a) - table.priorityRank(b) ||
    table.compare(a, b)
  );
}
