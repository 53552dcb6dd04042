/** What both forms of a mirror do once something is new: the lock, the state to go from, and plans until one holds. */

import type { MirrorHead } from '../store/types.ts';
import { readMemory, type SyncMemory } from './memory.ts';
import { recordHead } from './record.ts';
import { withReplans } from './replan.ts';
import { type Opening, probe, type Session } from './session.ts';
import type { SyncReport } from './types.ts';
import type { Kind } from './upstream-root.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

/** What the steps of a sync share. */
export interface SyncRun<K extends Kind = Kind> {
  readonly session: Session<K>;
  readonly space: Workspace;
  /** The head that the new one will replace. */
  readonly before: MirrorHead | undefined;
  readonly memory: SyncMemory;
}

export function runSync<K extends Kind>(
  { session, head, probes }: Opening<K>,
  attempt: (run: SyncRun<K>, states: readonly K['state'][]) => Promise<SyncReport>,
): Promise<SyncReport> {
  const { deps, spec, options } = session;
  const where = { command: `sync ${spec.name}`, dryRun: options.dryRun ?? false };
  return withWorkspace(deps, where, async (space) => {
    // Another sync may have got the lock first; what it accepted counts against rollback.
    const before = await deps.store.heads.read(spec.name);
    const fresh = JSON.stringify(before) === JSON.stringify(head);
    const memory = readMemory(before);
    const { releases } = memory;
    const start = { probes: fresh ? probes : await probe(session.roots, {}), releases, objects: space.objects };
    const report = await withReplans(session, start, (states) => attempt({ session, space, before, memory }, states));
    await recordHead(session);
    return report;
  });
}
