/** Repositories of own rpm packages: no upstream, signed by this store. */
import pLimit from 'p-limit';
import type { ListingChange, PackageRow } from '../../catalog/types.ts';
import { KubedosError } from '../../errors.ts';
import type { PublishedRpm, PublishRpm, RpmPublication } from '../../formats/rpm/publication.ts';
import type { Run } from '../../progress.ts';
import { readManifest, writeManifest } from '../../store/manifest.ts';
import { editManifest } from '../../store/manifest-edit.ts';
import { isoSeconds } from '../../store/schemas.ts';
import type { ManifestEntry, ManifestRef, MirrorHead, Store } from '../../store/types.ts';
import type { RepoChange } from '../local-repo.ts';
import { Outcome, type RepoReport } from '../repo-outcome.ts';
import { type LocalRepoDeps, tellCatalog, unchanged } from '../repo-publication.ts';
import { rpmRow } from './package-rows.ts';
import { RecordFile } from './record-file.ts';
import { type RpmRepoMemory, type RpmRepoSettings, rpmRepoMemory } from './repo-settings.ts';
import { changed, mergedRecords, type Settled, settleChange } from './rpm-change.ts';
import { type RpmAddition, takeInRpm } from './rpm-intake.ts';
import { type StoredRecord, storedRecords } from './stored-metadata.ts';

export interface RpmRepoDeps extends Pick<LocalRepoDeps, 'now' | 'recordChange'> {
  readonly store: Pick<Store, 'objects' | 'heads' | 'withWriter' | 'file'>;
  readonly publish: PublishRpm;
}

/** Publishes an empty repository under that name; `store.exists` if there is a mirror of that name. */
export async function createRpmRepo(
  deps: RpmRepoDeps,
  mirror: string,
  settings: RpmRepoSettings,
  run: Run = {},
): Promise<RepoReport> {
  return deps.store.withWriter('repo create', async () => {
    if ((await deps.store.heads.read(mirror)) !== undefined)
      throw new KubedosError('store.exists', `create repository ${mirror}: there is a mirror of that name`);
    const file = new RecordFile(await deps.store.file('tmp'));
    const settled = { additions: [], removed: new Set<string>(), packages: 0 };
    return publishChange(
      deps,
      { mirror, rpm: settings, previous: undefined, settled, file, outcome: new Outcome() },
      run,
    );
  });
}

/** As changeRepo of apt: one step, whole or not at all. */
export async function changeRpmRepo(
  deps: RpmRepoDeps,
  mirror: string,
  change: RepoChange,
  run: Run = {},
): Promise<RepoReport> {
  const { store } = deps;
  const file = new RecordFile(await store.file('tmp'));
  try {
    // Before the lock: uploads may be slow, and nobody is to wait for them.
    const additions = await takeInAll(deps, { mirror, add: change.add ?? [], file }, run);
    return await store.withWriter('repo change', () => applyChange(deps, { mirror, change, additions, file }, run));
  } finally {
    await file.dispose();
  }
}

const PARALLEL_INTAKES = 8;

/** All end before the first failure comes out: they write to one file. */
async function takeInAll(
  { store }: RpmRepoDeps,
  of: { readonly mirror: string; readonly add: NonNullable<RepoChange['add']>; readonly file: RecordFile },
  { signal }: Run,
): Promise<RpmAddition[]> {
  const limit = pLimit(PARALLEL_INTAKES);
  const tasks: Promise<RpmAddition>[] = [];
  for await (const wanted of of.add)
    tasks.push(
      limit(() => {
        if (signal?.aborted) throw new KubedosError('cancelled', `change ${of.mirror}: stopped`);
        return takeInRpm(store.objects, of.file, wanted);
      }),
    );
  const settled = await Promise.allSettled(tasks);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function applyChange(
  deps: RpmRepoDeps,
  of: {
    readonly mirror: string;
    readonly change: RepoChange;
    readonly additions: readonly RpmAddition[];
    readonly file: RecordFile;
  },
  run: Run,
): Promise<RepoReport> {
  const { mirror, change, additions, file } = of;
  const { objects, heads } = deps.store;
  const head = await heads.read(mirror);
  if (head === undefined)
    throw new KubedosError('store.not-found', `change ${mirror}: there is no such repository`, {
      hint: `make it with \`kubedos repo create ${mirror} --type yum\``,
    });
  const memory = rpmRepoMemory(head);
  for (const { path, sha256 } of additions) {
    // They were stored before the lock was taken: a collection of garbage may have come between.
    if ((await objects.stat(sha256)) === undefined)
      throw new KubedosError('store.raced', `add ${path}: its object was removed meanwhile`, {
        hint: 'add the package again',
        retryable: true,
      });
  }
  const outcome = new Outcome();
  const wanted = { additions, removals: change.remove ?? [], force: change.force ?? false, origin: mirror };
  const primary = storedRecords(objects, head.manifest.root, { folder: '', type: 'primary' });
  const settled = await settleChange(primary, wanted, outcome);
  if (settled.additions.length === 0 && settled.removed.size === 0)
    return unchanged(deps, { mirror, manifest: head.manifest, outcome }, run);
  return publishChange(deps, { mirror, rpm: memory.rpm, previous: { head, memory }, settled, file, outcome }, run);
}

interface NextState {
  readonly mirror: string;
  readonly rpm: RpmRepoSettings;
  /** Undefined: the repository is new. */
  readonly previous: { readonly head: MirrorHead; readonly memory: RpmRepoMemory } | undefined;
  readonly settled: Settled;
  readonly file: RecordFile;
  readonly outcome: Outcome;
}

async function publishChange(deps: RpmRepoDeps, state: NextState, run: Run): Promise<RepoReport> {
  const { mirror, settled, outcome, previous } = state;
  const before = previous?.head.manifest;
  const publication = publicationOf(deps, state);
  const published = await deps.publish(publication, run);
  for (const addition of settled.additions) outcome.added.set(addition.path, changed(addition));
  const manifest = await nextManifest(deps, state, published);
  await deps.store.heads.write(headOf(state, manifest, { published, date: publication.date }), before?.root);
  const change: ListingChange = {
    before: before?.root,
    root: manifest.root,
    added: settled.additions.map(rowOf),
    removed: [...outcome.removed.values()].map(({ sha256, path }) => ({ sha256, path })),
  };
  await tellCatalog(deps, mirror, change, run);
  return outcome.report(mirror, manifest, before);
}

function publicationOf({ store: { objects }, now }: RpmRepoDeps, state: NextState): RpmPublication {
  const { previous, settled, file, rpm } = state;
  const root = previous?.head.manifest.root;
  return {
    folder: '',
    packages: settled.packages,
    records: (type) =>
      mergedRecords(root === undefined ? none() : storedRecords(objects, root, { folder: '', type }), settled, {
        type,
        file,
      }),
    date: nextDate(now(), previous?.memory.published),
    compression: rpm.compression,
    previous: previous?.memory.generations ?? [],
  };
}

async function* none(): AsyncGenerator<StoredRecord[]> {}

/** The list before with what changed; of the metadata, only what was published now stays. */
async function nextManifest(
  { store: { objects } }: RpmRepoDeps,
  { previous, settled, outcome }: NextState,
  published: PublishedRpm,
): Promise<ManifestRef> {
  const base = previous?.head.manifest.root ?? (await writeManifest(objects, [])).root;
  const remove = [...outcome.removed.values()].map(({ path }) => path);
  for await (const { path } of readManifest(objects, base, { prefix: 'repodata/' })) remove.push(path);
  const set: ManifestEntry[] = [
    ...published.entries,
    ...settled.additions.map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes })),
  ];
  return editManifest(objects, base, { set, remove });
}

/** Whole seconds, and newer than the one before: the revision tells the states apart. */
function nextDate(now: Date, published: string | undefined): Date {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  return new Date(published === undefined ? second : Math.max(second, Date.parse(published) + 1000));
}

function rowOf({ nevra, path, sha256, summary, source, group }: RpmAddition): PackageRow {
  return { ...rpmRow({ ...nevra, summary, sourceRpm: source, group }), path, sha256 };
}

function headOf(
  { mirror, rpm }: NextState,
  manifest: ManifestRef,
  { published, date }: { readonly published: PublishedRpm; readonly date: Date },
): MirrorHead {
  const time = isoSeconds(date);
  const generations = published.generations.map((files) => [...files]);
  const memory: RpmRepoMemory = { rpm, published: time, generations };
  return {
    format: 'kubedos-head/1',
    name: mirror,
    kind: 'yum',
    form: 'local',
    manifest,
    evidence: [],
    time,
    spec: null,
    memory: { ...memory },
  };
}
