/** Curated mirrors: chosen packages of one or several upstreams, with an index that is signed by this store. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { CurateSpec } from '../../spec/apt-curate-spec.ts';
import { unresolvedError } from '../curate/unresolved.ts';
import { Meter } from '../meter.ts';
import { runSync } from '../run-sync.ts';
import { note, type Opening, type Session } from '../session.ts';
import type { SyncReport } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import { PackageTable } from './curate/package-table.ts';
import { type Selection, selectPackages } from './curate/select.ts';
import { publishSelection } from './curated-publish.ts';
import type { CuratedRun } from './curated-run.ts';
import type { CuratedParts } from './curated-stanzas.ts';
import { fetchSmallest, type IndexRequest, type PresentIndex, quickestForm } from './index-fetch.ts';
import { planIndexes } from './index-plan.ts';
import { storedIndex } from './index-read.ts';
import type { AptKind, SuiteState } from './suite-state.ts';

/** Brings a curated mirror up to date: all or nothing. */
export async function syncCurated(opening: Opening<AptKind>): Promise<SyncReport> {
  const { name, curate } = opening.session.spec;
  if (curate === undefined) throw new KubedosError('internal.bug', `sync ${name}: a curated mirror without curate:`);
  return runSync(opening, (run, states) => syncStates({ ...run, curate }, states));
}

async function syncStates(run: CuratedRun, states: readonly SuiteState[]): Promise<SyncReport> {
  const { session, space, curate } = run;
  const indexes = await fetchSmallest(
    states.flatMap((state) => requestsOf(state, curate)),
    space.source,
    session.run,
  );
  const packages = indexes.filter(({ kind }) => kind === 'packages');
  new Meter(session.run.onEvent, 'select');
  const table = new PackageTable(join(space.scratch, `packages-${process.pid}-${randomUUID()}`));
  try {
    for (const index of packages) await addIndex(table, index, space);
    const selection = select(run, table, states);
    const parts: CuratedParts = {
      objects: space.objects,
      table,
      selection,
      indexes: packages,
      component: curate.component,
      architectures: architecturesOf(session),
      without: new Set(),
    };
    return await publishSelection(run, { states, indexes, parts });
  } finally {
    table.close();
  }
}

/** Of what upstream has, a curated mirror takes the packages, their long descriptions and, if asked for, their sources. */
function requestsOf({ request, release }: SuiteState, curate: CurateSpec): IndexRequest[] {
  const { suite, urls, upstreamIndex, source: origin } = request;
  const { translations } = request.upstream.include;
  const include = { ...NOTHING, translations, sources: curate.sources && request.upstream.include.sources };
  const upstream = { ...request.upstream, include };
  return planIndexes({ release, suite, upstream, origin }).map((index) => ({ index, suite, urls, upstreamIndex }));
}

const NOTHING = { udebs: false, contents: false, dep11: false, cnf: false, installer: false };

async function addIndex(table: PackageTable, index: PresentIndex, { objects }: Workspace): Promise<void> {
  const file = quickestForm(index);
  const origin = `${index.suite} ${file.path}`;
  await table.add(storedIndex(objects, file, origin), origin);
}

function select({ session, curate }: CuratedRun, table: PackageTable, states: readonly SuiteState[]): Selection {
  const { signal } = session.run;
  const selection = selectPackages({
    ...curate,
    table,
    architectures: architecturesOf(session),
    seeds: session.seeds,
    signal,
  });
  if (selection.unresolved.length > 0) throw unresolvedError(session.spec.name, selection.unresolved);
  for (const message of selection.notes) note(session, 'warn', `${session.spec.name}: ${message}`);
  if (selection.rows.length === 0)
    note(session, 'warn', `${session.spec.name}: the rules choose no package of ${states.length} suites`);
  return selection;
}

/** Of all upstreams, each once. */
function architecturesOf({ spec }: Session<AptKind>): string[] {
  return [...new Set(spec.upstreams.flatMap(({ architectures }) => architectures))];
}
