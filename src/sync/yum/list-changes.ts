/**
 * The list of a mirror whose upstream changed a little: that of the state before, with what its primaries no longer list
 * taken out and what they list now put in. What did not change is neither parsed nor sorted again.
 */
import { KubedosError } from '../../errors.ts';
import { inFolder, KEYS_FILE, MAX_REPOMD_BYTES } from '../../formats/rpm/layout.ts';
import { primaryPlace } from '../../formats/rpm/primary.ts';
import { primaryChanges } from '../../formats/rpm/primary-records.ts';
import { quickestRecord } from '../../formats/rpm/quickest-record.ts';
import { parseRepomd } from '../../formats/rpm/repomd.ts';
import { lookupPath, readManifest } from '../../store/manifest.ts';
import { editManifest } from '../../store/manifest-edit.ts';
import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ManifestEntry, ManifestRef, ObjectStore, Sha256 } from '../../store/types.ts';
import type { SyncRun } from '../run-sync.ts';
import { hasSpec } from '../seeds.ts';
import { type ListedPackage, listedPackage, primaryOf } from './listed-packages.ts';
import { PackageSums, packageEntries } from './package-sums.ts';
import { type PresentRecord, recordContent } from './records.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

export interface NewState {
  readonly states: readonly RepositoryState[];
  readonly records: readonly PresentRecord[];
  /** All that is on the list beside packages. */
  readonly besides: readonly ManifestEntry[];
}

export interface ChangedList {
  readonly manifest: ManifestRef;
  /** What is new, and of which repository. */
  readonly added: readonly (ListedPackage & { readonly state: RepositoryState })[];
  /** How many packages each repository lists now, by the key of its state. */
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * What listing everything anew gives, to the byte. Undefined where that has to be done: where the list before may not be
 * all that its primaries named, each path once; where the spec has changed; where a new package takes a path that is
 * taken; where too much differs, or the state before cannot be read.
 */
export async function listAfterChange(run: SyncRun<YumKind>, next: NewState): Promise<ChangedList | undefined> {
  const { before, space } = run;
  if (before === undefined || !hasSpec(before, run.session)) return undefined;
  const { root, files } = before.manifest;
  try {
    const removed = await besidesOf(space.objects, root, next.states);
    const counts = countsBefore(run, next.states);
    // Packages that are missing, or listed twice, make another number.
    if (sum(counts.values()) + removed.length !== files) return undefined;
    const added: ChangedList['added'][number][] = [];
    for (const state of next.states) {
      const changes = await changesOf(space.objects, root, { state, records: next.records });
      if (changes === undefined) return undefined;
      const { key } = state.request;
      counts.set(key, (counts.get(key) ?? 0) + changes.added.length - changes.removed.length);
      for (const { path } of changes.removed) removed.push(path);
      for (const each of changes.added) added.push({ ...each, state });
    }
    const packages = await packageEntries(new PackageSums(run), added);
    const set = [...next.besides, ...packages];
    if (!(await takesFreePaths(space.objects, root, { set, removed }))) return undefined;
    return { manifest: await editManifest(space.objects, root, { set, remove: removed }), added, counts };
  } catch (error) {
    // What is wrong with the new state, reading all of it says.
    if (error instanceof KubedosError) return undefined;
    throw error;
  }
}

/** As the list before remembers them; none of a repository that it does not know. */
function countsBefore({ memory }: SyncRun<YumKind>, states: readonly RepositoryState[]): Map<string, number> {
  const counts = states.map(({ request: { key } }) => [key, memory.releases[key]?.packages ?? Number.NaN] as const);
  return new Map(counts);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
}

/** The paths of a list that are no packages, but for files of a kickstart tree. */
async function besidesOf(objects: ObjectStore, root: Sha256, states: readonly RepositoryState[]): Promise<string[]> {
  const paths: string[] = [];
  for (const prefix of [KEYS_FILE, ...states.map(({ request }) => inFolder(request.folder, 'repodata/'))])
    for await (const { path } of readManifest(objects, root, { prefix })) paths.push(path);
  return paths;
}

interface PackageChanges {
  readonly removed: readonly ListedPackage[];
  readonly added: readonly ListedPackage[];
}

/** Of a repository whose list before has this root. */
async function changesOf(
  objects: ObjectStore,
  root: Sha256,
  { state, records }: { readonly state: RepositoryState; readonly records: readonly PresentRecord[] },
): Promise<PackageChanges | undefined> {
  const { folder } = state.request;
  const now = primaryOf(state, records);
  const old = await primaryBefore(objects, root, state);
  if (old === undefined) return undefined;
  if (old.sha256 === now.sha256) return { removed: [], added: [] };
  const changes = await primaryChanges(recordContent(objects, old), recordContent(objects, now), now.path);
  const places = (found: readonly Buffer[], { path }: PresentRecord): ListedPackage[] =>
    found.map((record) => listedPackage(primaryPlace(record, path), folder, path));
  return changes && { removed: places(changes.removed, old), added: places(changes.added, now) };
}

async function primaryBefore(
  objects: ObjectStore,
  root: Sha256,
  state: RepositoryState,
): Promise<PresentRecord | undefined> {
  const { folder } = state.request;
  const path = inFolder(folder, 'repodata/repomd.xml');
  const repomd = await lookupPath(objects, root, path);
  const document = repomd && (await objects.read(repomd.sha256, MAX_REPOMD_BYTES));
  const record = document && quickestRecord((await parseRepomd(document, path)).records, 'primary');
  const entry = record && (await lookupPath(objects, root, inFolder(folder, record.path)));
  return entry && { ...entry, record, state };
}

/** Each path once, and none that the list keeps. */
async function takesFreePaths(
  objects: ObjectStore,
  root: Sha256,
  { set, removed }: { readonly set: readonly ManifestEntry[]; readonly removed: readonly string[] },
): Promise<boolean> {
  const taken = new Set<string>();
  const freed = new Set(removed);
  const reader = new ManifestReader(objects);
  for (const { path } of set) {
    if (taken.has(path) || (!freed.has(path) && (await reader.lookup(root, path)) !== undefined)) return false;
    taken.add(path);
  }
  return true;
}
