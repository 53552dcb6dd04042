/** The next index of a local repository: the one before with packages added and removed, streamed. */

import { KubedosError } from '../errors.ts';
import type { Stanza } from '../formats/apt/deb822.ts';
import { PackageEntry, packageEntry } from '../formats/apt/packages.ts';
import { compareVersions } from '../formats/apt/version.ts';
import { comparePaths } from '../formats/path.ts';

/** A package on its way in. */
export interface Addition {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly component: string;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** As it goes into Packages. */
  readonly stanza: Stanza;
}

/** What is left out holds for all. */
export interface Removal {
  readonly name: string;
  readonly version?: string | undefined;
  readonly architecture?: string | undefined;
}

export interface IndexChange {
  readonly component: string;
  /** By name. Those of other components are not added, but have their say about what stays. */
  readonly additions: ReadonlyMap<string, readonly Addition[]>;
  readonly removals: ReadonlyMap<string, readonly Removal[]>;
  /** Packages of same identity or path with other bytes give way. */
  readonly force: boolean;
  /** Each package that stood in the index before and no longer does. */
  readonly onRemoved: (entry: PackageEntry) => void;
  /** Each addition that stood there already, with the same bytes. */
  readonly onUnchanged: (addition: Addition) => void;
  readonly origin: string;
}

/** `previous` and the result are sorted by the bytes of Package, then by version. Throws `repo.conflict`. */
export async function* mergeIndex(
  previous: AsyncIterable<Stanza> | Iterable<Stanza>,
  change: IndexChange,
): AsyncGenerator<Buffer> {
  const names = [...change.additions.keys()].sort(comparePaths);
  let next = 0;
  let group: Stanza[] = [];
  let groupName: string | undefined;
  for await (const stanza of previous) {
    const name = stanza.get('Package') ?? '';
    if (groupName !== undefined && name !== groupName) {
      yield* settle(groupName, group, change);
      groupName = undefined;
    }
    for (; next < names.length && comparePaths(names[next] as string, name) < 0; next++)
      yield* settle(names[next] as string, [], change);
    if (names[next] === name) next++;
    if (groupName === undefined && (change.additions.has(name) || change.removals.has(name))) {
      groupName = name;
      group = [];
    }
    if (groupName === undefined) yield stanza.raw;
    else group.push(stanza);
  }
  if (groupName !== undefined) yield* settle(groupName, group, change);
  for (; next < names.length; next++) yield* settle(names[next] as string, [], change);
}

/** All stanzas of one name that take part in the change. */
function settle(name: string, before: readonly Stanza[], change: IndexChange): Buffer[] {
  let kept: (PackageEntry | Addition)[] = [];
  for (const stanza of before) {
    const entry = packageEntry(stanza, change.origin);
    if (change.removals.get(name)?.some((removal) => matches(removal, entry))) change.onRemoved(entry);
    else kept.push(entry);
  }
  for (const addition of change.additions.get(name) ?? []) {
    const own = addition.component === change.component;
    const rivals = kept.filter((other) => sameIdentity(addition, other) || addition.path === other.path);
    const others = rivals.filter(({ sha256 }) => sha256 !== addition.sha256);
    if (others[0] !== undefined && !change.force) throw conflict(addition, others[0]);
    for (const other of others) if (other instanceof PackageEntry) change.onRemoved(other);
    kept = kept.filter((other) => !others.includes(other));
    if (own && others.length < rivals.length) change.onUnchanged(addition);
    else if (own) kept.push(addition);
  }
  return kept.sort(byVersion).map(({ stanza }) => stanza.raw);
}

function matches({ version, architecture }: Removal, entry: PackageEntry): boolean {
  return (
    (version === undefined || compareVersions(version, entry.version) === 0) &&
    (architecture === undefined || architecture === entry.architecture)
  );
}

type Identity = Pick<Addition, 'name' | 'version' | 'architecture' | 'sha256' | 'path'>;

/** What apt takes for the same: `1.0` and `0:1.0-0` are. */
export function sameIdentity(
  a: Pick<Identity, 'name' | 'version' | 'architecture'>,
  b: Pick<Identity, 'name' | 'version' | 'architecture'>,
): boolean {
  return a.name === b.name && a.architecture === b.architecture && compareVersions(a.version, b.version) === 0;
}

export function conflict(
  wanted: Identity,
  there: { readonly version: string; readonly path: string; readonly sha256?: string | undefined },
): KubedosError {
  const what = `${wanted.name} ${wanted.version} ${wanted.architecture}`;
  const which = there.version === wanted.version ? 'it' : `version ${there.version}, with the same file name,`;
  return new KubedosError(
    'repo.conflict',
    `add ${what}: ${which} is there already with other bytes: expected ${there.sha256 ?? '(unknown)'}, got ${wanted.sha256}`,
    {
      hint: 'give the package a new version; or force it, and clients that have the old one will not notice the change',
      details: { ...identityOf(wanted), there: { sha256: there.sha256, path: there.path } },
    },
  );
}

function identityOf({ name, version, architecture, sha256, path }: Identity): Identity {
  return { name, version, architecture, sha256, path };
}

function byVersion(a: PackageEntry | Addition, b: PackageEntry | Addition): number {
  return (
    compareVersions(a.version, b.version) ||
    comparePaths(a.architecture, b.architecture) ||
    comparePaths(a.sha256 ?? '', b.sha256 ?? '') ||
    comparePaths(a.path, b.path)
  );
}
