import { compareVersions } from '../formats/apt/version.ts';
import { comparePaths } from '../formats/path.ts';
import { compareEvr, parseEvr } from '../formats/rpm/version.ts';
import type { Sha256 } from '../store/types.ts';
import type { PackageIdentity } from './package-lookup.ts';

/** A package at one path of a mirror. */
export interface PackageFile extends PackageIdentity {
  readonly path: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

export type PackageChangeKind = 'added' | 'removed' | 'upgraded' | 'downgraded' | 'rebuilt' | 'moved';

/** Of one name and architecture. `before` is null for what was added, `after` for what was removed. */
export interface PackageChange {
  readonly kind: PackageChangeKind;
  readonly name: string;
  readonly architecture: string;
  readonly before: PackageFile | null;
  readonly after: PackageFile | null;
}

/**
 * Pairs what is gone with what is new by name and architecture: the same bytes at another path (moved), the same
 * version with other bytes (rebuilt), and of the rest newest with newest (upgraded, downgraded). Sorted by name,
 * architecture, newest version first.
 */
export function pairPackages(gone: readonly PackageFile[], added: readonly PackageFile[]): PackageChange[] {
  const groups = new Map<string, { before: PackageFile[]; after: PackageFile[] }>();
  const groupOf = ({ name, architecture }: PackageFile) => {
    const key = `${name} ${architecture}`;
    const group = groups.get(key) ?? { before: [], after: [] };
    groups.set(key, group);
    return group;
  };
  for (const file of gone) groupOf(file).before.push(file);
  for (const file of added) groupOf(file).after.push(file);
  return [...groups.values()].flatMap(({ before, after }) => pairGroup(before, after)).sort(compareChanges);
}

function pairGroup(before: PackageFile[], after: PackageFile[]): PackageChange[] {
  const newestFirst = (a: PackageFile, b: PackageFile) => compareFiles(b, a) || comparePaths(a.path, b.path);
  const old = [...before].sort(newestFirst);
  const fresh = [...after].sort(newestFirst);
  const changes: PackageChange[] = [];
  const take = (kind: PackageChangeKind, alike: (a: PackageFile, b: PackageFile) => boolean) => {
    for (const [at, one] of [...old.entries()].reverse()) {
      const match = fresh.findIndex((other) => alike(one, other));
      const [taken] = match < 0 ? [] : fresh.splice(match, 1);
      if (taken === undefined) continue;
      old.splice(at, 1);
      changes.push(change(kind, one, taken));
    }
  };
  take('moved', (a, b) => a.sha256 === b.sha256);
  take('rebuilt', (a, b) => a.version === b.version);
  for (let at = 0; at < Math.max(old.length, fresh.length); at++) {
    const [one = null, other = null] = [old[at], fresh[at]];
    changes.push(change(kindOf(one, other), one, other));
  }
  return changes;
}

function kindOf(before: PackageFile | null, after: PackageFile | null): PackageChangeKind {
  if (before === null) return 'added';
  if (after === null) return 'removed';
  const order = compareFiles(before, after);
  return order < 0 ? 'upgraded' : order > 0 ? 'downgraded' : 'rebuilt';
}

function change(kind: PackageChangeKind, before: PackageFile | null, after: PackageFile | null): PackageChange {
  const { name, architecture } = (after ?? before) as PackageFile;
  return { kind, name, architecture, before, after };
}

function compareChanges(a: PackageChange, b: PackageChange): number {
  const file = ({ before, after }: PackageChange) => (after ?? before) as PackageFile;
  return comparePaths(a.name, b.name) || comparePaths(a.architecture, b.architecture) || compareFiles(file(b), file(a));
}

/** By version, in the order of dpkg or of rpm: a mirror holds packages of one kind. */
function compareFiles(a: PackageFile, b: PackageFile): number {
  return isRpm(a) ? compareEvr(parseEvr(a.version), parseEvr(b.version)) : compareVersions(a.version, b.version);
}

export function isRpm({ path }: Pick<PackageFile, 'path'>): boolean {
  return path.endsWith('.rpm');
}
