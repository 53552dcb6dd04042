/** Repositories of own rpm packages: no upstream, signed by this store. */
import type { ListingChange, PackageRow } from '../../catalog/types.ts';
import { KubedosError } from '../../errors.ts';
import type { PublishedRpm, PublishRpm, RpmPublication } from '../../formats/rpm/publication.ts';
import type { Run } from '../../progress.ts';
import { readManifest, writeManifest } from '../../store/manifest.ts';
import { editManifest } from '../../store/manifest-edit.ts';
import { isoSeconds } from '../../store/schemas.ts';
import type { Evidence, ManifestEntry, ManifestRef, MirrorHead, Store } from '../../store/types.ts';
import type { RepoChange } from '../local-repo.ts';
import { Outcome, type RepoReport } from '../repo-outcome.ts';
import type { LocalRepoDeps } from '../repo-publication.ts';
import { tellCatalog, unchanged } from '../tell-catalog.ts';
import { rpmRow } from './package-rows.ts';
import { type PackageSigning, packagesSignedBy } from './package-signing.ts';
import { RecordFile } from './record-file.ts';
import { type RpmRepoMemory, type RpmRepoSettings, rpmRepoMemory } from './repo-settings.ts';
import { changed, mergedRecords, type Settled, settleChange, touchedNames } from './rpm-change.ts';
import { type RpmAddition, takeInRpms } from './rpm-intake.ts';
import { type StoredMetadataDeps, type StoredRecord, storedParts, unpackedPieces } from './stored-metadata.ts';

export interface RpmRepoDeps extends Pick<LocalRepoDeps, 'now' | 'recordChange'> {
  readonly store: Pick<Store, 'objects' | 'heads' | 'withWriter' | 'file'>;
  readonly publish: PublishRpm;
  /** Where the publisher keeps its pieces. */
  readonly pieces: StoredMetadataDeps['cache'];
  /** For repositories that sign what comes in. */
  readonly signing: PackageSigning;
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
    const nothing = { touched: new Set<string>(), settled: { additions: [], removed: new Set<string>(), packages: 0 } };
    const outcome = new Outcome();
    return publishChange(deps, { mirror, rpm: settings, previous: undefined, ...nothing, file, outcome }, run);
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
  const { rpm } = (await stateOf(store, mirror)).memory;
  const file = new RecordFile(await store.file('tmp'));
  try {
    // Before the lock: uploads may be slow, and nobody is to wait for them.
    const signing = rpm.signPackages ? deps.signing : undefined;
    const additions = await takeInRpms({ store, signing }, { mirror, add: change.add ?? [], file }, run);
    return await store.withWriter('repo change', () => applyChange(deps, { mirror, change, additions, file }, run));
  } finally {
    await file.dispose();
  }
}

async function stateOf({ heads }: Pick<Store, 'heads'>, mirror: string) {
  const head = await heads.read(mirror);
  if (head === undefined)
    throw new KubedosError('store.not-found', `change ${mirror}: there is no such repository`, {
      hint: `make it with \`kubedos repo create ${mirror} --type yum\``,
    });
  return { head, memory: rpmRepoMemory(head) };
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
  const { objects } = deps.store;
  const { head, memory } = await stateOf(deps.store, mirror);
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
  const touched = touchedNames(wanted);
  const { compression } = memory.rpm;
  const stored = { objects, cache: deps.pieces };
  const primary = storedParts(stored, head.manifest.root, { type: 'primary', compression, touched });
  const settled = await settleChange(primary, wanted, outcome);
  if (settled.additions.length === 0 && settled.removed.size === 0)
    return unchanged(deps, { mirror, manifest: head.manifest, outcome }, run);
  const previous = { head, memory };
  return publishChange(deps, { mirror, rpm: memory.rpm, previous, touched, settled, file, outcome }, run);
}

interface NextState {
  readonly mirror: string;
  readonly rpm: RpmRepoSettings;
  /** Undefined: the repository is new. */
  readonly previous: { readonly head: MirrorHead; readonly memory: RpmRepoMemory } | undefined;
  readonly touched: ReadonlySet<string>;
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
  const evidence = await evidenceOf(deps, state, published);
  const head = headOf(state, manifest, { published, date: publication.date, evidence });
  await deps.store.heads.write(head, before?.root);
  const change: ListingChange = {
    before: before?.root,
    root: manifest.root,
    added: settled.additions.map(rowOf),
    removed: [...outcome.removed.values()].map(({ sha256, path }) => ({ sha256, path })),
  };
  await tellCatalog(deps, mirror, change, run);
  return outcome.report(mirror, manifest, before);
}

function publicationOf({ store: { objects }, pieces, now }: RpmRepoDeps, state: NextState): RpmPublication {
  const { previous, touched, settled, file, rpm } = state;
  const { compression } = rpm;
  const root = previous?.head.manifest.root;
  return {
    folder: '',
    packages: settled.packages,
    records: (type) => {
      const before =
        root === undefined
          ? none()
          : unpackedPieces(storedParts({ objects, cache: pieces }, root, { type, compression, touched }));
      return mergedRecords(before, settled, { type, file });
    },
    date: nextDate(now(), previous?.memory.published),
    compression,
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

async function evidenceOf(
  { signing }: RpmRepoDeps,
  { rpm, previous }: NextState,
  { entries }: PublishedRpm,
): Promise<Evidence[]> {
  if (!rpm.signPackages) return [];
  return [packagesSignedBy((await signing.key()).info.fingerprint, { entries, previous: previous?.head })];
}

function headOf(
  { mirror, rpm }: NextState,
  manifest: ManifestRef,
  of: { readonly published: PublishedRpm; readonly date: Date; readonly evidence: readonly Evidence[] },
): MirrorHead {
  const { published, evidence } = of;
  const time = isoSeconds(of.date);
  const generations = published.generations.map((files) => [...files]);
  const memory: RpmRepoMemory = { rpm, published: time, generations };
  return {
    format: 'kubedos-head/1',
    name: mirror,
    kind: 'yum',
    form: 'local',
    manifest,
    evidence,
    time,
    spec: null,
    memory: { ...memory },
  };
}
