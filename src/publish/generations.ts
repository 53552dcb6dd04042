/** By-hash copies of the publications before, so that a client that read an older Release still finds its indexes. */
import type { Generations } from '../formats/apt/publication.ts';
import { comparePaths } from '../formats/path.ts';
import type { ManifestEntry } from '../store/types.ts';

/** Publications whose indexes can be had by hash, the current one included. */
export const KEPT_GENERATIONS = 3;

/** `current` before those of earlier publications. One that repeats what is the newest already pushes none out. */
export function withGeneration(current: readonly ManifestEntry[], previous: Generations = []): Generations {
  const sorted = [...current].sort((a, b) => comparePaths(a.path, b.path));
  const newest = previous[0];
  const earlier = newest !== undefined && sameFiles(newest, sorted) ? previous.slice(1) : previous;
  return [sorted, ...earlier].slice(0, KEPT_GENERATIONS);
}

/** The union of all generations. A path names its hash, so one path never has two. */
export function filesOf(generations: Generations): Map<string, ManifestEntry> {
  return new Map(generations.flat().map((file) => [file.path, file]));
}

function sameFiles(a: readonly ManifestEntry[], b: readonly ManifestEntry[]): boolean {
  return a.length === b.length && a.every((file, at) => file.path === b[at]?.path);
}
