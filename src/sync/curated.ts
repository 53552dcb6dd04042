/** What the curated mirrors of all kinds have in common: chosen files, our own metadata over them, and the head. */
import { readManifest, writeManifest } from '../store/manifest.ts';
import { EntrySorter } from '../store/sorted-lines.ts';
import type { ManifestEntry, ManifestRef, ObjectRef } from '../store/types.ts';
import { commitHead, commitMemory } from './commit.ts';
import { SORT_BYTES } from './curate/pool-places.ts';
import type { SyncMemory } from './memory.ts';
import { countLack, fetchPool, type Lack, type ManifestSpan, type PoolFetch } from './pool-fetch.ts';
import { syncReport } from './report.ts';
import { requireRoom } from './room.ts';
import type { SyncRun } from './run-sync.ts';
import { seedHashes } from './seeds.ts';
import type { SyncReport } from './types.ts';
import type { RootState } from './upstream-root.ts';
import { releasesOf } from './verbatim.ts';

/** What was published: entries of the manifest beside the packages. */
export interface PublishedSelection {
  readonly entries: Iterable<ManifestEntry>;
  readonly generations: SyncMemory['generations'];
  readonly date: Date;
  readonly validUntil?: Date | undefined;
}

export interface CuratedPlan {
  readonly states: readonly RootState[];
  /** What it was chosen from. */
  readonly kept: readonly ObjectRef[];
  /** All that decides what the publication says, its date and signature aside: SHA-256. */
  readonly identity: string;
  /** It is published anew though it says the same. */
  readonly isDue: boolean;
  /** The packages, in any order. */
  readonly files: () => Iterable<ManifestEntry>;
  readonly locate: PoolFetch['locate'];
  /** Throws where the spec wants what upstream does not serve. */
  readonly judgeMissing: (missing: ReadonlySet<string>) => Promise<void>;
  /** Holds what is new and in the store now against what only its bytes tell; throws where it may not be shown. */
  readonly verify?: ((span: ManifestSpan, missing: ReadonlySet<string>) => Promise<void>) | undefined;
  /** Writes and signs metadata without what is missing. */
  readonly publish: (missing: ReadonlySet<string>) => Promise<PublishedSelection>;
  /** The file that `mirror why` reads. */
  readonly reasons: () => Iterable<Buffer>;
}

/**
 * Fetches what was chosen, publishes it and moves the head. An unchanged selection leaves the manifest, the evidence and
 * the time of the head as they are.
 */
export async function bringSelection(run: SyncRun, plan: CuratedPlan): Promise<SyncReport> {
  const { session, space, before } = run;
  const { objects, source } = space;
  const { states, kept, locate } = plan;
  const { deps, spec } = session;
  const dryRun = session.options.dryRun ?? false;
  const specExtra = seedHashes(session.seeds);
  const releases = releasesOf(states);
  const listed = await writeSorted(run, plan.files());
  if (before && run.memory.curated?.selection === plan.identity && !plan.isDue) {
    if (!dryRun) await commitMemory(deps, before, { spec, specExtra, memory: { ...run.memory, releases }, kept });
    return syncReport(run, { states, lack: NOTHING, manifest: before.manifest, missing: new Set() });
  }
  const span = { before: before?.manifest.root, after: listed.root };
  const lack = await countLack(objects, span, source);
  if (dryRun) return syncReport(run, { states, lack, manifest: listed, missing: new Set() });
  await requireRoom(session, lack);
  const { missing } = await fetchPool({ objects, source, span, lack, locate, rivals: new Map() }, session.run);
  await plan.judgeMissing(missing);
  await plan.verify?.(span, missing);
  const published = await plan.publish(missing);
  const manifest = await writeSorted(run, allEntries(run, { listed, missing, published }));
  const why = await objects.put(plan.reasons());
  const memory: SyncMemory = {
    releases,
    generations: published.generations,
    curated: {
      // What was missing is looked for again at the next change.
      selection: missing.size === 0 ? plan.identity : INCOMPLETE,
      date: published.date.toISOString(),
      validUntil: published.validUntil?.toISOString() ?? null,
      why: why.sha256,
    },
  };
  await commitHead(deps, { spec, specExtra, manifest, states, memory, before, kept });
  const moved = await countLack(objects, { before: before?.manifest.root, after: manifest.root }, source);
  return syncReport(run, { states, lack: { ...lack, added: moved.added, removed: moved.removed }, manifest, missing });
}

const INCOMPLETE = '0'.repeat(64);
const NOTHING: Lack = { files: 0, bytes: 0, added: 0, removed: 0 };

async function* allEntries(
  { space }: SyncRun,
  of: {
    readonly listed: ManifestRef;
    readonly missing: ReadonlySet<string>;
    readonly published: PublishedSelection;
  },
): AsyncGenerator<ManifestEntry> {
  for await (const entry of readManifest(space.objects, of.listed.root)) if (!of.missing.has(entry.path)) yield entry;
  yield* of.published.entries;
}

async function writeSorted(
  { space }: SyncRun,
  entries: Iterable<ManifestEntry> | AsyncIterable<ManifestEntry>,
): Promise<ManifestRef> {
  const sorter = new EntrySorter({ folder: space.scratch, memoryBytes: SORT_BYTES });
  try {
    for await (const entry of entries) await sorter.add(entry);
    return await writeManifest(space.objects, sorter.sorted());
  } finally {
    await sorter.dispose();
  }
}
