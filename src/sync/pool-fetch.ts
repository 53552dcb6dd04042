/** Brings what a new manifest lists and the store lacks. */
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { diffManifests, readManifest } from '../store/manifest.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from '../store/types.ts';
import { Meter } from './meter.ts';
import type { ObjectSource } from './object-source.ts';
import { eachParallel } from './parallel.ts';

/** The fetcher bounds what goes to one host; this bounds what waits for it. */
const PARALLEL_FILES = 32;
const STAT_BATCH = 64;
/** More files than this missing upstream is no accident. */
const MAX_MISSING = 10_000;

export interface ManifestSpan {
  readonly before: Sha256 | undefined;
  readonly after: Sha256;
}

export interface Lack {
  readonly files: number;
  readonly bytes: number;
  /** Against the manifest before, whether the store lacks them or not. */
  readonly added: number;
  readonly removed: number;
}

/** What is new on the list, by comparing with the list before: an entry that both have is in the store. */
async function* changes(objects: ObjectStore, { before, after }: ManifestSpan) {
  if (before !== undefined) yield* diffManifests(objects, before, after);
  else for await (const entry of readManifest(objects, after)) yield { path: entry.path, after: entry };
}

/** Counts what would have to be fetched. */
export async function countLack(objects: ObjectStore, span: ManifestSpan, source: ObjectSource): Promise<Lack> {
  const lack = { files: 0, bytes: 0, added: 0, removed: 0 };
  const seen = new Set<string>();
  let batch: ManifestEntry[] = [];
  const settle = async (): Promise<void> => {
    const have = await Promise.all(batch.map((entry) => source.has(entry)));
    for (const [at, entry] of batch.entries()) {
      if (have[at] || seen.has(entry.sha256)) continue;
      if (seen.size < MAX_MISSING) seen.add(entry.sha256);
      lack.files += 1;
      lack.bytes += entry.sizeBytes;
    }
    batch = [];
  };
  for await (const change of changes(objects, span)) {
    if (change.after === undefined) {
      lack.removed += 1;
      continue;
    }
    lack.added += 1;
    batch.push(change.after);
    if (batch.length >= STAT_BATCH) await settle();
  }
  await settle();
  return lack;
}

export interface PoolFetch {
  readonly objects: ObjectStore;
  readonly source: ObjectSource;
  readonly span: ManifestSpan;
  readonly lack: Lack;
  /** Where a path of the manifest is found upstream. */
  readonly locate: (path: string) => { readonly urls: readonly string[]; readonly path: string };
  /** Other bytes that another index lists under the same path: taken where upstream serves those. */
  readonly rivals: ReadonlyMap<string, ManifestEntry>;
}

export interface PoolResult {
  /** Listed upstream, not served. */
  readonly missing: ReadonlySet<string>;
  readonly replaced: ReadonlyMap<string, ManifestEntry>;
}

/** Fetches in parallel. Files that upstream does not serve are collected; any other failure ends it. */
export async function fetchPool(pool: PoolFetch, run: Run): Promise<PoolResult> {
  const meter = new Meter(run.onEvent, 'packages', { files: pool.lack.files, bytes: pool.lack.bytes });
  const missing = new Set<string>();
  const replaced = new Map<string, ManifestEntry>();
  const bring = async (entry: ManifestEntry, signal: AbortSignal): Promise<void> => {
    const { fetched } = await pool.source.bring(
      { ...pool.locate(entry.path), sha256: entry.sha256, sizeBytes: entry.sizeBytes },
      { signal, onBytes: meter.onBytes },
    );
    if (fetched) meter.file();
  };
  const options = { limit: PARALLEL_FILES, signal: run.signal };
  await eachParallel(changes(pool.objects, pool.span), options, async ({ path, after }, signal) => {
    if (after === undefined) return;
    try {
      await bring(after, signal);
    } catch (error) {
      if (!(error instanceof KubedosError)) throw error;
      const rival = pool.rivals.get(path);
      if (rival && (error.code === 'net.hash-mismatch' || error.code === 'net.size')) {
        await bring(rival, signal);
        replaced.set(path, rival);
        return;
      }
      if (error.code !== 'net.not-found' || missing.size >= MAX_MISSING) throw error;
      missing.add(path);
    }
  });
  return { missing, replaced };
}
