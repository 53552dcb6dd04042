import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import { specHash } from '../spec/spec-hash.ts';
import { publicationIsDue } from './curated-dates.ts';
import { readMemory } from './memory.ts';
import { recordHead } from './record.ts';
import { seedHashes } from './seeds.ts';
import { nothingChanged, openSession, probe, type SyncInput, unchangedReport } from './session.ts';
import type { SyncDeps, SyncOptions, SyncReport } from './types.ts';

/**
 * Brings a mirror to the state of its upstreams. Killed or failed, it leaves the state before; run again, it goes on
 * with what it has. Nothing new: one request for each suite, and no lock, no write. `cancelled` where the signal ended it.
 */
export async function syncMirror(
  deps: SyncDeps,
  spec: MirrorSpec,
  options: SyncOptions = {},
  run: Run = {},
): Promise<SyncReport> {
  try {
    return await sync({ deps, spec, options, run });
  } catch (error) {
    if (!run.signal?.aborted || (error instanceof KubedosError && error.kind === 'cancelled')) throw error;
    throw new KubedosError('cancelled', `sync ${spec.name}: stopped; what was fetched is kept`, {
      hint: 'run the same command again to go on',
      cause: error,
    });
  }
}

/** What unpacks, sorts and selects is loaded once there is something to do: most syncs find nothing new. */
async function sync(input: SyncInput): Promise<SyncReport> {
  const { deps, spec } = input;
  const session = await openSession(input);
  const head = await deps.store.heads.read(spec.name);
  const remembered = readMemory(head);
  const known = head?.spec === specHash(spec, seedHashes(session.seeds)) ? remembered.releases : {};
  const probes = await probe(session, known);
  const due = publicationIsDue(spec.curate, remembered.curated, deps.now());
  if (head && !due && nothingChanged(probes, known)) {
    await recordHead(session);
    return unchangedReport(session, head);
  }
  const opening = { session, head, probes };
  if (spec.form === 'verbatim') return (await import('./sync-verbatim.ts')).syncVerbatim(opening);
  return (await import('./sync-curated.ts')).syncCurated(opening);
}
