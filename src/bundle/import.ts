/** Receiver's side: from volumes on media to snapshots and channels of this store. */

import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { requireSpace } from '../store/space.ts';
import type { ObjectStore, Snapshot, SnapshotMirror, Store } from '../store/types.ts';
import { type Allowance, admitBundle } from './admit.ts';
import { type CarriedSnapshot, readSnapshots } from './carried-snapshots.ts';
import type { Chosen } from './choose.ts';
import { chooseTrusted } from './choose-trusted.ts';
import { proveClosure } from './closure.ts';
import { damageError } from './damage.ts';
import { afterTaking, readLedger, takenFrom, updateLedger } from './ledger.ts';
import { type FoundVolume, findVolumes } from './medium.ts';
import { Needs } from './needs.ts';
import type { ParityTool } from './parity.ts';
import { baseOf } from './prepare.ts';
import type { FollowRoots } from './sender-trust.ts';
import { type Shown, showImport } from './show.ts';
import { takePacks } from './take-packs.ts';
import type { Bundle } from './types.ts';
import { openContents } from './verify.ts';

export interface ImportDeps {
  readonly store: Store;
  readonly followRoots: FollowRoots;
  readonly now: () => Date;
  /** Upstream's own signatures once more, over objects that are in the store by now; throws where they do not hold. */
  readonly verifyEvidence?: ((mirror: SnapshotMirror, objects: ObjectStore) => Promise<void>) | undefined;
  /** Mends damaged packs where the bundle carries parity. */
  readonly parityTool?: ParityTool | undefined;
}

export interface ImportOptions {
  /** Folders that hold volume folders, or are some. */
  readonly from: readonly string[];
  /** Id, where several bundles lie there; by default the newest with a good signature. */
  readonly bundle?: string | undefined;
  /** Refusals to pass over, this once. */
  readonly allow?: readonly Allowance[] | undefined;
}

export interface ImportReport extends Shown {
  readonly bundle: Bundle;
  /**
   * False: it was taken before, or made by this store. Nothing was done but to bring back objects that are missing or
   * known as damaged.
   */
  readonly imported: boolean;
  readonly snapshots: readonly string[];
  /** Bytes of objects that were not here before. */
  readonly newBytes: number;
  readonly mended: readonly string[];
  readonly ageDays: number;
  readonly warnings: readonly string[];
  /** Folders of other bundles, ignored. */
  readonly foreign: readonly string[];
}

/**
 * Makes nothing visible before all is verified and durable. What could be taken stays, also when the import fails: the
 * same command, with the missing volumes or with made-again ones, goes on. Repeated after the end it is a no-op, but for
 * objects that are missing or known as damaged by then.
 */
export async function importBundle(deps: ImportDeps, options: ImportOptions, run: Run): Promise<ImportReport> {
  return deps.store.withWriter('bundle import', () => importAlone(deps, options, run));
}

async function importAlone(deps: ImportDeps, options: ImportOptions, run: Run): Promise<ImportReport> {
  const { store } = deps;
  const { chosen, trust, passedOver } = await chooseTrusted(
    await findVolumes(options.from),
    deps.followRoots,
    options.bundle,
  );
  const { bundle } = chosen.found;
  const sender = takenFrom(await readLedger(store), bundle.root.store);
  const { identity } = store;
  const admission = admitBundle(bundle, { identity, sender, now: deps.now(), allow: options.allow ?? [] });
  const warnings = [...passedOver, ...admission.warnings];
  for (const message of warnings) run.onEvent?.({ type: 'note', level: 'warn', message });
  const start = { bundle, warnings, foreign: chosen.foreign, ageDays: admission.ageDays };
  if (admission.taken && (await holdsSnapshots(store, bundle))) {
    // Whole already; but what was lost or damaged since comes back.
    const refilled = await takeObjects(deps, chosen, run);
    return { ...start, ...refilled, snapshots: [], channels: [], heads: [], keptHeads: [], imported: false };
  }
  if (bundle.root.store === identity.id) {
    throw new KubedosError(
      'bundle.audience',
      `import bundle ${bundle.id}: this store made it itself, of snapshots that it holds no more`,
    );
  }
  const base = await requireBase(store, bundle);
  const snapshots = await readSnapshots(chosen.found, trust.keyring);
  const { newBytes, mended } = await takeObjects(deps, chosen, run);
  run.onEvent?.({ type: 'phase', phase: 'prove that nothing is missing' });
  await proveClosure(
    store,
    snapshots.map(({ document }) => document),
    { base, signal: run.signal },
  );
  await verifyUpstream(deps, snapshots, base);
  const shown = await showImport(store, { bundle, snapshots }, deps.now());
  await trust.commit();
  await recordTaken(store, bundle);
  return { ...start, ...shown, imported: true, snapshots: snapshots.map(({ id }) => id), newBytes, mended };
}

async function holdsSnapshots(store: Store, bundle: Bundle): Promise<boolean> {
  const held = await Promise.all(bundle.root.snapshots.map(({ id }) => store.snapshots.read(id)));
  return held.every((snapshot) => snapshot !== undefined);
}

/** The base must be here, the very same document. */
async function requireBase(store: Store, bundle: Bundle): Promise<Snapshot | undefined> {
  const { base } = bundle.root;
  if (base === null) return undefined;
  const snapshot = await store.snapshots.read(base.snapshot);
  if (snapshot !== undefined && baseOf(snapshot).sha256 === base.sha256) return snapshot;
  const held = (await store.snapshots.list()).slice(-5);
  throw new KubedosError(
    'bundle.base-missing',
    `import bundle ${bundle.id}: it builds on snapshot ${base.snapshot}, which this store does not hold (it holds ${held.join(', ') || 'none'})`,
    {
      hint: 'import the bundle that carries it first, or send a receipt of this store to the sender and get a bundle for it',
      details: { base: base.snapshot, manifests: base.manifests, held },
    },
  );
}

async function takeObjects(
  deps: ImportDeps,
  { found, rootless }: Chosen,
  run: Run,
): Promise<{ newBytes: number; mended: readonly string[] }> {
  const { store } = deps;
  const { bundle } = found;
  // Packs are believed by the signed list alone, so a folder whose bundle.json is damaged serves as well.
  const volumes: FoundVolume[] = [
    ...found.volumes,
    ...rootless.map(({ folder, volume }) => ({ folder, volume, document: undefined })),
  ];
  const contents = await openContents(
    volumes.map(({ folder }) => folder),
    bundle,
  );
  if (contents === undefined) {
    throw new KubedosError('bundle.damaged', `import bundle ${bundle.id}: no volume holds an undamaged contents list`);
  }
  try {
    run.onEvent?.({ type: 'phase', phase: 'compare with the store' });
    const needs = await Needs.scan(store, bundle, contents);
    await requireSpace(store.dir, needs.neededBytes, `import bundle ${bundle.id}`);
    run.onEvent?.({ type: 'phase', phase: 'import', bytes: needs.neededBytes });
    const progress = { files: 0, bytes: 0 };
    const onBytes = (count: number): void => {
      progress.files += 1;
      progress.bytes += count;
      run.onEvent?.({ type: 'advance', ...progress });
    };
    const intake = { store, bundle, contents, needs, signal: run.signal, onBytes };
    const { damage, missing, mended } = await takePacks(intake, { volumes, tool: deps.parityTool }, run);
    if (damage.length === 0 && missing.length === 0) return { newBytes: needs.neededBytes, mended };
    await recordWanted(store, bundle, { damage, missing });
    throw damageError('import', { id: bundle.id, damage, missing });
  } finally {
    await contents.close();
  }
}

async function verifyUpstream(
  deps: ImportDeps,
  snapshots: readonly CarriedSnapshot[],
  base: Snapshot | undefined,
): Promise<void> {
  if (deps.verifyEvidence === undefined) return;
  let before = base?.document;
  for (const { document } of snapshots) {
    for (const mirror of document.mirrors) {
      const old = before?.mirrors.find(({ name }) => name === mirror.name);
      if (old?.manifest.root !== mirror.manifest.root) await deps.verifyEvidence(mirror, deps.store.objects);
    }
    before = document;
  }
}

async function recordWanted(
  store: Store,
  bundle: Bundle,
  {
    damage,
    missing,
  }: {
    readonly damage: readonly { readonly volume: number; readonly file: string }[];
    readonly missing: readonly number[];
  },
): Promise<void> {
  const badFiles = damage.map(({ volume, file }) => ({ volume, name: file }));
  const wanted = { bundle: bundle.sha256, missingVolumes: missing, badFiles };
  await updateLedger(store, (ledger) => ({
    ...ledger,
    wanted: [...ledger.wanted.filter((one) => one.bundle !== bundle.sha256), wanted],
  }));
}

async function recordTaken(store: Store, { root, sha256 }: Bundle): Promise<void> {
  await updateLedger(store, (ledger) => {
    const taken = { sha256, sequence: root.sequence, generation: root.generation };
    const record = afterTaking(takenFrom(ledger, root.store), taken);
    const wanted = ledger.wanted.filter((one) => one.bundle !== sha256);
    return { ...ledger, senders: { ...ledger.senders, [root.store]: record }, wanted };
  });
}
