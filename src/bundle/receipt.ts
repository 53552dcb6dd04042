/** The receiver's signed list of what it holds; from it the sender cuts the next delta. One clearsigned file of a few KB. */
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import { SHA256 } from '../store/names.ts';
import { isoSeconds, SNAPSHOT_ID } from '../store/schemas.ts';
import type { Snapshot, Store } from '../store/types.ts';
import { parseClearsigned } from '../trust/clearsigned.ts';
import type { Keyring, SigningKey } from '../trust/types.ts';
import { readLedger, updateLedger } from './ledger.ts';
import { baseOf } from './prepare.ts';
import { parseCanonical } from './root-document.ts';
import { RECEIPT_FORMAT, type Receipt } from './types.ts';

const MAX_RECEIPT_BYTES = 16 * 1024 * 1024;

const text = z.string().max(200);
const sha256 = z.string().regex(SHA256);
const schema: z.ZodType<Receipt> = z.looseObject({
  format: z.literal(RECEIPT_FORMAT),
  store: text,
  generation: text,
  time: text,
  held: z.array(
    z.looseObject({
      id: z.string().regex(SNAPSHOT_ID),
      store: text,
      sequence: z.int().min(1),
      sha256,
      manifests: z.array(sha256),
    }),
  ),
  senders: z.record(text, z.looseObject({ sequence: z.int().min(1), bundle: sha256 })),
  wanted: z.array(
    z.looseObject({
      bundle: sha256,
      missingVolumes: z.array(z.int().min(1)),
      badFiles: z.array(z.looseObject({ volume: z.int().min(1), name: text })),
    }),
  ),
});

/** What this store holds now, clearsigned. */
export async function createReceipt(deps: {
  readonly store: Store;
  readonly signer: SigningKey;
  readonly now: () => Date;
}): Promise<{ readonly receipt: Receipt; readonly text: string }> {
  const { store, signer, now } = deps;
  const ledger = await readLedger(store);
  const held: Receipt['held'][number][] = [];
  for (const id of await store.snapshots.list()) {
    const snapshot = await store.snapshots.read(id);
    if (snapshot === undefined) continue;
    const { sha256, manifests } = baseOf(snapshot);
    held.push({ id, store: snapshot.document.store, sequence: snapshot.document.sequence, sha256, manifests });
  }
  const receipt: Receipt = {
    format: RECEIPT_FORMAT,
    store: store.identity.id,
    generation: store.identity.generation,
    time: isoSeconds(now()),
    held,
    senders: Object.fromEntries(
      Object.entries(ledger.senders).map(([id, { sequence, bundle }]) => [id, { sequence, bundle }]),
    ),
    wanted: ledger.wanted,
  };
  return { receipt, text: await signer.clearsign(`${canonicalJson(receipt)}\n`) };
}

export interface ReadReceipt {
  readonly receipt: Receipt;
  /** True where a key of the receiver vouched for it. A forged one costs size, or a bundle that is refused: no trust hangs on it. */
  readonly verified: boolean;
}

/** With the receiver's keys a bad signature is refused; without them the text is taken as it is. */
export async function readReceipt(bytes: Uint8Array, keyring: Keyring | undefined): Promise<ReadReceipt> {
  const origin = 'the receipt';
  if (bytes.length > MAX_RECEIPT_BYTES) {
    throw new KubedosError(
      'bundle.invalid',
      `read ${origin}: ${bytes.length} bytes, expected at most ${MAX_RECEIPT_BYTES}`,
    );
  }
  const verified = keyring !== undefined;
  const { content } = verified ? await keyring.verifyClearsigned(bytes, origin) : parseClearsigned(bytes, origin);
  // The last line's end is not part of what clearsigning covers.
  const canonical = Buffer.from(`${content.toString().trimEnd()}\n`);
  return { receipt: parseCanonical(canonical, schema, origin), verified };
}

/** The newest of this store's snapshots that the receipt's store holds. */
export async function newestHeld(store: Store, receipt: Receipt): Promise<Snapshot | undefined> {
  const own = receipt.held.filter((one) => one.store === store.identity.id);
  for (const one of [...own].sort((a, b) => b.sequence - a.sequence)) {
    const snapshot = await store.snapshots.read(one.id);
    if (snapshot !== undefined && baseOf(snapshot).sha256 === one.sha256) return snapshot;
  }
  return undefined;
}

/**
 * Records what the receiver acknowledged: that snapshot is kept from deletion, and is the base of what follows. A
 * receipt older than the one before is refused, and so is one of a generation that came to its end
 * (`trust.rollback`): the receiver no longer holds what it says.
 */
export async function applyReceipt(store: Store, receipt: Receipt): Promise<Snapshot | undefined> {
  await refuseStale(store, receipt);
  const snapshot = await newestHeld(store, receipt);
  const { store: receiver, generation, time } = receipt;
  await store.labels.update((labels) => {
    const { [receiver]: _, ...others } = labels.acknowledged;
    return { ...labels, acknowledged: snapshot === undefined ? others : { ...others, [receiver]: snapshot.id } };
  });
  await updateLedger(store, (ledger) => ({
    ...ledger,
    receivers: { ...ledger.receivers, [receiver]: { generation, time, snapshot: snapshot?.id ?? null } },
  }));
  return snapshot;
}

export async function refuseStale(store: Store, receipt: Receipt): Promise<void> {
  const { receivers } = await readLedger(store);
  const known = Object.hasOwn(receivers, receipt.store) ? receivers[receipt.store] : undefined;
  if (known === undefined || receipt.time >= known.time) return;
  const why =
    known.generation === receipt.generation
      ? `it is of ${receipt.time}, one of ${known.time} was applied already`
      : `it is of ${receipt.time}, and that store was made anew since (receipt of ${known.time})`;
  throw new KubedosError('trust.rollback', `apply the receipt of store ${receipt.store}: ${why}`, {
    hint: 'take a new receipt on the dark side, or export without --base',
  });
}
