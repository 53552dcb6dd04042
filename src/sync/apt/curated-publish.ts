/** Fetches what was chosen, publishes it and moves the head. */
import { createHash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import type { IndexInput, Publication, Published } from '../../formats/apt/publication.ts';
import { readManifest, writeManifest } from '../../store/manifest.ts';
import { EntrySorter } from '../../store/sorted-lines.ts';
import type { ManifestEntry, ManifestRef } from '../../store/types.ts';
import { commitHead, commitMemory } from '../commit.ts';
import type { SyncMemory } from '../memory.ts';
import { judgeMissing } from '../missing.ts';
import { countLack, fetchPool, type Lack } from '../pool-fetch.ts';
import { syncReport } from '../report.ts';
import { requireRoom } from '../room.ts';
import { seedHashes } from '../seeds.ts';
import type { SyncReport } from '../types.ts';
import { releasesOf } from '../verbatim.ts';
import { publicationDate, publicationIsDue, validUntil } from './curated-dates.ts';
import { type ChosenFile, PoolPlaces } from './curated-pool.ts';
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
  const { session, space, before, curate } = run;
  const { objects, source } = space;
  const translations = await translationIndexes(
    parts,
    indexes.filter(({ kind }) => kind === 'translation'),
  );
  const sources = await chosenSources(
    parts,
    indexes.filter(({ kind }) => kind === 'sources'),
  );
  const places = await PoolPlaces.of(chosenFiles(parts, sources), space.scratch);
  const inputs = [...packagesIndexes(parts, places), ...sourcesIndex(parts, sources, places), ...translations];
  const listed = await writeSorted(space.scratch, run, poolEntries(parts, sources, places));
  const identity = selectionIdentity(run, inputs);
  const remembered = run.memory.curated;
  const dryRun = session.options.dryRun ?? false;
  const kept = indexes.flatMap(({ forms }) => forms);
  if (before && remembered?.selection === identity && !publicationIsDue(curate, remembered, session.deps.now())) {
    const releases = releasesOf(states);
    const what = {
      spec: session.spec,
      specExtra: seedHashes(session.seeds),
      memory: { ...run.memory, releases },
      kept,
    };
    if (!dryRun) await commitMemory(session.deps, before, what);
    return syncReport(run, { states, lack: NOTHING, manifest: before.manifest, missing: new Set() });
  }
  const span = { before: before?.manifest.root, after: listed.root };
  const lack = await countLack(objects, span, source);
  if (dryRun) return syncReport(run, { states, lack, manifest: listed, missing: new Set() });
  await requireRoom(session, lack);
  const urls = urlsOf(states);
  const locate = (path: string) => {
    const origin = places.origin(path);
    return { path: origin.path, urls: urls.get(origin.upstreamIndex) ?? [] };
  };
  const { missing } = await fetchPool({ objects, source, span, lack, locate, rivals: new Map() }, session.run);
  const lacking = new Set([...missing].map((path) => places.origin(path).path));
  await judgeMissing(session, lacking, () => importantOnes(lacking, { objects, indexes }));
  const without: CuratedParts = { ...parts, without: missing };
  const rest = [...packagesIndexes(without, places), ...sourcesIndex(without, sources, places), ...translations];
  const { published, date } = await publish(run, states, missing.size === 0 ? inputs : rest);
  const manifest = await writeSorted(space.scratch, run, allEntries(run, { listed, missing, published }));
  const why = await objects.put(parts.selection.reasons());
  const until = validUntil(curate, date);
  const memory: SyncMemory = {
    releases: releasesOf(states),
    generations: published.generations,
    curated: {
      // What was missing is looked for again at the next change.
      selection: missing.size === 0 ? identity : INCOMPLETE,
      date: date.toISOString(),
      validUntil: until?.toISOString() ?? null,
      why: why.sha256,
    },
  };
  const { deps, spec } = session;
  const specExtra = seedHashes(session.seeds);
  await commitHead(deps, { spec, specExtra, manifest, states, memory, before, kept });
  const moved = await countLack(objects, { before: before?.manifest.root, after: manifest.root }, source);
  return syncReport(run, { states, lack: { ...lack, added: moved.added, removed: moved.removed }, manifest, missing });
}

const INCOMPLETE = '0'.repeat(64);
const NOTHING: Lack = { files: 0, bytes: 0, added: 0, removed: 0 };

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

async function* allEntries(
  { space }: CuratedRun,
  of: { readonly listed: ManifestRef; readonly missing: ReadonlySet<string>; readonly published: Published },
): AsyncGenerator<ManifestEntry> {
  for await (const entry of readManifest(space.objects, of.listed.root)) if (!of.missing.has(entry.path)) yield entry;
  yield* of.published.entries;
}

async function writeSorted(
  scratch: string,
  { space }: CuratedRun,
  entries: Iterable<ManifestEntry> | AsyncIterable<ManifestEntry>,
): Promise<ManifestRef> {
  const sorter = new EntrySorter({ folder: scratch });
  try {
    for await (const entry of entries) await sorter.add(entry);
    return await writeManifest(space.objects, sorter.sorted());
  } finally {
    await sorter.dispose();
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

async function publish(run: CuratedRun, states: readonly SuiteState[], indexes: readonly IndexInput[]) {
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
  return { published: await publisher(publication, session.run), date };
}

function urlsOf(states: readonly SuiteState[]): Map<number, readonly string[]> {
  return new Map(states.map(({ request }) => [request.upstreamIndex, request.urls]));
}
