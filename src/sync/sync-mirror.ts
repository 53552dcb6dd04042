import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import { syncCurated } from './sync-curated.ts';
import { syncVerbatim } from './sync-verbatim.ts';
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
  const input = { deps, spec, options, run };
  try {
    return await (spec.form === 'curated' ? syncCurated(input) : syncVerbatim(input));
  } catch (error) {
    if (!run.signal?.aborted || (error instanceof KubedosError && error.kind === 'cancelled')) throw error;
    throw new KubedosError('cancelled', `sync ${spec.name}: stopped; what was fetched is kept`, {
      hint: 'run the same command again to go on',
      cause: error,
    });
  }
}
