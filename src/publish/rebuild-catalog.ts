/** The catalog from the store alone: what `kubedos store rebuild` does, and what follows an import. */
import type { Catalog, PackageRow, RecordedMirror } from '../catalog/types.ts';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { ObjectStore, RepositoryKind, Sha256, Store } from '../store/types.ts';
import { mirrorRows } from './package-rows.ts';
import { type RowChanges, rpmRowChanges } from './yum/row-changes.ts';

export interface RebuildDeps {
  readonly store: Pick<Store, 'objects' | 'heads' | 'snapshots'>;
  readonly catalog: Catalog;
}

export interface CatalogReport {
  readonly mirrors: readonly { readonly mirror: string; readonly added: number; readonly removed: number }[];
  readonly forgotten: readonly string[];
}

/** Reads every mirror again, and forgets those that are no more. Tokens stay. */
export function rebuildCatalog(deps: RebuildDeps, run: Run = {}): Promise<CatalogReport> {
  return record(deps, { wanted: () => true, tell: (mirror, state) => recordWhole(deps, mirror, state, run) }, run);
}

/** Reads those mirrors that moved since they were recorded. */
export function refreshCatalog(deps: RebuildDeps, run: Run = {}): Promise<CatalogReport> {
  const known = new Map(deps.catalog.recordedMirrors().map(({ mirror, root }) => [mirror, root]));
  const wanted = (mirror: string, { root }: MirrorState): boolean => known.get(mirror) !== root;
  return record(deps, { wanted, tell: (mirror, state) => recordMirrorState(deps, mirror, state, run) }, run);
}

/** Makes this state what the catalog says of the mirror: by what changed since the one that it knows, where that can be told. */
export async function recordMirrorState(
  deps: Pick<RebuildDeps, 'catalog'> & { readonly store: Pick<Store, 'objects'> },
  mirror: string,
  state: MirrorState,
  run: Run = {},
): Promise<RecordedMirror> {
  const { catalog, store } = deps;
  const { kind, root } = state;
  const before = catalog.recordedMirrors().find((known) => known.mirror === mirror)?.root;
  const changes = before === undefined ? undefined : await changesSince(store.objects, { kind, before, root });
  if (changes === undefined || !(await catalog.recordChange(mirror, { before, root, ...changes })))
    return recordWhole(deps, mirror, state, run);
  return { added: changes.added.length, removed: changes.removed.length };
}

/** Undefined, too, where the state before cannot be read: garbage may have been collected. */
async function changesSince(
  objects: ObjectStore,
  { kind, before, root }: MirrorState & { readonly before: Sha256 },
): Promise<RowChanges | undefined> {
  if (kind !== 'yum') return undefined;
  try {
    return await rpmRowChanges(objects, { before, root });
  } catch (error) {
    if (error instanceof KubedosError) return undefined;
    throw error;
  }
}

function recordWhole(
  { store, catalog }: Pick<RebuildDeps, 'catalog'> & { readonly store: Pick<Store, 'objects'> },
  mirror: string,
  { kind, root }: MirrorState,
  run: Run,
): Promise<RecordedMirror> {
  return catalog.recordMirror(mirror, root, watched(mirrorRows(store.objects, { kind, root }), run));
}

async function record(
  { store, catalog }: RebuildDeps,
  of: {
    readonly wanted: (mirror: string, state: MirrorState) => boolean;
    readonly tell: (mirror: string, state: MirrorState) => Promise<RecordedMirror>;
  },
  { onEvent }: Run,
): Promise<CatalogReport> {
  const states = await mirrorStates(store);
  const mirrors: CatalogReport['mirrors'][number][] = [];
  for (const [mirror, state] of states) {
    if (!of.wanted(mirror, state)) continue;
    onEvent?.({ type: 'phase', phase: `catalog ${mirror}` });
    mirrors.push({ mirror, ...(await of.tell(mirror, state)) });
  }
  const forgotten = catalog.recordedMirrors().flatMap(({ mirror }) => (states.has(mirror) ? [] : [mirror]));
  for (const mirror of forgotten) await catalog.forgetMirror(mirror);
  return { mirrors, forgotten };
}

export interface MirrorState {
  readonly kind: RepositoryKind;
  readonly root: Sha256;
}

/** Heads; and of mirrors that have none here, since they were imported, the state in the newest snapshot. */
async function mirrorStates(store: Pick<Store, 'heads' | 'snapshots'>): Promise<Map<string, MirrorState>> {
  const newest = new Map<string, MirrorState & { readonly time: string }>();
  for (const id of await store.snapshots.list()) {
    const document = (await store.snapshots.read(id))?.document;
    for (const { name, kind, manifest } of document?.mirrors ?? []) {
      const known = newest.get(name);
      if (document !== undefined && kind !== 'files' && (known === undefined || known.time <= document.time))
        newest.set(name, { time: document.time, kind, root: manifest.root });
    }
  }
  const states = new Map<string, MirrorState>(newest);
  for (const { name, kind, manifest } of await store.heads.list())
    if (kind !== 'files') states.set(name, { kind, root: manifest.root });
  return states;
}

async function* watched(rows: AsyncIterable<PackageRow>, { signal, onEvent }: Run): AsyncGenerator<PackageRow> {
  let files = 0;
  for await (const row of rows) {
    if (signal?.aborted) throw new KubedosError('cancelled', 'rebuild the catalog: stopped');
    files += 1;
    if (files % 1000 === 0) onEvent?.({ type: 'advance', files, bytes: 0 });
    yield row;
  }
}
