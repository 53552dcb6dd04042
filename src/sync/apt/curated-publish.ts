/** The selection of a curated mirror, published. */
import { createHash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import type { IndexInput, Publication } from '../../formats/apt/publication.ts';
import type { ManifestEntry } from '../../store/types.ts';
import { type ChosenFile, PoolPlaces } from '../curate/pool-places.ts';
import { publicationDate } from '../curate/publication-date.ts';
import { whyFile } from '../curate/why.ts';
import { bringSelection, type PublishedSelection } from '../curated.ts';
import { judgeMissing } from '../missing.ts';
import type { SyncReport } from '../types.ts';
import { publicationIsDue, validUntil } from './curated-dates.ts';
import { APT_PLACES } from './curated-pool.ts';
import type { CuratedRun } from './curated-run.ts';
import {
  type ChosenSource,
  type CuratedParts,
  chosenFile,
  chosenSources,
  packagesIndexes,
  placeSource,
  sourcesIndex,
  translationIndexes,
} from './curated-stanzas.ts';
import type { PresentIndex } from './index-fetch.ts';
import { importantOnes } from './missing.ts';
import type { SuiteState } from './suite-state.ts';

export interface Chosen {
  readonly states: readonly SuiteState[];
  /** All that were fetched. */
  readonly indexes: readonly PresentIndex[];
  readonly parts: CuratedParts;
}

/** An unchanged selection leaves the manifest, the evidence and the time of the head as they are. */
export async function publishSelection(run: CuratedRun, { states, indexes, parts }: Chosen): Promise<SyncReport> {
  const { session, space, curate } = run;
  const { objects } = space;
  const translations = await translationIndexes(
    parts,
    indexes.filter(({ kind }) => kind === 'translation'),
  );
  const sources = await chosenSources(
    parts,
    indexes.filter(({ kind }) => kind === 'sources'),
  );
  const places = await PoolPlaces.of(chosenFiles(parts, sources), space.scratch, APT_PLACES);
  const inputsOf = (of: CuratedParts): IndexInput[] => [
    ...packagesIndexes(of, places),
    ...sourcesIndex(of, sources, places),
    ...translations,
  ];
  const urls = new Map(states.map(({ request }) => [request.upstreamIndex, request.urls]));
  return bringSelection(run, {
    states,
    kept: indexes.flatMap(({ forms }) => forms),
    identity: selectionIdentity(run, inputsOf(parts)),
    isDue: publicationIsDue(curate, run.memory.curated, session.deps.now()),
    files: () => poolEntries(parts, sources, places),
    locate(path) {
      const origin = places.origin(path);
      return { path: origin.path, urls: urls.get(origin.upstreamIndex) ?? [] };
    },
    judgeMissing(missing) {
      const lacking = new Set([...missing].map((path) => places.origin(path).path));
      return judgeMissing(session, lacking, () => importantOnes(lacking, { objects, indexes }));
    },
    publish: (missing) => publish(run, states, inputsOf({ ...parts, without: missing })),
    reasons: () => whyFile([parts.selection.explained], parts.selection.rules),
  });
}

function* chosenFiles(parts: CuratedParts, sources: readonly ChosenSource[]): Generator<ChosenFile> {
  for (const row of parts.selection.rows) yield chosenFile(parts, row);
  for (const { files } of sources) yield* files;
}

function* poolEntries(
  parts: CuratedParts,
  sources: readonly ChosenSource[],
  places: PoolPlaces,
): Generator<ManifestEntry> {
  for (const row of parts.selection.rows) {
    const file = chosenFile(parts, row);
    yield { path: places.place(file), sha256: file.sha256, sizeBytes: file.sizeBytes };
  }
  for (const source of sources) {
    const { paths } = placeSource(source, places);
    for (const [at, { sha256, sizeBytes }] of source.files.entries())
      yield { path: paths[at] as string, sha256, sizeBytes };
  }
}

/** All that decides what the publication says, its Date and signature aside. */
function selectionIdentity({ curate, session }: CuratedRun, inputs: readonly IndexInput[]): string {
  const { suite, codename, origin, label, component, compressions, validForDays } = curate;
  const digest = createHash('sha256');
  const { name, description } = session.spec;
  digest.update(
    JSON.stringify({ name, description, suite, codename, origin, label, component, compressions, validForDays }),
  );
  for (const input of inputs) {
    digest.update(`\n${input.kind} ${input.architecture}\n`);
    for (const raw of input.stanzas() as Iterable<Uint8Array>) digest.update(raw).update('\n');
  }
  return digest.digest('hex');
}

async function publish(
  run: CuratedRun,
  states: readonly SuiteState[],
  indexes: readonly IndexInput[],
): Promise<PublishedSelection> {
  const { session, curate, memory } = run;
  const { publish: publisher, now } = session.deps;
  if (publisher === undefined)
    throw new KubedosError('internal.bug', `sync ${session.spec.name}: a curated mirror needs a publisher`);
  const dates = states.map(({ memory: { date } }) => date);
  const date = publicationDate(dates, memory.curated, { now: now(), fromNow: curate.validForDays !== undefined });
  const publication: Publication = {
    suite: curate.suite,
    codename: curate.codename ?? curate.suite.replaceAll('/', '-'),
    origin: curate.origin,
    label: curate.label ?? session.spec.name,
    description: session.spec.description,
    components: [curate.component],
    architectures: [...new Set(session.spec.upstreams.flatMap(({ architectures }) => architectures))],
    indexes,
    date,
    validUntil: validUntil(curate, date),
    compressions: curate.compressions,
    previous: memory.generations,
  };
  return { ...(await publisher(publication, session.run)), date, validUntil: publication.validUntil };
}
