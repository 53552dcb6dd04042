import type { Run } from '../progress.ts';
import { groupBy } from './group-by.ts';
import { HashBuckets, type HashGroup, MANY } from './hash-buckets.ts';
import { objectCensus } from './object-census.ts';
import { collectReachable, type NamedList, namedLists } from './reachable.ts';
import { withScratch } from './scratch.ts';
import { throwIfStopped } from './stop.ts';
import type { Store } from './types.ts';

export interface Amount {
  readonly objects: number;
  readonly bytes: number;
}

/** A snapshot or the head of a mirror. */
export interface HolderStats {
  readonly kind: 'head' | 'snapshot';
  /** Id of the snapshot, or name of the mirror. */
  readonly holder: string;
  readonly files: number;
  readonly bytes: number;
  /** What nothing else names: deleting it and collecting garbage frees so much. */
  readonly frees: Amount;
}

export interface StoreStats {
  /** Sum over all lists: what it would take to keep each apart. */
  readonly logical: { readonly files: number; readonly bytes: number };
  /** Everything on disk. */
  readonly physical: Amount;
  /** Named by two or more heads and snapshots. */
  readonly shared: Amount;
  /** On disk and named by nothing: garbage, or not yet named. */
  readonly unnamed: Amount;
  readonly holders: readonly HolderStats[];
}

/** Reads every list once and looks at every object once. Takes no lock. */
export async function storeStats(store: Store, run: Run = {}): Promise<StoreStats> {
  const lists = await namedLists(store);
  const physical = new Tally();
  const shared = new Tally();
  const unnamed = new Tally();
  const frees = new Map<string, Tally>();
  await withScratch(store, 'stats', async (folder) => {
    const buckets = new HashBuckets(folder);
    run.onEvent?.({ type: 'phase', phase: 'lists' });
    const holders = await collectReachable(lists, { store, buckets }, { signal: run.signal });
    const only = ({ tag }: HashGroup) => (tag === MANY ? undefined : holders[tag]);
    run.onEvent?.({ type: 'phase', phase: 'objects' });
    for await (const { named, stored } of objectCensus(store.objects, buckets)) {
      if (!stored) continue;
      if (physical.objects % 1000 === 0) throwIfStopped(run.signal, 'count the store');
      physical.add(stored.sizeBytes);
      const holder = named && only(named);
      if (!named) unnamed.add(stored.sizeBytes);
      else if (!holder) shared.add(stored.sizeBytes);
      else tallyOf(frees, keyOf(holder)).add(stored.sizeBytes);
    }
  });
  const holders = [...groupBy(lists, keyOf).values()].map((own) => holderStats(own, frees));
  return {
    logical: { files: sum(holders, ({ files }) => files), bytes: sum(holders, ({ bytes }) => bytes) },
    physical: physical.amount,
    shared: shared.amount,
    unnamed: unnamed.amount,
    holders,
  };
}

function holderStats(lists: readonly NamedList[], frees: ReadonlyMap<string, Tally>): HolderStats {
  const [first] = lists;
  if (!first) throw new RangeError('a holder without lists');
  return {
    kind: first.kind,
    holder: first.holder,
    files: sum(lists, ({ manifest }) => manifest.files),
    bytes: sum(lists, ({ manifest }) => manifest.bytes),
    frees: frees.get(keyOf(first))?.amount ?? { objects: 0, bytes: 0 },
  };
}

class Tally {
  objects = 0;
  bytes = 0;

  add(sizeBytes: number): void {
    this.objects += 1;
    this.bytes += sizeBytes;
  }

  get amount(): Amount {
    return { objects: this.objects, bytes: this.bytes };
  }
}

function keyOf({ kind, holder }: { readonly kind: string; readonly holder: string }): string {
  return `${kind} ${holder}`;
}

function tallyOf(tallies: Map<string, Tally>, key: string): Tally {
  const tally = tallies.get(key) ?? new Tally();
  tallies.set(key, tally);
  return tally;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
