/** The catalog from the store alone: what `kubedos store rebuild` does, and what follows an import. */
import type { Catalog, PackageRow } from '../catalog/types.ts';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { RepositoryKind, Sha256, Store } from '../store/types.ts';
import { mirrorRows } from './package-rows.ts';

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
  return record(deps, () => true, run);
}

/** Reads those mirrors that moved since they were recorded. */
export function refreshCatalog(deps: RebuildDeps, run: Run = {}): Promise<CatalogReport> {
  const known = new Map(deps.catalog.recordedMirrors().map(({ mirror, root }) => [mirror, root]));
  return record(deps, (mirror, root) => known.get(mirror) !== root, run);
}

async function record(
  { store, catalog }: RebuildDeps,
  wanted: (mirror: string, root: Sha256) => boolean,
  { signal, onEvent }: Run,
): Promise<CatalogReport> {
  const states = await mirrorStates(store);
  const mirrors: CatalogReport['mirrors'][number][] = [];
  for (const [mirror, { kind, root }] of states) {
    if (!wanted(mirror, root)) continue;
    onEvent?.({ type: 'phase', phase: `catalog ${mirror}` });
    const rows = watched(mirrorRows(store.objects, { kind, root }), { signal, onEvent });
    mirrors.push({ mirror, ...(await catalog.recordMirror(mirror, root, rows)) });
  }
  const forgotten = catalog.recordedMirrors().flatMap(({ mirror }) => (states.has(mirror) ? [] : [mirror]));
  for (const mirror of forgotten) await catalog.forgetMirror(mirror);
  return { mirrors, forgotten };
}

interface MirrorState {
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
