/**
 * What this store remembers of transfers, in bundles/ledger.json: what it exported, what it took from each sender, what
 * each receiver acknowledged. Losing it costs size and warnings, never correctness of what is served.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { DocumentFolder, openSealed, sealDocument } from '../store/documents.ts';
import { nodeFileSystem } from '../store/file-system.ts';
import { ProcessLock } from '../store/lock.ts';
import type { Sha256, Store } from '../store/types.ts';

export interface ExportRecord {
  readonly bundle: Sha256;
  readonly sequence: number;
  readonly audience: string | null;
  readonly time: string;
}

export interface SenderRecord {
  /** Of the newest bundle taken; nothing older is taken any more. */
  readonly sequence: number;
  readonly generation: string;
  readonly bundle: Sha256;
  /** Bundles taken, newest last. */
  readonly taken: readonly Sha256[];
}

export interface ReceiverRecord {
  readonly generation: string;
  /** Of the newest receipt applied. */
  readonly time: string;
  readonly snapshot: string | null;
}

/** A bundle whose import could not finish: goes into the receipt, so that the sender knows what to make again. */
export interface WantedRecord {
  readonly bundle: Sha256;
  readonly missingVolumes: readonly number[];
  readonly badFiles: readonly { readonly volume: number; readonly name: string }[];
}

export interface Ledger {
  readonly format: 'kubedos-ledger/1';
  readonly exports: readonly ExportRecord[];
  readonly senders: Readonly<Record<string, SenderRecord>>;
  readonly receivers: Readonly<Record<string, ReceiverRecord>>;
  readonly wanted: readonly WantedRecord[];
}

const EMPTY: Ledger = { format: 'kubedos-ledger/1', exports: [], senders: {}, receivers: {}, wanted: [] };
/** Old records are let go: only the newest matter for order. */
const KEEP = 1000;
const WAIT_MS = 10_000;

const text = z.string();
const schema: z.ZodType<Ledger> = z.looseObject({
  format: z.literal('kubedos-ledger/1'),
  exports: z.array(z.looseObject({ bundle: text, sequence: z.int(), audience: text.nullable(), time: text })),
  senders: z.record(text, z.looseObject({ sequence: z.int(), generation: text, bundle: text, taken: z.array(text) })),
  receivers: z.record(text, z.looseObject({ generation: text, time: text, snapshot: text.nullable() })),
  wanted: z.array(
    z.looseObject({
      bundle: text,
      missingVolumes: z.array(z.int()),
      badFiles: z.array(z.looseObject({ volume: z.int(), name: text })),
    }),
  ),
});

export async function readLedger(store: Store): Promise<Ledger> {
  const documents = new DocumentFolder(nodeFileSystem, await store.file('tmp'));
  const bytes = await documents.read(await store.file('bundles', 'ledger.json'));
  return bytes === undefined ? EMPTY : openSealed(bytes, schema, 'bundles/ledger.json');
}

export async function updateLedger(store: Store, change: (ledger: Ledger) => Ledger): Promise<void> {
  const documents = new DocumentFolder(nodeFileSystem, await store.file('tmp'));
  await withBundleLock(store, 'ledger', async () => {
    const changed = change(await readLedger(store));
    const bounded = { ...changed, exports: changed.exports.slice(-KEEP), wanted: changed.wanted.slice(-KEEP) };
    await documents.write(await store.file('bundles', 'ledger.json'), sealDocument(bounded));
  });
}

/** One process at a time for `name`, which is the ledger or a bundle's id. */
export async function withBundleLock<T>(store: Store, name: string, work: () => Promise<T>): Promise<T> {
  const documents = new DocumentFolder(nodeFileSystem, await store.file('tmp'));
  const folder = await store.file('bundles');
  const lock = new ProcessLock(join(folder, `${name}.lock`), documents, name === 'ledger' ? { waitMs: WAIT_MS } : {});
  try {
    return await lock.hold(`bundle ${name}`, work);
  } finally {
    lock.close();
  }
}

export function takenFrom(ledger: Ledger, sender: string): SenderRecord | undefined {
  return Object.hasOwn(ledger.senders, sender) ? ledger.senders[sender] : undefined;
}

/**
 * The sender's record after a bundle was taken. One taken by --allow rollback does not move the mark back, or else any
 * other old one could follow it; only a sender that was made anew begins anew.
 */
export function afterTaking(
  before: SenderRecord | undefined,
  bundle: { readonly sha256: Sha256; readonly sequence: number; readonly generation: string },
): SenderRecord {
  const taken = [...(before?.taken ?? []).filter((sha256) => sha256 !== bundle.sha256), bundle.sha256].slice(-KEEP);
  const sameLife = before !== undefined && before.generation === bundle.generation;
  if (sameLife && before.sequence > bundle.sequence) return { ...before, taken };
  return { sequence: bundle.sequence, generation: bundle.generation, bundle: bundle.sha256, taken };
}

/** The bundle that the next one for this audience refers to: the first made of the newest sequence below its own. */
export function previousExport(ledger: Ledger, audience: string | null, sequence: number): ExportRecord | undefined {
  return ledger.exports
    .filter((one) => one.audience === audience && one.sequence < sequence)
    .reduce<ExportRecord | undefined>(
      (best, one) => (best === undefined || one.sequence > best.sequence ? one : best),
      undefined,
    );
}
