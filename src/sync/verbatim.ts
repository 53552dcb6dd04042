/** What the verbatim mirrors of all kinds have in common: a list, the files on it, and the head. */
import { readManifest, writeManifest } from '../store/manifest.ts';
import { EntrySorter } from '../store/sorted-lines.ts';
import type { ManifestEntry, ManifestRef, ObjectStore } from '../store/types.ts';
import { commitHead } from './commit.ts';
import type { SyncMemory } from './memory.ts';
import { countLack, fetchPool, type ManifestSpan, type PoolFetch, type PoolResult } from './pool-fetch.ts';
import { syncReport } from './report.ts';
import { requireRoom } from './room.ts';
import type { SyncRun } from './run-sync.ts';
import { note } from './session.ts';
import type { SyncReport } from './types.ts';
import type { RootState } from './upstream-root.ts';

/** All that the mirror will have; nothing refers to it before the head does. */
export interface FileList {
  readonly manifest: ManifestRef;
  /** Paths with two checksums: the one that came second. */
  readonly rivals: ReadonlyMap<string, ManifestEntry>;
}

/** What is signed, in the store. */
export async function signedEntries(objects: ObjectStore, states: readonly RootState[]): Promise<ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  for (const { path, bytes } of states.flatMap(({ files }) => files))
    entries.push({ path, ...(await objects.put([bytes])) });
  return entries;
}

/** Writes the list, of `entries` in any order. */
export async function writeList({ session, space }: SyncRun, entries: AsyncIterable<ManifestEntry>): Promise<FileList> {
  const { objects } = space;
  const { name } = session.spec;
  const rivals = new Map<string, ManifestEntry>();
  const sorter = new EntrySorter({
    folder: space.scratch,
    onConflict({ path, kept, dropped }) {
      rivals.set(path, dropped);
      note(session, 'warn', `${name}: ${path} is listed with two checksums, ${kept.sha256} and ${dropped.sha256}`);
    },
  });
  try {
    for await (const entry of entries) await sorter.add(entry);
    return { manifest: await writeManifest(objects, sorter.sorted()), rivals };
  } finally {
    await sorter.dispose();
  }
}

export interface VerbatimPlan extends FileList {
  readonly states: readonly RootState[];
  readonly memory: SyncMemory;
  readonly locate: PoolFetch['locate'];
  /** Throws where the spec wants what upstream does not serve. */
  readonly judgeMissing: (missing: ReadonlySet<string>) => Promise<void>;
  /** Holds what is new and in the store now against what only its bytes tell; throws where it may not be shown. */
  readonly verify?: ((span: ManifestSpan, missing: ReadonlySet<string>) => Promise<void>) | undefined;
}

/** Fetches what the list names and the store lacks, and moves the head. */
export async function bringList(attempt: SyncRun, plan: VerbatimPlan): Promise<SyncReport> {
  const { session, space, before } = attempt;
  const { objects, source } = space;
  const { states, manifest: listed, rivals, locate, memory } = plan;
  const span = { before: before?.manifest.root, after: listed.root };
  const lack = await countLack(objects, span, source);
  const result = (manifest: ManifestRef, missing: ReadonlySet<string> = new Set()): SyncReport =>
    syncReport(attempt, { states, lack, manifest, missing });
  if (session.options.dryRun) return result(listed);
  await requireRoom(session, lack);
  const pool = await fetchPool({ objects, source, span, lack, rivals, locate }, session.run);
  await plan.judgeMissing(pool.missing);
  await plan.verify?.(span, pool.missing);
  const manifest = await corrected(objects, listed, pool);
  const { deps, spec } = session;
  await commitHead(deps, { spec, manifest, states, memory, before });
  return result(manifest, pool.missing);
}

/** The list without what is missing and with what upstream serves instead. */
async function corrected(objects: ObjectStore, listed: ManifestRef, pool: PoolResult): Promise<ManifestRef> {
  if (pool.missing.size === 0 && pool.replaced.size === 0) return listed;
  async function* entries(): AsyncGenerator<ManifestEntry> {
    for await (const entry of readManifest(objects, listed.root))
      if (!pool.missing.has(entry.path)) yield pool.replaced.get(entry.path) ?? entry;
  }
  return writeManifest(objects, entries());
}

export function releasesOf(states: readonly RootState[]): SyncMemory['releases'] {
  return Object.fromEntries(states.map(({ request, memory }) => [request.key, memory]));
}
