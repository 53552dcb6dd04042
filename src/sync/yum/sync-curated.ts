/** Curated mirrors: chosen packages of one or several repositories, with metadata that is signed by this store. */
import { KubedosError } from '../../errors.ts';
import type { YumCurateSpec } from '../../spec/yum-curate-spec.ts';
import { unresolvedError } from '../curate/unresolved.ts';
import { Meter } from '../meter.ts';
import { runSync, type SyncRun } from '../run-sync.ts';
import { note, type Opening } from '../session.ts';
import type { SyncReport } from '../types.ts';
import { type CuratedPart, recordsToRead, selectPart, sourceRepositories } from './curated-parts.ts';
import { publishParts } from './curated-publish.ts';
import { bringRecords } from './records.ts';
import { architecturesOf } from './repositories.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

/** Brings a curated mirror up to date: all or nothing. */
export async function syncCurated(opening: Opening<YumKind>): Promise<SyncReport> {
  const { name, curate } = opening.session.spec;
  if (curate === undefined) throw new KubedosError('internal.bug', `sync ${name}: a curated mirror without curate:`);
  return runSync(opening, (run, states) => syncStates(run, states, curate));
}

async function syncStates(
  run: SyncRun<YumKind>,
  states: readonly RepositoryState[],
  curate: YumCurateSpec,
): Promise<SyncReport> {
  const { session } = run;
  const records = await bringRecords(run, states, async () => undefined, recordsToRead);
  const all = sourceRepositories(states, records);
  new Meter(session.run.onEvent, 'select');
  const parts: CuratedPart[] = [];
  try {
    for (const basearch of architecturesOf(session.spec)) {
      const own = ({ state }: (typeof all)[number]) => [undefined, basearch].includes(state.request.basearch);
      parts.push(await selectPart(run, { basearch, repositories: all.filter(own), curate }));
    }
    const { name } = session.spec;
    const unresolved = parts.flatMap(({ selection }) => selection.unresolved);
    if (unresolved.length > 0) throw unresolvedError(name, unresolved);
    for (const message of new Set(parts.flatMap(({ selection }) => selection.notes)))
      note(session, 'warn', `${name}: ${message}`);
    if (parts.every(({ selection }) => selection.rows.length === 0))
      note(session, 'warn', `${name}: the rules choose no package of ${states.length} repositories`);
    return await publishParts(run, { states, records, parts, curate });
  } finally {
    for (const { table } of parts) table.close();
  }
}
