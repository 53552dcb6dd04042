/** Verbatim mirrors: upstream's signed metadata and its packages, whole and unchanged. */

import { KEYS_FILE } from '../../formats/rpm/layout.ts';
import type { ManifestEntry } from '../../store/types.ts';
import { nextGenerations } from '../generations.ts';
import type { SyncMemory } from '../memory.ts';
import { Meter } from '../meter.ts';
import { judgeMissing } from '../missing.ts';
import { runSync, type SyncRun } from '../run-sync.ts';
import type { Opening } from '../session.ts';
import type { SyncReport } from '../types.ts';
import { bringList, signedEntries, writeList } from '../verbatim.ts';
import { heldBefore } from './held-before.ts';
import { keysFile } from './keys-file.ts';
import { bringTrees } from './kickstart-tree.ts';
import { listAfterChange } from './list-changes.ts';
import { listedPackages } from './listed-packages.ts';
import { checkPackages, demandsSignedPackages, signedPackages } from './package-check.ts';
import { PackageSums, packageEntries } from './package-sums.ts';
import { bringRecords, type PresentRecord } from './records.ts';
import { remotePath } from './repositories.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

/** Brings a verbatim mirror up to date: all or nothing. */
export function syncVerbatim(opening: Opening<YumKind>): Promise<SyncReport> {
  return runSync(opening, syncStates);
}

async function syncStates(attempt: SyncRun<YumKind>, states: readonly RepositoryState[]): Promise<SyncReport> {
  const { session, space } = attempt;
  const records = await bringRecords(attempt, states, heldBefore(attempt));
  const generations = nextGenerations(
    attempt.memory.generations,
    records.map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes })),
  );
  const besides = await entriesBesides(attempt, states, generations);
  new Meter(session.run.onEvent, 'plan');
  const changed = await listAfterChange(attempt, { states, records, besides });
  const counts = new Map(changed?.counts);
  const all = entriesOf(attempt, { states, records, besides, counts });
  const signed = changed?.added.filter(({ state }) => demandsSignedPackages(state));
  return bringList(attempt, {
    ...(changed ? { manifest: changed.manifest, rivals: new Map() } : await writeList(attempt, all)),
    states,
    memory: { releases: countedReleases(states, counts), generations },
    locate: (path) => placeOf(states, path),
    judgeMissing: (missing) => judgeMissing(session, missing),
    verify: (span, missing) =>
      checkPackages(attempt, { packages: signed ?? signedPackages(space.objects, states, records), span, missing }),
  });
}

/** What is on the list beside packages. */
async function entriesBesides(
  attempt: SyncRun<YumKind>,
  states: readonly RepositoryState[],
  generations: readonly (readonly ManifestEntry[])[],
): Promise<ManifestEntry[]> {
  const { objects } = attempt.space;
  // Newest first: of one that has a fixed name, in place of one that tells its content, the newest stays.
  const metadata = new Map<string, ManifestEntry>();
  for (const entry of generations.flat()) if (!metadata.has(entry.path)) metadata.set(entry.path, entry);
  const keys = { path: KEYS_FILE, ...(await objects.put([keysFile(states)])) };
  const [signed, trees] = [await signedEntries(objects, states), await bringTrees(attempt, states)];
  return [...signed, keys, ...trees, ...metadata.values()];
}

function countedReleases(
  states: readonly RepositoryState[],
  counts: ReadonlyMap<string, number>,
): SyncMemory['releases'] {
  const counted = states.map(({ request: { key }, memory }) => [key, { ...memory, packages: counts.get(key) }]);
  return Object.fromEntries(counted);
}

interface Parts {
  readonly states: readonly RepositoryState[];
  readonly records: readonly PresentRecord[];
  readonly besides: readonly ManifestEntry[];
  /** Filled: how many each repository lists, by the key of its state. */
  readonly counts: Map<string, number>;
}

async function* entriesOf(
  run: SyncRun<YumKind>,
  { states, records, besides, counts }: Parts,
): AsyncGenerator<ManifestEntry> {
  yield* besides;
  const sums = new PackageSums(run);
  for (const state of states) {
    let count = 0;
    for await (const batch of listedPackages(run.space.objects, state, records)) {
      run.session.run.signal?.throwIfAborted();
      yield* await packageEntries(
        sums,
        batch.map((each) => ({ ...each, state })),
      );
      count += batch.length;
    }
    counts.set(state.request.key, count);
  }
}

/** Below the roots of the repository that a path lies in; what lies beside it (`..` in an href) is asked for at all. */
function placeOf(
  states: readonly RepositoryState[],
  path: string,
): { readonly urls: readonly string[]; readonly path: string } {
  const [own] = states
    .filter(({ request: { folder } }) => folder === '' || path.startsWith(`${folder}/`))
    .sort((a, b) => b.request.folder.length - a.request.folder.length);
  if (own) return { urls: own.urls, path: remotePath(own.request, path) };
  return { urls: [...new Set(states.flatMap(({ urls }) => urls))], path };
}
