/** By-hash files of earlier states stay on the list for a while: a client may hold the InRelease that names them. */
import type { Generations } from '../formats/apt/publication.ts';
import type { PresentIndex } from './index-fetch.ts';

/** This state and two before it, as our own publications keep. */
export const KEPT_GENERATIONS = 3;

export function byHashEntries(indexes: readonly PresentIndex[]): Generations[number] {
  const entries = indexes.flatMap(({ forms }) =>
    forms.flatMap(({ byHash, sha256, sizeBytes }) => byHash.map((path) => ({ path, sha256, sizeBytes }))),
  );
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Newest first; a state that equals the newest adds none. */
export function nextGenerations(previous: Generations, now: Generations[number]): Generations {
  const [newest] = previous;
  if (newest && JSON.stringify(newest) === JSON.stringify(now)) return previous;
  return [now, ...previous].slice(0, KEPT_GENERATIONS);
}
