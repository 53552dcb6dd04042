import type { Run } from '../progress.ts';
import { HashBuckets } from './hash-buckets.ts';
import { objectCensus } from './object-census.ts';
import { collectReachable, namedLists } from './reachable.ts';
import { withScratch } from './scratch.ts';
import { removeStaleFiles, type StaleFile, staleFiles } from './stale-files.ts';
import { throwIfStopped } from './stop.ts';
import type { ObjectRef, Sha256, Store } from './types.ts';

/** Objects and temporary files younger than this are never collected: they may belong to work that goes on. */
export const GRACE_MS = 24 * 60 * 60 * 1000;
/** Unreachable objects that a plan names; of the rest it gives counts and, by `onObject`, each one. */
const MAX_LISTED = 1000;
const PARALLEL_REMOVALS = 16;

export interface GcOptions {
  readonly now: Date;
  readonly graceMs?: number | undefined;
  /** Objects that others hold: see ReachOptions. */
  readonly extraRoots?: (() => Iterable<Sha256> | AsyncIterable<Sha256>) | undefined;
  /** Sees each unreachable object past its grace, in order of hash. */
  readonly onObject?: ((object: ObjectRef) => void) | undefined;
}

export interface GcReport {
  /** What no list names and whose grace is over: would be removed by a plan, was removed by a run. */
  readonly objects: number;
  readonly bytes: number;
  /** The first of them. */
  readonly listed: readonly ObjectRef[];
  /** What no list names yet or any more, kept by grace. */
  readonly graceObjects: number;
  readonly graceBytes: number;
  readonly keptObjects: number;
  readonly keptBytes: number;
  /** Temporary, partial and cache files that nobody touched for long. */
  readonly files: readonly StaleFile[];
}

/** Says what `runGc` would remove. Takes no lock and changes nothing. */
export function planGc(store: Store, options: GcOptions, run: Run = {}): Promise<GcReport> {
  return collect(store, options, { run, dispose: async () => undefined });
}

/**
 * Removes what no list names, as the only writer: never while a sync or import runs (`store.locked`). A list that
 * cannot be read stops it before anything is removed. Killed, it has removed a part, and is run again.
 */
export function runGc(store: Store, options: GcOptions, run: Run = {}): Promise<GcReport> {
  return store.withWriter('store gc', async () => {
    await store.objects.flush();
    const report = await collect(store, options, {
      run,
      dispose: async (batch) => {
        await Promise.all(batch.map(({ sha256 }) => store.objects.remove(sha256)));
      },
    });
    await removeStaleFiles(report.files);
    return report;
  });
}

async function collect(
  store: Store,
  options: GcOptions,
  { run, dispose }: { readonly run: Run; readonly dispose: (batch: readonly ObjectRef[]) => Promise<void> },
): Promise<GcReport> {
  const { now, graceMs = GRACE_MS, extraRoots, onObject } = options;
  const counts = { objects: 0, bytes: 0, graceObjects: 0, graceBytes: 0, keptObjects: 0, keptBytes: 0 };
  const listed: ObjectRef[] = [];
  let batch: ObjectRef[] = [];
  await withScratch(store, 'gc', async (folder) => {
    const buckets = new HashBuckets(folder);
    run.onEvent?.({ type: 'phase', phase: 'lists' });
    const lists = await namedLists(store);
    await collectReachable(lists, { store, buckets }, { signal: run.signal, extraRoots: extraRoots?.() });
    run.onEvent?.({ type: 'phase', phase: 'objects' });
    for await (const { named, stored } of objectCensus(store.objects, buckets)) {
      if (!stored) continue;
      const { sha256, sizeBytes, storedAtMs } = stored;
      if (named) {
        counts.keptObjects += 1;
        counts.keptBytes += sizeBytes;
      } else if (storedAtMs > now.getTime() - graceMs) {
        counts.graceObjects += 1;
        counts.graceBytes += sizeBytes;
      } else {
        counts.objects += 1;
        counts.bytes += sizeBytes;
        if (listed.length < MAX_LISTED) listed.push({ sha256, sizeBytes });
        onObject?.({ sha256, sizeBytes });
        batch.push({ sha256, sizeBytes });
        if (batch.length >= PARALLEL_REMOVALS) {
          throwIfStopped(run.signal, 'collect garbage');
          await dispose(batch);
          batch = [];
          run.onEvent?.({ type: 'advance', files: counts.objects, bytes: counts.bytes });
        }
      }
    }
    await dispose(batch);
  });
  return { ...counts, listed, files: await staleFiles(store, { nowMs: now.getTime(), graceMs }) };
}
