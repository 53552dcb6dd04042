/** Survives an upstream that changes while it is read. */
import { type ErrorCode, KubedosError } from '../errors.ts';
import type { ObjectStore } from '../store/types.ts';
import type { SyncMemory } from './memory.ts';
import { note, nothingChanged, type Probe, probe, readRoots, type Session } from './session.ts';
import type { Kind } from './upstream-root.ts';

/** An archive that changes under our eyes more often than this is not waited for. */
const MAX_PLANS = 4;

/** What files that do not fit their Release or repomd.xml look like. */
const SIGNS_OF_CHANGE: readonly ErrorCode[] = ['net.hash-mismatch', 'net.size', 'net.not-found', 'sync.incomplete'];

/**
 * Runs `attempt` with the verified roots. If it fails in a way that a change upstream would explain, they are asked for
 * again: unchanged, the failure stands; changed, all is planned anew. Every attempt sees one state of each and checks all that it fetches by hash, so that nothing of two states is ever mixed.
 */
export async function withReplans<K extends Kind, T>(
  session: Session<K>,
  start: {
    readonly probes: readonly Probe<K['state']>[];
    readonly releases: SyncMemory['releases'];
    readonly objects: ObjectStore;
  },
  attempt: (states: readonly K['state'][]) => Promise<T>,
): Promise<T> {
  let { probes } = start;
  for (let plan = 1; ; plan++) {
    const states = await readRoots(session, probes, start);
    try {
      return await attempt(states);
    } catch (error) {
      if (!(error instanceof KubedosError) || !SIGNS_OF_CHANGE.includes(error.code)) throw error;
      const seen = Object.fromEntries(states.map(({ request, memory }) => [request.key, memory]));
      probes = await probe(session.roots, seen);
      if (nothingChanged(probes, seen)) throw error;
      if (plan >= MAX_PLANS) throw keptChanging(session, error);
      note(session, 'info', `${session.spec.name}: upstream changed during the sync; planning again`);
      probes = await resolved(probes);
    }
  }
}

/** One that did not change is asked for again whole: its document may not be in the store yet. */
function resolved<K extends Kind>(probes: readonly Probe<K['state']>[]): Promise<Probe<K['state']>[]> {
  const whole = probes.map(async ({ root, fetched }) => ({
    root,
    fetched: fetched.form === 'unchanged' ? await root.fetch() : fetched,
  }));
  return Promise.all(whole);
}

function keptChanging(session: Session, cause: KubedosError): KubedosError {
  return new KubedosError(
    'sync.changed',
    `sync ${session.spec.name}: upstream changed ${MAX_PLANS} times while it was read: ${cause.message}`,
    {
      hint: 'wait until upstream has finished its update and run the command again; what was fetched is kept',
      retryable: true,
      cause,
    },
  );
}
