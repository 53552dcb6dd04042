/** From what the user asked for to what is to be bundled. */
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { Snapshot, Store } from '../store/types.ts';
import type { SigningKey } from '../trust/types.ts';
import { chooseBase, type ExportBase } from './export-base.ts';
import { previousExport, readLedger } from './ledger.ts';
import type { ParityTool } from './parity.ts';
import type { CarriedRoot, PrepareInput } from './prepare.ts';
import { DEFAULT_PACK_BYTES, MAX_FILE_BYTES } from './types.ts';

export interface ExportDeps {
  readonly store: Store;
  readonly signer: SigningKey;
  /** The store's own chain of trusted roots, oldest first. */
  readonly roots: readonly CarriedRoot[];
  /** OpenPGP packets of the public keys of the newest root, for gpgv. */
  readonly senderKeys: Uint8Array;
  readonly now: () => Date;
  /** Needed with `parityPercent` only. */
  readonly parityTool?: ParityTool | undefined;
}

export interface ExportOptions {
  readonly to: string;
  /** References as `snapshots.resolve` takes them. */
  readonly snapshots?: readonly string[] | undefined;
  /** Channels that travel along with the snapshots they point at. */
  readonly channels?: readonly string[] | undefined;
  /** What the receiver holds: a snapshot, or its receipt. Without it the bundle is full. */
  readonly base?: ExportBase | undefined;
  /** Largest volume; default: no limit. */
  readonly volumeSizeBytes?: number | undefined;
  readonly packSizeBytes?: number | undefined;
  /** Whole per cent; 0 by default. */
  readonly parityPercent?: number | undefined;
  /** Store id of the only receiver. */
  readonly audience?: string | undefined;
  /** From the time of the newest snapshot on; without it the bundle does not expire. */
  readonly expiresAfterDays?: number | undefined;
  /** Read everything back past the page cache; default true. */
  readonly readBack?: boolean | undefined;
}

const NO_LIMIT = 2 ** 52;

/** Reads only; `usage.argument` for what cannot be asked for. */
export async function exportInput(deps: ExportDeps, options: ExportOptions, run: Run): Promise<PrepareInput> {
  const { store } = deps;
  const { snapshots, channels } = await chooseSnapshots(store, options);
  const base = await chooseBase(store, options.base);
  const audience = options.audience ?? null;
  const newest = snapshots.at(-1)?.document.sequence ?? 0;
  const previous = previousExport(await readLedger(store), audience, newest);
  const packBytes = options.packSizeBytes ?? DEFAULT_PACK_BYTES;
  if (packBytes > MAX_FILE_BYTES) {
    throw new KubedosError(
      'usage.argument',
      `export in packs of ${packBytes} bytes: at most 4 GiB - 1 (FAT32 holds no larger file)`,
    );
  }
  const parityPercent = options.parityPercent ?? 0;
  if (!Number.isInteger(parityPercent) || parityPercent < 0 || parityPercent > 100) {
    throw new KubedosError('usage.argument', `export with parity of ${parityPercent}: whole per cent from 0 to 100`);
  }
  return {
    store,
    signer: deps.signer,
    roots: deps.roots,
    senderKeys: deps.senderKeys,
    snapshots,
    channels,
    base,
    audience,
    previous: previous === undefined ? null : { sequence: previous.sequence, sha256: previous.bundle },
    expiresAfterDays: options.expiresAfterDays,
    sizes: { volumeBytes: options.volumeSizeBytes ?? NO_LIMIT, packBytes, parityPercent },
    signal: run.signal,
  };
}

/** Each snapshot once, ascending by sequence; all of them this store's own. */
async function chooseSnapshots(
  store: Store,
  options: ExportOptions,
): Promise<{ snapshots: Snapshot[]; channels: Record<string, string> }> {
  const chosen = new Map<string, Snapshot>();
  const channels: Record<string, string> = {};
  for (const name of options.channels ?? []) {
    const channel = await store.channels.read(name);
    if (channel === undefined)
      throw new KubedosError('store.not-found', `export channel ${name}: there is none of that name`);
    const snapshot = await store.snapshots.resolve(channel.snapshot);
    channels[name] = snapshot.id;
    chosen.set(snapshot.id, snapshot);
  }
  for (const reference of options.snapshots ?? []) {
    const snapshot = await store.snapshots.resolve(reference);
    chosen.set(snapshot.id, snapshot);
  }
  if (chosen.size === 0) {
    throw new KubedosError('usage.argument', 'export: no snapshot and no channel given', {
      hint: 'give --channel or --snapshot',
    });
  }
  for (const { id, document } of chosen.values()) {
    if (document.store === store.identity.id) continue;
    throw new KubedosError(
      'usage.argument',
      `export snapshot ${id}: it was made by store ${document.store}, not by this one`,
      {
        hint: 'to pass on what came from elsewhere, copy the folders of its bundle as they are',
      },
    );
  }
  const snapshots = [...chosen.values()].sort((a, b) => a.document.sequence - b.document.sequence);
  return { snapshots, channels };
}
