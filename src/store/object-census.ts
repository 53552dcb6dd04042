import type { HashBuckets, HashGroup } from './hash-buckets.ts';
import type { ObjectRef, ObjectStore, Sha256 } from './types.ts';

/** An object that is named, or there, or both. */
export interface CensusRow {
  readonly sha256: Sha256;
  readonly named?: HashGroup;
  readonly stored?: ObjectRef & { readonly storedAtMs: number };
}

/** Merges what lists name with what lies in the store, both ascending: neither is held in memory. */
export async function* objectCensus(objects: ObjectStore, buckets: HashBuckets): AsyncGenerator<CensusRow> {
  const groups = buckets.groups();
  let group = await groups.next();
  for await (const stored of objects.list()) {
    while (!group.done && group.value.sha256 < stored.sha256) {
      yield { sha256: group.value.sha256, named: group.value };
      group = await groups.next();
    }
    if (!group.done && group.value.sha256 === stored.sha256) {
      yield { sha256: stored.sha256, named: group.value, stored };
      group = await groups.next();
    } else {
      yield { sha256: stored.sha256, stored };
    }
  }
  for (; !group.done; group = await groups.next()) yield { sha256: group.value.sha256, named: group.value };
}
