/** Verbatim mirrors: upstream's signed bytes, whole and unchanged. */
import { isFlatSuite } from '../spec/mirror-spec.ts';
import { readManifest, writeManifest } from '../store/manifest.ts';
import { EntrySorter } from '../store/sorted-lines.ts';
import type { ManifestEntry, ManifestRef } from '../store/types.ts';
import { commitHead } from './commit.ts';
import { byHashEntries, nextGenerations } from './generations.ts';
import { fetchIndexes, type IndexRequest, type PresentIndex } from './index-fetch.ts';
import { planIndexes } from './index-plan.ts';
import { listedFiles } from './index-read.ts';
import { bringImages } from './installer-images.ts';
import type { SyncMemory } from './memory.ts';
import { Meter } from './meter.ts';
import { judgeMissing } from './missing.ts';
import { countLack, fetchPool, type PoolResult } from './pool-fetch.ts';
import { syncReport } from './report.ts';
import { requireRoom } from './room.ts';
import { runSync, type SyncRun } from './run-sync.ts';
import { note, type Opening, type Session } from './session.ts';
import type { SuiteState } from './suite-state.ts';
import type { SyncReport } from './types.ts';
import type { Workspace } from './workspace.ts';

/** Brings a verbatim mirror up to date: all or nothing. */
export function syncVerbatim(opening: Opening): Promise<SyncReport> {
  return runSync(opening, syncStates);
}

async function syncStates(attempt: SyncRun, states: readonly SuiteState[]): Promise<SyncReport> {
  const { session, space, before } = attempt;
  const { objects, source } = space;
  const requests = states.flatMap(({ request, release }): IndexRequest[] => {
    const { suite, upstream, urls, upstreamIndex, source: origin } = request;
    return planIndexes({ release, suite, upstream, origin }).map((index) => ({ index, suite, urls, upstreamIndex }));
  });
  const indexes = await fetchIndexes(requests, source, session.run);
  const generations = nextGenerations(attempt.memory.generations, byHashEntries(indexes));
  const rivals = new Map<string, ManifestEntry>();
  const listed = await writeList(attempt, { states, indexes, generations, rivals });
  const span = { before: before?.manifest.root, after: listed.root };
  const lack = await countLack(objects, span, source);
  const result = (manifest: ManifestRef, missing: ReadonlySet<string> = new Set()): SyncReport =>
    syncReport(attempt, { states, lack, manifest, missing });
  if (session.options.dryRun) return result(listed);
  await requireRoom(session, lack);
  const urls = states[0]?.request.urls ?? [];
  const pool = await fetchPool(
    { objects, source, span, lack, rivals, locate: (path) => ({ urls, path }) },
    session.run,
  );
  await judgeMissing(session, pool.missing, { objects, indexes });
  const manifest = await corrected(space, listed, pool);
  const memory: SyncMemory = {
    releases: Object.fromEntries(states.map(({ request, memory }) => [request.key, memory])),
    generations,
  };
  const { deps, spec } = session;
  await commitHead(deps, { spec, manifest, states, memory, before });
  return result(manifest, pool.missing);
}

interface ListParts {
  readonly states: readonly SuiteState[];
  readonly indexes: readonly PresentIndex[];
  readonly generations: SyncMemory['generations'];
  readonly rivals: Map<string, ManifestEntry>;
}

/** Writes the list of all that the mirror will have. Nothing refers to it before the head does. */
async function writeList({ session, space }: SyncRun, parts: ListParts): Promise<ManifestRef> {
  const { objects } = space;
  new Meter(session.run.onEvent, 'plan');
  const sorter = new EntrySorter({
    folder: space.scratch,
    onConflict({ path, kept, dropped }) {
      parts.rivals.set(path, dropped);
      note(
        session,
        'warn',
        `${session.spec.name}: ${path} is listed with two checksums, ${kept.sha256} and ${dropped.sha256}`,
      );
    },
  });
  try {
    for (const { path, bytes } of parts.states.flatMap(({ files }) => files))
      await sorter.add({ path, ...(await objects.put([bytes])) });
    for (const { forms } of parts.indexes)
      for (const { path, sha256, sizeBytes } of forms) await sorter.add({ path, sha256, sizeBytes });
    for (const entry of parts.generations.flat()) await sorter.add(entry);
    for (const entry of await bringImages(session, parts.indexes, space)) await sorter.add(entry);
    for (const index of parts.indexes) {
      if (index.kind !== 'packages' && index.kind !== 'udebs' && index.kind !== 'sources') continue;
      session.run.signal?.throwIfAborted();
      const keep = keptArchitectures(session, index.suite);
      for await (const entry of listedFiles(objects, index, keep)) await sorter.add(entry);
    }
    return await writeManifest(objects, sorter.sorted());
  } finally {
    await sorter.dispose();
  }
}

/** A flat index holds all architectures; elsewhere what an index lists belongs to it, foreign entries too. */
function keptArchitectures({ spec }: Session, suite: string): (architecture: string) => boolean {
  const wanted = spec.upstreams[0]?.architectures ?? [];
  if (!isFlatSuite(suite) || wanted.length === 0) return () => true;
  return (architecture) => architecture === 'all' || wanted.includes(architecture);
}

/** The list without what is missing and with what upstream serves instead. */
async function corrected({ objects }: Workspace, listed: ManifestRef, pool: PoolResult): Promise<ManifestRef> {
  if (pool.missing.size === 0 && pool.replaced.size === 0) return listed;
  async function* entries(): AsyncGenerator<ManifestEntry> {
    for await (const entry of readManifest(objects, listed.root))
      if (!pool.missing.has(entry.path)) yield pool.replaced.get(entry.path) ?? entry;
  }
  return writeManifest(objects, entries());
}
