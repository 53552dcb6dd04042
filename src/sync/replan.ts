/** Survives an upstream that changes while it is read. */
import { type ErrorCode, KubedosError } from '../errors.ts';
import type { ObjectStore } from '../store/types.ts';
import type { SyncMemory } from './memory.ts';
import { note, nothingChanged, type Probe, probe, readSuites, type Session } from './session.ts';
import type { SuiteState } from './suite-state.ts';

/** An archive that changes under our eyes more often than this is not waited for. */
const MAX_PLANS = 4;

/** What files that do not fit their Release look like. */
const SIGNS_OF_CHANGE: readonly ErrorCode[] = ['net.hash-mismatch', 'net.size', 'net.not-found', 'sync.incomplete'];

/**
 * Runs `attempt` with the verified suites. If it fails in a way that a change upstream would explain, the Releases are
 * asked for again: unchanged, the failure stands; changed, all is planned anew. Every attempt sees one state of each
 * suite and checks all that it fetches by hash, so that nothing of two states is ever mixed.
 */
export async function withReplans<T>(
  session: Session,
  start: {
    readonly probes: readonly Probe[];
    readonly releases: SyncMemory['releases'];
    readonly objects: ObjectStore;
  },
  attempt: (states: readonly SuiteState[]) => Promise<T>,
): Promise<T> {
  let { probes } = start;
  for (let plan = 1; ; plan++) {
    const states = await readSuites(session, probes, start);
    try {
      return await attempt(states);
    } catch (error) {
      if (!(error instanceof KubedosError) || !SIGNS_OF_CHANGE.includes(error.code)) throw error;
      const seen = Object.fromEntries(states.map(({ request, memory }) => [request.key, memory]));
      probes = await probe(session, seen);
      if (nothingChanged(probes, seen)) throw error;
      if (plan >= MAX_PLANS) throw keptChanging(session, error);
      note(session, 'info', `${session.spec.name}: upstream changed during the sync; planning again`);
      probes = await resolved(session, probes);
    }
  }
}

/** A suite that did not change is asked for again whole: its document may not be in the store yet. */
function resolved(session: Session, probes: readonly Probe[]): Promise<Probe[]> {
  const whole = probes.map(async (each): Promise<Probe> => {
    if (each.fetched.form !== 'unchanged') return each;
    const [again] = await probe({ ...session, requests: [each.request] }, {});
    return again ?? each;
  });
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
