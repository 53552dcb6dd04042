/** What a curated mirror of rpm repositories holds for one architecture: one repository, chosen from several. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Comps, MAX_COMPS_BYTES, parseComps } from '../../formats/rpm/comps.ts';
import { filelistsRecords } from '../../formats/rpm/filelists.ts';
import { MAX_MODULES_BYTES, type ModuleDocument, parseModules } from '../../formats/rpm/modules-text.ts';
import { primaryPlace } from '../../formats/rpm/primary.ts';
import { primaryRecords } from '../../formats/rpm/primary-records.ts';
import { quickestRecord } from '../../formats/rpm/quickest-record.ts';
import type { RepomdRecord } from '../../formats/rpm/repomd.ts';
import { parseUpdateinfo, type Update } from '../../formats/rpm/updateinfo.ts';
import type { YumCurateSpec } from '../../spec/yum-curate-spec.ts';
import type { ObjectStore } from '../../store/types.ts';
import type { Row } from '../curate/columns.ts';
import type { ChosenFile } from '../curate/pool-places.ts';
import type { SyncRun } from '../run-sync.ts';
import { Advisories } from './curate/advisories.ts';
import { ModuleStreams } from './curate/module-streams.ts';
import { RequiredFiles } from './curate/required-files.ts';
import { RpmTable } from './curate/rpm-table.ts';
import { type RpmSelection, selectRpms } from './curate/select.ts';
import { type ListedPackage, listedPackage, missingPrimary } from './listed-packages.ts';
import { sumOf } from './package-sums.ts';
import { type PresentRecord, recordBytes, recordContent } from './records.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

/** What is read of a repository, each in the form that unpacks quickest. */
const READ = ['primary', 'filelists', 'other', 'group', 'modules', 'updateinfo'] as const;
export type ReadType = (typeof READ)[number];

export function recordsToRead({ repomd }: RepositoryState): RepomdRecord[] {
  return READ.flatMap((type) => quickestRecord(repomd.records, type) ?? []);
}

/** A repository that packages are chosen from. */
export interface SourceRepository {
  readonly state: RepositoryState;
  /** Place among the repositories of the spec. */
  readonly at: number;
  readonly record: (type: ReadType) => PresentRecord | undefined;
}

export function sourceRepositories(
  states: readonly RepositoryState[],
  records: readonly PresentRecord[],
): SourceRepository[] {
  return states.map((state, at) => ({
    state,
    at,
    record(type) {
      const wanted = quickestRecord(state.repomd.records, type);
      return records.find((each) => each.state === state && each.record === wanted);
    },
  }));
}

export interface CuratedPart {
  /** Empty where the spec tells no architecture; the folder of the repository, too. */
  readonly basearch: string;
  readonly repositories: readonly SourceRepository[];
  readonly table: RpmTable;
  readonly selection: RpmSelection;
  readonly comps: Comps;
  readonly modules: readonly ModuleDocument[];
}

/** Reads all that the repositories list, and chooses. The table is the caller's to close. */
export async function selectPart(
  { session, space }: SyncRun<YumKind>,
  of: { readonly basearch: string; readonly repositories: readonly SourceRepository[]; readonly curate: YumCurateSpec },
): Promise<CuratedPart> {
  const { basearch, repositories, curate } = of;
  const { objects } = space;
  const table = new RpmTable(join(space.scratch, `rpms-${process.pid}-${randomUUID()}`));
  try {
    for (const { state, record } of repositories) {
      const primary = record('primary');
      if (primary === undefined) throw missingPrimary(state.request.source);
      await table.add(primaryRecords(recordContent(objects, primary), primary.path), state.request.source);
    }
    await findPaths(objects, table, repositories);
    const comps = await compsOf(objects, repositories);
    const documents = await modulesOf(objects, repositories);
    const advisories = new Advisories(curate.advisories);
    await advisories.add(updatesOf(objects, repositories), table);
    const modules = new ModuleStreams(documents, table);
    const { seeds } = session;
    const { signal } = session.run;
    const selection = selectRpms({ curate, table, basearch, comps, modules, advisories, seeds, signal });
    return { basearch, repositories, table, selection, comps, modules: documents };
  } catch (error) {
    table.close();
    throw error;
  }
}

/** Files that are required, and that primary does not name. */
async function findPaths(
  objects: ObjectStore,
  table: RpmTable,
  repositories: readonly SourceRepository[],
): Promise<void> {
  const files = new RequiredFiles(table);
  if (files.isEmpty) return;
  for (const { record } of repositories) {
    const filelists = record('filelists');
    if (filelists === undefined) continue;
    await files.find(filelistsRecords(recordContent(objects, filelists), filelists.path), filelists.path);
  }
}

async function compsOf(objects: ObjectStore, repositories: readonly SourceRepository[]): Promise<Comps> {
  const entries: Comps['entries'][number][] = [];
  for (const { record } of repositories) {
    const group = record('group');
    if (group === undefined) continue;
    entries.push(...(await parseComps(await recordBytes(objects, group, MAX_COMPS_BYTES), group.path)).entries);
  }
  return { entries };
}

async function modulesOf(objects: ObjectStore, repositories: readonly SourceRepository[]): Promise<ModuleDocument[]> {
  const documents: ModuleDocument[] = [];
  for (const { record } of repositories) {
    const modules = record('modules');
    if (modules === undefined) continue;
    documents.push(...(await parseModules(await recordBytes(objects, modules, MAX_MODULES_BYTES), modules.path)));
  }
  return documents;
}

/** Of all repositories, in their order. */
export async function* updatesOf(
  objects: ObjectStore,
  repositories: readonly SourceRepository[],
): AsyncGenerator<Update> {
  for (const { record } of repositories) {
    const updateinfo = record('updateinfo');
    if (updateinfo !== undefined) yield* parseUpdateinfo(recordContent(objects, updateinfo), updateinfo.path);
  }
}

export interface ChosenRpm extends ListedPackage {
  readonly repository: SourceRepository;
  /** Where it is to lie, from the root of the mirror. */
  readonly wishedPath: string;
}

/** The package of a row as a file. */
export function chosenRpm({ table, repositories, basearch }: CuratedPart, row: Row): ChosenRpm {
  const repository = repositories[table.index(row)] as SourceRepository;
  const { folder } = repository.state.request;
  const listed = listedPackage(primaryPlace(table.record(row), table.describe(row)), folder, table.describe(row));
  const inside = folder === '' || listed.path.startsWith(`${folder}/`);
  // What lies beside its repository (`..` in an href) lies within ours.
  const own = inside
    ? listed.path.slice(folder === '' ? 0 : folder.length + 1)
    : `Packages/${listed.path.split('/').at(-1)}`;
  return { ...listed, repository, wishedPath: basearch === '' ? own : `${basearch}/${own}` };
}

/** By the SHA-256 of `digests` where the metadata tells another one. */
export function chosenFile(chosen: ChosenRpm, digests: ReadonlyMap<string, string>): ChosenFile {
  const { wishedPath, path, sizeBytes, checksum, repository } = chosen;
  const sha256 = sumOf(checksum, digests);
  return { path: wishedPath, remotePath: path, sizeBytes, sha256, upstreamIndex: repository.at };
}
