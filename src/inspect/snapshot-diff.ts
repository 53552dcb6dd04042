import { KubedosError } from '../errors.ts';
import { diffManifests } from '../store/manifest.ts';
import type { ManifestEntry, ManifestRef, Snapshot, SnapshotMirror, Store } from '../store/types.ts';
import { type AdvisoryChange, newAdvisories } from './advisories.ts';
import type { LookupPackages } from './package-lookup.ts';
import { type PackageChange, type PackageFile, pairPackages } from './package-pairs.ts';

/** A file that is no package: an index, an image. `null` where it is not there. */
export interface FileChange {
  readonly path: string;
  readonly before: { readonly sha256: string; readonly sizeBytes: number } | null;
  readonly after: { readonly sha256: string; readonly sizeBytes: number } | null;
}

export interface MirrorDiff {
  readonly name: string;
  /** Of a mirror that only one of the snapshots has, the totals are given and no packages. */
  readonly state: 'added' | 'removed' | 'changed' | 'unchanged';
  readonly before: Totals | null;
  readonly after: Totals | null;
  /** Sorted by name, architecture, newest version first. */
  readonly packages: readonly PackageChange[];
  /** Sorted by path. */
  readonly files: readonly FileChange[];
  /** Of rpm repositories: what they say of packages that came. Security first, then by id. */
  readonly advisories: readonly AdvisoryChange[];
}

export interface Totals {
  readonly files: number;
  readonly bytes: number;
}

export interface SnapshotDiff {
  readonly before: SnapshotName;
  readonly after: SnapshotName;
  /** Sorted by name. */
  readonly mirrors: readonly MirrorDiff[];
}

export interface SnapshotName {
  readonly id: string;
  readonly time: string;
}

/**
 * What changed from one snapshot to another, by package: snapshots by id, prefix, tag or channel. Costs what changed:
 * equal chunks of the lists are not read, and only objects that are new or gone are looked up.
 */
export async function diffSnapshots(
  store: Pick<Store, 'objects' | 'snapshots'>,
  lookupPackages: LookupPackages,
  range: { readonly before: string; readonly after: string; readonly signal?: AbortSignal | undefined },
): Promise<SnapshotDiff> {
  const before = await store.snapshots.resolve(range.before);
  const after = await store.snapshots.resolve(range.after);
  const [old, now] = [mirrorsOf(before), mirrorsOf(after)];
  const mirrors: MirrorDiff[] = [];
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const pair = { before: old.get(name), after: now.get(name) };
    mirrors.push(await diffMirror(store, lookupPackages, { name, ...pair, signal: range.signal }));
  }
  return { before: nameOf(before), after: nameOf(after), mirrors };
}

async function diffMirror(
  store: Pick<Store, 'objects'>,
  lookupPackages: LookupPackages,
  mirror: {
    readonly name: string;
    readonly before: SnapshotMirror | undefined;
    readonly after: SnapshotMirror | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<MirrorDiff> {
  const [before, after] = [mirror.before?.manifest, mirror.after?.manifest];
  const totals = { name: mirror.name, before: totalsOf(before), after: totalsOf(after) };
  const nothing = { packages: [], files: [], advisories: [] };
  if (before === undefined || after === undefined)
    return { ...totals, state: before === undefined ? 'added' : 'removed', ...nothing };
  if (before.root === after.root) return { ...totals, state: 'unchanged', ...nothing };
  const changes: FileChange[] = [];
  for await (const change of diffManifests(store.objects, before.root, after.root)) {
    if (mirror.signal?.aborted) throw new KubedosError('cancelled', `compare ${mirror.name}: stopped`);
    changes.push({ path: change.path, before: refOf(change.before), after: refOf(change.after) });
  }
  const split = await splitChanges(changes, lookupPackages);
  const paths = changes.map(({ path }) => path);
  const advisories = await newAdvisories(store.objects, after.root, { packages: split.packages, paths });
  return { ...totals, state: 'changed', ...split, advisories };
}

/** Packages by what they are, the others as files. */
async function splitChanges(
  changes: readonly FileChange[],
  lookupPackages: LookupPackages,
): Promise<Pick<MirrorDiff, 'packages' | 'files'>> {
  const candidates = changes.filter(({ path }) => /\.(?:(?:u|d)?deb|rpm)$/.test(path));
  const known = await lookupPackages(
    candidates.flatMap(({ path, before, after }) =>
      [before, after].flatMap((file) => (file === null ? [] : [{ sha256: file.sha256, path }])),
    ),
  );
  const packageOf = (path: string, file: FileChange['before']): PackageFile | undefined => {
    const identity = file === null ? undefined : known.get(file.sha256);
    if (file === null || identity === undefined) return undefined;
    const { name, version, architecture } = identity;
    return { name, version, architecture, path, ...file };
  };
  const gone: PackageFile[] = [];
  const added: PackageFile[] = [];
  const identified = new Set<FileChange>();
  for (const candidate of candidates) {
    const [before, after] = [packageOf(candidate.path, candidate.before), packageOf(candidate.path, candidate.after)];
    // One that is not known makes the pair a file, so that nothing is told twice.
    if ((candidate.before !== null && !before) || (candidate.after !== null && !after)) continue;
    identified.add(candidate);
    if (before !== undefined) gone.push(before);
    if (after !== undefined) added.push(after);
  }
  return { packages: pairPackages(gone, added), files: changes.filter((change) => !identified.has(change)) };
}

function mirrorsOf({ document }: Snapshot): Map<string, SnapshotMirror> {
  return new Map(document.mirrors.map((mirror) => [mirror.name, mirror]));
}

function nameOf({ id, document }: Snapshot): SnapshotName {
  return { id, time: document.time };
}

function totalsOf(manifest: ManifestRef | undefined): Totals | null {
  return manifest === undefined ? null : { files: manifest.files, bytes: manifest.bytes };
}

function refOf(entry: ManifestEntry | undefined): FileChange['before'] {
  return entry === undefined ? null : { sha256: entry.sha256, sizeBytes: entry.sizeBytes };
}
