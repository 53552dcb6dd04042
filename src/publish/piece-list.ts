/** Which pieces a published index consists of, so that the next one takes over those that a change does not touch. */
import { comparePaths } from '../formats/path.ts';

export interface PieceFacts {
  /** Name of the first package in it. */
  readonly first: string;
  /** It begins there because of this name, whatever stands before it. */
  readonly begins: boolean;
  readonly packages: number;
  readonly plainBytes: number;
  readonly packedBytes: number;
}

/**
 * For each piece: might a change of packages of these names cut it otherwise? That goes for all from the last piece that
 * begins by its name up to the next such; and where that very name may vanish, for those before, which then go on.
 */
export function touchedPieces(pieces: readonly PieceFacts[], names: Iterable<string>): boolean[] {
  const starts = pieces.flatMap(({ begins }, at) => (begins ? [at] : []));
  const touched = pieces.map(() => false);
  const touch = (start: number): void => {
    touched.fill(true, starts[start] ?? 0, starts[start + 1] ?? pieces.length);
  };
  for (const name of names) {
    const start = lastNotAfter(name, starts, pieces);
    touch(start);
    if (pieces[starts[start] ?? -1]?.first === name) touch(start - 1);
  }
  return touched;
}

/** -1: what stands before the first start. */
function lastNotAfter(name: string, starts: readonly number[], pieces: readonly PieceFacts[]): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePaths((pieces[starts[middle] as number] as PieceFacts).first, name) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
