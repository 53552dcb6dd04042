/** Indexes of earlier states stay on the list for a while: a client may hold the Release or repomd.xml that names them. */
import type { ManifestEntry } from '../store/types.ts';
import type { SyncMemory } from './memory.ts';

/** This state and two before it, as our own publications keep. */
const KEPT_GENERATIONS = 3;

/** Newest first; a state that equals the newest adds none. */
export function nextGenerations(
  previous: SyncMemory['generations'],
  entries: readonly ManifestEntry[],
): SyncMemory['generations'] {
  const now = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  const [newest] = previous;
  if (newest && JSON.stringify(newest) === JSON.stringify(now)) return previous;
  return [now, ...previous].slice(0, KEPT_GENERATIONS);
}
