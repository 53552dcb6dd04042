/** Makes the signed root and the documents of a bundle, in the store's folder `bundles/<id>`: what volumes are written from. */

import { hash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError, storageError } from '../errors.ts';
import { isoSeconds } from '../store/schemas.ts';
import { withScratch } from '../store/scratch.ts';
import type { Sha256, Snapshot, Store } from '../store/types.ts';
import type { SigningKey } from '../trust/types.ts';
import { collectNeeded } from './collect.ts';
import { rootName, SENDER_KEYS_NAME, snapshotName } from './document-names.ts';
import { writeDocuments } from './document-set.ts';
import { makeFolder, readOrdinary, syncFolder } from './documents.ts';
import { LineFile } from './lines.ts';
import { CONTENTS_NAME, ROOT_NAME, ROOT_SIGNATURE_NAME } from './names.ts';
import {
  type CarriedFile,
  completeRoot,
  type PlannedLayout,
  planLayout,
  type RootWithoutLayout,
  type Sizes,
  writeContents,
} from './plan.ts';
import { MAX_ROOT_BYTES, makeBundle, parseBundle } from './root-document.ts';
import { type Spool, spoolNeeded } from './spool.ts';
import { BUNDLE_FORMAT, type Bundle, type BundleBase } from './types.ts';

/** A link of the chain of trusted roots as it travels: the document and its detached armoured signatures. */
export interface CarriedRoot {
  readonly version: number;
  readonly bytes: Buffer;
  readonly signature: string;
  readonly sha256: Sha256;
}

export interface PrepareInput {
  readonly store: Store;
  readonly signer: SigningKey;
  readonly roots: readonly CarriedRoot[];
  /** OpenPGP packets of the sender's public keys. */
  readonly senderKeys: Uint8Array;
  /** Ascending by sequence, at least one. */
  readonly snapshots: readonly Snapshot[];
  readonly channels: Readonly<Record<string, string>>;
  readonly base: Snapshot | undefined;
  readonly audience: string | null;
  readonly previous: { readonly sequence: number; readonly sha256: Sha256 } | null;
  readonly expiresAfterDays: number | undefined;
  readonly sizes: Sizes;
  readonly signal?: AbortSignal | undefined;
}

/** The documents of a bundle, ready in the store. */
export interface Prepared {
  readonly bundle: Bundle;
  readonly folder: string;
}

export interface PlanSummary {
  readonly objects: number;
  readonly bytes: number;
  readonly volumes: PlannedLayout['volumes'];
  /** Of documents on each volume, at most. */
  readonly fixedBytes: number;
}

/** Sizes only; signs and keeps nothing. */
export async function summarizeBundle(input: PrepareInput): Promise<PlanSummary> {
  return withScratch(input.store, 'bundle', async (scratch) => {
    await makeFolder(scratch);
    const { spool, layout } = await layOut(input, scratch);
    return { objects: spool.objects, bytes: spool.bytes, volumes: layout.volumes, fixedBytes: layout.fixedBytes };
  });
}

/** The same input gives the same bundle; one that is prepared already is kept with its signature, so that volumes are made again byte for byte. */
export async function prepareBundle(input: PrepareInput): Promise<Prepared> {
  return withScratch(input.store, 'bundle', async (scratch) => {
    await makeFolder(scratch);
    const { spool, layout } = await layOut(input, scratch);
    const files = carriedFiles(input);
    const staging = join(scratch, 'documents');
    await makeFolder(staging);
    const list = await LineFile.create(join(staging, CONTENTS_NAME));
    try {
      await writeContents(input.store.objects, spool, { limits: layout.limits, list, signal: input.signal });
    } catch (error) {
      await list.close().catch(() => undefined);
      throw error;
    }
    const contents = await list.close();
    const bundle = makeBundle(completeRoot(rootOf(input), layout, { spool, ...contents }));
    const folder = await input.store.file('bundles', bundle.id);
    if ((await readPrepared(input.store, bundle.id)) !== undefined) return { bundle, folder };
    const signature = await input.signer.detached(bundle.bytes, signingDate(bundle, input.signer));
    await writeDocuments(staging, [
      ...files,
      { name: ROOT_SIGNATURE_NAME, bytes: Buffer.from(signature) },
      { name: ROOT_NAME, bytes: bundle.bytes },
    ]);
    try {
      await rm(folder, { recursive: true, force: true });
      await rename(staging, folder);
      await syncFolder(join(folder, '..'));
    } catch (error) {
      throw storageError(`keep the documents of bundle ${bundle.id}`, error);
    }
    return { bundle, folder };
  });
}

/** A bundle that was prepared here before, by id. */
export async function readPrepared(store: Store, id: string): Promise<Prepared | undefined> {
  const folder = await store.file('bundles', id);
  const bytes = await readOrdinary(join(folder, ROOT_NAME), MAX_ROOT_BYTES);
  if (bytes === undefined) return undefined;
  const bundle = parseBundle(bytes, join(folder, ROOT_NAME));
  if (bundle.id === id) return { bundle, folder };
  throw new KubedosError('store.corrupt', `read the documents of bundle ${id}: they are those of ${bundle.id}`);
}

/** Bundle time, so that the signature is reproducible; a key that is younger signs at its own birth. */
function signingDate(bundle: Bundle, signer: SigningKey): Date {
  return new Date(Math.max(Date.parse(bundle.root.time), signer.info.created.getTime()));
}

async function layOut(input: PrepareInput, scratch: string): Promise<{ spool: Spool; layout: PlannedLayout }> {
  const { store, snapshots, base, signal } = input;
  const folder = join(scratch, 'sort');
  const needed = collectNeeded({ objects: store.objects, snapshots, base, folder, signal });
  const spool = await spoolNeeded(store, scratch, needed);
  const layout = await planLayout(spool, input.sizes, { root: rootOf(input), files: carriedFiles(input) });
  return { spool, layout };
}

function carriedFiles({ snapshots, roots, senderKeys }: PrepareInput): CarriedFile[] {
  return [
    ...snapshots.flatMap(({ id, bytes, signature }) => [
      { name: snapshotName(id), bytes },
      { name: `${snapshotName(id)}.asc`, bytes: Buffer.from(signature) },
    ]),
    ...roots.flatMap(({ version, bytes, signature }) => [
      { name: rootName(version), bytes },
      { name: `${rootName(version)}.asc`, bytes: Buffer.from(signature) },
    ]),
    { name: SENDER_KEYS_NAME, bytes: Buffer.from(senderKeys) },
  ];
}

function rootOf(input: PrepareInput): RootWithoutLayout {
  const { store, base, snapshots } = input;
  const newest = snapshots.at(-1);
  if (newest === undefined) throw new KubedosError('internal.bug', 'prepare a bundle without snapshots');
  const { time, sequence } = newest.document;
  return {
    format: BUNDLE_FORMAT,
    store: store.identity.id,
    generation: store.identity.generation,
    audience: input.audience,
    sequence,
    previous: input.previous,
    base: base === undefined ? null : baseOf(base),
    snapshots: snapshots.map(({ id, bytes }) => ({ id, sha256: sha256Of(bytes) })),
    channels: input.channels,
    parityPercent: input.sizes.parityPercent,
    time,
    expires: expiry(time, input.expiresAfterDays),
    roots: input.roots.map(({ version, sha256 }) => ({ version, sha256 })),
  };
}

export function baseOf(snapshot: Snapshot): BundleBase {
  const manifests = snapshot.document.mirrors.map(({ manifest }) => manifest.root);
  return { snapshot: snapshot.id, sha256: sha256Of(snapshot.bytes), manifests: [...new Set(manifests)].sort() };
}

function expiry(time: string, days: number | undefined): string | null {
  if (days === undefined) return null;
  return isoSeconds(new Date(Date.parse(time) + days * 86_400_000));
}

function sha256Of(bytes: Uint8Array): Sha256 {
  return hash('sha256', bytes, 'hex');
}
