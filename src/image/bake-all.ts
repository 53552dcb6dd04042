/** Several images in one go: as many at a time as there are CPUs, and what they have in common once. */
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import type { Run } from '../progress.ts';
import { throwIfStopped } from '../store/stop.ts';
import type { BakeReport } from './artifacts.ts';

export interface Bake {
  /** Of the recipe. */
  readonly name: string;
  readonly bake: (run: Run) => Promise<BakeReport>;
}

/** In their order. The first that fails ends the others; what was finished by then is there, and layers stay in the cache. */
export async function bakeAll(bakes: readonly Bake[], run: Run = {}): Promise<BakeReport[]> {
  const [only] = bakes;
  if (only !== undefined && bakes.length === 1) return [await only.bake(run)];
  run.onEvent?.({ type: 'phase', phase: `bake ${bakes.map(({ name }) => name).join(', ')}`, files: bakes.length });
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(run.signal ? [run.signal] : [])]);
  const limit = pLimit(availableParallelism());
  let finished = 0;
  const oneOf = async ({ name, bake }: Bake): Promise<BakeReport> => {
    throwIfStopped(signal, `bake ${name}`);
    const report = await bake({ signal, onEvent: notesOf(name, run) });
    finished += 1;
    run.onEvent?.({ type: 'advance', files: finished, bytes: 0 });
    return report;
  };
  let first: unknown;
  const ended = await Promise.allSettled(
    bakes.map((each) =>
      limit(oneOf, each).catch((error: unknown) => {
        first ??= error;
        failed.abort();
        throw error;
      }),
    ),
  );
  return ended.map((each) => {
    if (each.status === 'rejected') throw first;
    return each.value;
  });
}

/** The phases of one among several are lines; the bar is of all. */
function notesOf(name: string, { onEvent }: Run): Run['onEvent'] {
  return (event) => {
    if (event.type === 'phase') onEvent?.({ type: 'note', level: 'info', message: `${name}: ${event.phase}` });
    if (event.type === 'note') onEvent?.({ ...event, message: `${name}: ${event.message}` });
  };
}
