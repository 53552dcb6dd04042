import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import type { Family } from './family.ts';
import { readMemory } from './memory.ts';
import { recordHead } from './record.ts';
import { hasSpec, readSeeds } from './seeds.ts';
import { nothingChanged, probe, type SyncInput, unchangedReport } from './session.ts';
import type { SyncDeps, SyncOptions, SyncReport } from './types.ts';
import type { Kind } from './upstream-root.ts';

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
    const seeds = await readSeeds(deps, spec);
    if (spec.type === 'apt')
      return await sync({ deps, spec, options, run, seeds }, (await import('./apt/family.ts')).APT);
    return await sync({ deps, spec, options, run, seeds }, (await import('./yum/family.ts')).YUM);
  } catch (error) {
    if (!run.signal?.aborted || (error instanceof KubedosError && error.kind === 'cancelled')) throw error;
    throw new KubedosError('cancelled', `sync ${spec.name}: stopped; what was fetched is kept`, {
      hint: 'run the same command again to go on',
      cause: error,
    });
  }
}

async function sync<K extends Kind>(input: SyncInput<K>, family: Family<K>): Promise<SyncReport> {
  const { deps, spec } = input;
  checkPins(spec);
  const session = { ...input, roots: await family.roots(input), notes: [] };
  const head = await deps.store.heads.read(spec.name);
  const memory = readMemory(head);
  const known = head && hasSpec(head, input) ? memory.releases : {};
  const probes = await probe(session.roots, known);
  if (head && !family.isDue(input, memory) && nothingChanged(probes, known)) {
    await recordHead(session);
    return unchangedReport(session, head);
  }
  return family.sync({ session, head, probes });
}

/** Empty keys mean that nobody verified them yet; nothing is asked from upstream then. */
function checkPins(spec: MirrorSpec): void {
  const at = spec.upstreams.findIndex(({ keys }) => keys.length === 0);
  if (at < 0) return;
  throw new KubedosError('trust.no-key', `sync ${spec.name}: upstreams[${at}] of its spec pins no key`, {
    hint: 'add the fingerprint of the signing key under keys:, as docs/keys.md tells',
  });
}
