import { KubedosError } from '../errors.ts';
import type { Snapshot, Store } from '../store/types.ts';
import { newestHeld, refuseStale } from './receipt.ts';
import type { Receipt } from './types.ts';

export type ExportBase = { readonly snapshot: string } | { readonly receipt: Receipt };

/** The snapshot that a delta is cut against. A receipt that acknowledges nothing of this store gives a full bundle. */
export async function chooseBase(store: Store, base: ExportBase | undefined): Promise<Snapshot | undefined> {
  if (base === undefined) return undefined;
  if ('receipt' in base) {
    await refuseStale(store, base.receipt);
    return newestHeld(store, base.receipt);
  }
  const snapshot = await store.snapshots.resolve(base.snapshot);
  if (snapshot.document.store === store.identity.id) return snapshot;
  throw new KubedosError(
    'usage.argument',
    `export with base ${snapshot.id}: it was made by store ${snapshot.document.store}, not by this one`,
  );
}
