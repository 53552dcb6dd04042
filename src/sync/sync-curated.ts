/** Curated mirrors: chosen packages of one or several upstreams, with an index that is signed by this store. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { CurateSpec } from '../spec/curate-spec.ts';
import { specHash } from '../spec/spec-hash.ts';
import { unresolvedError } from './curate/missing.ts';
import { PackageTable } from './curate/package-table.ts';
import { type Selection, selectPackages } from './curate/select.ts';
import { publicationIsDue } from './curated-dates.ts';
import { publishSelection } from './curated-publish.ts';
import type { CuratedRun } from './curated-run.ts';
import type { CuratedParts } from './curated-stanzas.ts';
import { fetchSmallest, type IndexRequest, type PresentIndex, quickestForm } from './index-fetch.ts';
import { planIndexes } from './index-plan.ts';
import { storedIndex } from './index-read.ts';
import { readMemory } from './memory.ts';
import { Meter } from './meter.ts';
import { withReplans } from './replan.ts';
import { readSeeds, seedHashes } from './seeds.ts';
import { note, nothingChanged, openSession, probe, type Session, type SyncInput, unchangedReport } from './session.ts';
import type { SuiteState } from './suite-state.ts';
import type { SyncReport } from './types.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

/** Brings a curated mirror up to date: all or nothing. */
export async function syncCurated(input: SyncInput): Promise<SyncReport> {
  const { deps, spec, options } = input;
  const { curate } = spec;
  if (curate === undefined)
    throw new KubedosError('internal.bug', `sync ${spec.name}: a curated mirror without curate:`);
  const session = await openSession(input);
  const seeds = await readSeeds(deps, spec);
  const head = await deps.store.heads.read(spec.name);
  const remembered = readMemory(head);
  const known = head?.spec === specHash(spec, seedHashes(seeds)) ? remembered.releases : {};
  const probes = await probe(session, known);
  const due = publicationIsDue(curate, remembered.curated, deps.now());
  if (head && !due && nothingChanged(probes, known)) return unchangedReport(session, head);
  const command = `sync ${spec.name}`;
  return withWorkspace(deps, { command, dryRun: options.dryRun ?? false }, async (space) => {
    const before = await deps.store.heads.read(spec.name);
    const fresh = before?.time === head?.time && before?.manifest.root === head?.manifest.root;
    const memory = readMemory(before);
    const start = {
      probes: fresh ? probes : await probe(session, {}),
      releases: memory.releases,
      objects: space.objects,
    };
    const run: CuratedRun = { session, curate, seeds, space, before, memory };
    return withReplans(session, start, (states) => syncStates(run, states));
  });
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

function select({ session, curate, seeds }: CuratedRun, table: PackageTable, states: readonly SuiteState[]): Selection {
  const { signal } = session.run;
  const selection = selectPackages({ ...curate, table, architectures: architecturesOf(session), seeds, signal });
  if (selection.unresolved.length > 0) throw unresolvedError(session.spec.name, selection.unresolved);
  for (const message of selection.notes) note(session, 'warn', `${session.spec.name}: ${message}`);
  if (selection.rows.length === 0)
    note(session, 'warn', `${session.spec.name}: the rules choose no package of ${states.length} suites`);
  return selection;
}

/** Of all upstreams, each once. */
function architecturesOf({ spec }: Session): string[] {
  return [...new Set(spec.upstreams.flatMap(({ architectures }) => architectures))];
}
