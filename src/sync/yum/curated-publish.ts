/** The selections of a curated mirror, published: a repository for each architecture. */
import { createHash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import { inFolder, KEYS_FILE } from '../../formats/rpm/layout.ts';
import type { PublishedRpm, PublishRpm } from '../../formats/rpm/publication.ts';
import type { YumCurateSpec } from '../../spec/yum-curate-spec.ts';
import type { ManifestEntry } from '../../store/types.ts';
import type { Row } from '../curate/columns.ts';
import { type ChosenFile, type OwnPlaces, PoolPlaces } from '../curate/pool-places.ts';
import { publicationDate } from '../curate/publication-date.ts';
import { whyFile } from '../curate/why.ts';
import { bringSelection, type PublishedSelection } from '../curated.ts';
import type { SyncMemory } from '../memory.ts';
import { judgeMissing } from '../missing.ts';
import type { SyncRun } from '../run-sync.ts';
import type { SyncReport } from '../types.ts';
import { ruleText } from './curate/rules.ts';
import { type ChosenRpm, type CuratedPart, chosenFile, chosenRpm } from './curated-parts.ts';
import { extraRecords, type PublishedRows, publishedRecords, relocated, SideRecords } from './curated-records.ts';
import { keysFile } from './keys-file.ts';
import { type CheckedPackage, checkPackages, demandsSignedPackages } from './package-check.ts';
import { PackageSums, type SummedPackage } from './package-sums.ts';
import type { PresentRecord } from './records.ts';
import { remotePath } from './repositories.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

export interface Chosen {
  readonly states: readonly RepositoryState[];
  readonly records: readonly PresentRecord[];
  readonly parts: readonly CuratedPart[];
  readonly curate: YumCurateSpec;
}

export async function publishParts(run: SyncRun<YumKind>, chosen: Chosen): Promise<SyncReport> {
  const { session, space } = run;
  const { states, records, parts, curate } = chosen;
  const digests = await new PackageSums(run).of(summedPackages(parts));
  const places = await PoolPlaces.of(allFiles(parts, digests), space.scratch, ownPlaces(parts));
  const rowsWithout = (missing: ReadonlySet<string>): Promise<PublishedRows[]> =>
    Promise.all(
      parts.map(async (part) => {
        const path = (row: Row): string => places.place(chosenFile(chosenRpm(part, row), digests));
        const all = part.selection.rows;
        const rows = missing.size === 0 ? all : all.filter((row) => !missing.has(path(row)));
        const href = (row: Row): string => path(row).slice(part.basearch === '' ? 0 : part.basearch.length + 1);
        return { part, rows, href, extra: await extraRecords(space.objects, part, rows) };
      }),
    );
  const whole = await rowsWithout(new Set());
  function* signed(): Generator<CheckedPackage> {
    for (const rpm of chosenRpms(parts)) {
      const { state } = rpm.repository;
      if (demandsSignedPackages(state)) yield { state, nevra: rpm.nevra, path: places.place(chosenFile(rpm, digests)) };
    }
  }
  return bringSelection(run, {
    states,
    kept: records,
    identity: selectionIdentity(run, chosen, whole),
    isDue: false,
    *files() {
      for (const file of allFiles(parts, digests)) {
        const { sha256, sizeBytes } = file;
        yield { path: places.place(file), sha256, sizeBytes };
      }
    },
    locate(path) {
      const origin = places.origin(path);
      const state = states[origin.upstreamIndex] as RepositoryState;
      return { urls: state.urls, path: remotePath(state.request, origin.path) };
    },
    judgeMissing: (missing) => judgeMissing(session, missing),
    verify: (span, missing) => checkPackages(run, { packages: signed(), span, missing }),
    publish: async (missing) => publish(run, chosen, missing.size === 0 ? whole : await rowsWithout(missing)),
    reasons: () =>
      whyFile(
        parts.map(({ selection }) => selection.explained),
        curate.rules.map(ruleText),
      ),
  });
}

function* chosenRpms(parts: readonly CuratedPart[]): Generator<ChosenRpm> {
  for (const part of parts) for (const row of part.selection.rows) yield chosenRpm(part, row);
}

function* allFiles(parts: readonly CuratedPart[], digests: ReadonlyMap<string, string>): Generator<ChosenFile> {
  for (const rpm of chosenRpms(parts)) yield chosenFile(rpm, digests);
}

function* summedPackages(parts: readonly CuratedPart[]): Generator<SummedPackage> {
  for (const rpm of chosenRpms(parts)) yield { ...rpm, state: rpm.repository.state, ownPath: rpm.wishedPath };
}

/** `x86_64/upstream-2/Packages/…` for the second repository of the spec. */
function ownPlaces(parts: readonly CuratedPart[]): OwnPlaces {
  const split = (path: string): [string, string] => {
    const folder =
      parts.map(({ basearch }) => basearch).find((each) => each !== '' && path.startsWith(`${each}/`)) ?? '';
    return [folder, folder === '' ? path : path.slice(folder.length + 1)];
  };
  return {
    isOurs: (path) => path === KEYS_FILE || split(path)[1].startsWith('repodata/'),
    ownPath(path, at) {
      const [folder, rest] = split(path);
      return inFolder(folder, `upstream-${at + 1}/${rest}`);
    },
  };
}

function selectionIdentity(
  { session }: SyncRun<YumKind>,
  { states, curate }: Chosen,
  published: readonly PublishedRows[],
): string {
  const digest = createHash('sha256');
  digest.update(JSON.stringify({ name: session.spec.name, compression: curate.compression }));
  digest.update(keysFile(states));
  for (const { part, rows, href, extra } of published) {
    digest.update(`\n${part.basearch}\n`);
    for (const row of rows) digest.update(relocated(part.table.record(row), href(row))).update('\n');
    for (const [type, { content }] of extra) digest.update(type).update(content);
  }
  return digest.digest('hex');
}

async function publish(
  run: SyncRun<YumKind>,
  { states, curate }: Chosen,
  published: readonly PublishedRows[],
): Promise<PublishedSelection> {
  const { session, space, memory } = run;
  const { publishRpm, now } = session.deps;
  if (publishRpm === undefined)
    throw new KubedosError('internal.bug', `sync ${session.spec.name}: a curated mirror needs a publisher`);
  const dates = states.map(({ memory: { date } }) => date);
  const date = publicationDate(dates, memory.curated, { now: now(), fromNow: false });
  const done: PublishedRpm[] = [];
  for (const each of published)
    done.push(
      await publishPart(run, { publishRpm, each, date, compression: curate.compression, keys: keysFile(states) }),
    );
  const entries = new Map<string, ManifestEntry>();
  for (const entry of done.flatMap((part) => part.entries)) entries.set(entry.path, entry);
  await space.objects.flush();
  return { entries: entries.values(), generations: joined(done.map(({ generations }) => generations)), date };
}

async function publishPart(
  { session, space, memory }: SyncRun<YumKind>,
  of: {
    readonly publishRpm: PublishRpm;
    readonly each: PublishedRows;
    readonly date: Date;
    readonly compression: YumCurateSpec['compression'];
    readonly keys: Buffer;
  },
): Promise<PublishedRpm> {
  const { publishRpm, each, date, compression, keys } = of;
  const { part, rows, extra } = each;
  const folder = part.basearch;
  const side = await SideRecords.gather(space.objects, part, space.scratch);
  const isOwn = ({ path }: ManifestEntry): boolean => path.startsWith(inFolder(folder, 'repodata/'));
  try {
    const publication = {
      folder,
      packages: rows.length,
      records: (type: Parameters<typeof publishedRecords>[0]) => publishedRecords(type, each, side),
      extra,
      packageKeys: keys,
      date,
      compression,
      previous: memory.generations.map((files) => files.filter(isOwn)).filter((files) => files.length > 0),
    };
    return await publishRpm(publication, session.run);
  } finally {
    side.close();
  }
}

/** The newest of all repositories together, then those before. */
function joined(all: readonly PublishedRpm['generations'][]): SyncMemory['generations'] {
  const most = Math.max(0, ...all.map((generations) => generations.length));
  return Array.from({ length: most }, (_, at) => all.flatMap((generations) => generations[at] ?? []));
}
