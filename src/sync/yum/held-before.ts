import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ManifestEntry } from '../../store/types.ts';
import type { SyncRun } from '../run-sync.ts';

/** Of the list before, by path. */
export type HeldBefore = (path: string) => Promise<ManifestEntry | undefined>;

export function heldBefore({ before, space }: SyncRun): HeldBefore {
  const reader = new ManifestReader(space.objects);
  return async (path) => (before === undefined ? undefined : reader.lookup(before.manifest.root, path));
}
