/** Verbatim mirrors: upstream's signed bytes, whole and unchanged. */
import { isFlatSuite } from '../../spec/apt-spec.ts';
import type { ManifestEntry } from '../../store/types.ts';
import { nextGenerations } from '../generations.ts';
import { Meter } from '../meter.ts';
import { judgeMissing } from '../missing.ts';
import { runSync, type SyncRun } from '../run-sync.ts';
import type { Opening, Session } from '../session.ts';
import type { SyncReport } from '../types.ts';
import { bringList, releasesOf, signedEntries, writeList } from '../verbatim.ts';
import { byHashEntries, fetchIndexes, type IndexRequest, type PresentIndex } from './index-fetch.ts';
import { planIndexes } from './index-plan.ts';
import { listedFiles } from './index-read.ts';
import { bringImages } from './installer-images.ts';
import { importantOnes } from './missing.ts';
import type { AptKind, SuiteState } from './suite-state.ts';

/** Brings a verbatim mirror up to date: all or nothing. */
export function syncVerbatim(opening: Opening<AptKind>): Promise<SyncReport> {
  return runSync(opening, syncStates);
}

async function syncStates(attempt: SyncRun<AptKind>, states: readonly SuiteState[]): Promise<SyncReport> {
  const { session, space } = attempt;
  const requests = states.flatMap(({ request, release }): IndexRequest[] => {
    const { suite, upstream, urls, upstreamIndex, source: origin } = request;
    return planIndexes({ release, suite, upstream, origin }).map((index) => ({ index, suite, urls, upstreamIndex }));
  });
  const indexes = await fetchIndexes(requests, space.source, session.run);
  const generations = nextGenerations(attempt.memory.generations, byHashEntries(indexes));
  const urls = states[0]?.request.urls ?? [];
  new Meter(session.run.onEvent, 'plan');
  return bringList(attempt, {
    ...(await writeList(attempt, entriesOf(attempt, { states, indexes, generations }))),
    states,
    memory: { releases: releasesOf(states), generations },
    locate: (path) => ({ urls, path }),
    judgeMissing: (missing) =>
      judgeMissing(session, missing, () => importantOnes(missing, { objects: space.objects, indexes })),
  });
}

interface Parts {
  readonly states: readonly SuiteState[];
  readonly indexes: readonly PresentIndex[];
  readonly generations: readonly (readonly ManifestEntry[])[];
}

async function* entriesOf(
  { session, space }: SyncRun<AptKind>,
  { states, indexes, generations }: Parts,
): AsyncGenerator<ManifestEntry> {
  yield* await signedEntries(space.objects, states);
  for (const { forms } of indexes) for (const { path, sha256, sizeBytes } of forms) yield { path, sha256, sizeBytes };
  for (const generation of generations) yield* generation;
  yield* await bringImages(session, indexes, space);
  for (const index of indexes) {
    if (index.kind !== 'packages' && index.kind !== 'udebs' && index.kind !== 'sources') continue;
    session.run.signal?.throwIfAborted();
    yield* listedFiles(space.objects, index, keptArchitectures(session, index.suite));
  }
}

/** A flat index holds all architectures; elsewhere what an index lists belongs to it, foreign entries too. */
function keptArchitectures({ spec }: Session<AptKind>, suite: string): (architecture: string) => boolean {
  const wanted = spec.upstreams[0]?.architectures ?? [];
  if (!isFlatSuite(suite) || wanted.length === 0) return () => true;
  return (architecture) => architecture === 'all' || wanted.includes(architecture);
}
