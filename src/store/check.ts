import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { checkObjects } from './check-objects.ts';
import type { Finding } from './findings.ts';
import { namedLists } from './reachable.ts';
import type { Snapshot, Store } from './types.ts';

export type { Finding, FindingKind } from './findings.ts';

export interface CheckReport {
  /** Nothing is wrong. */
  readonly clean: boolean;
  readonly findings: readonly Finding[];
  readonly snapshots: number;
  /** Lists of heads and snapshots. */
  readonly lists: number;
  /** Distinct objects that lists name. */
  readonly objects: number;
  /** Damaged objects that have no finding of their own, being too many. */
  readonly unnamed: number;
}

export interface CheckOptions {
  /** Throws if the signature is not good; given by trust/ through the wiring. Without it signatures are not checked. */
  readonly verify?: ((bytes: Uint8Array, signature: string, snapshot: string) => Promise<unknown>) | undefined;
}

/**
 * Structure of the store: each document is sound, each list is whole and in order, each object that one names is there
 * with its size. Reads no object but lists; `scrubStore` reads them all.
 */
export async function checkStore(store: Store, options: CheckOptions = {}, run: Run = {}): Promise<CheckReport> {
  const findings: Finding[] = [];
  run.onEvent?.({ type: 'phase', phase: 'documents' });
  const snapshots = await checkSnapshots(store, options, findings);
  await checkHeads(store, findings);
  await checkPointers(store, findings);
  const lists = await namedLists(store, { skipDamaged: true });
  const objects = await checkObjects(store, { lists, findings, run });
  return { clean: findings.length === 0, findings, snapshots, lists: lists.length, ...objects };
}

async function checkSnapshots(store: Store, { verify }: CheckOptions, findings: Finding[]): Promise<number> {
  const ids = await store.snapshots.list();
  for (const id of ids) {
    const snapshot = await attempt(findings, { kind: 'snapshot', snapshot: id }, () => store.snapshots.read(id));
    if (!snapshot) continue;
    await attempt(findings, { kind: 'snapshot', snapshot: id }, () => store.snapshots.checkSums(snapshot));
    if (verify) await attempt(findings, { kind: 'signature', snapshot: id }, () => verifySnapshot(verify, snapshot));
  }
  return ids.length;
}

async function verifySnapshot(verify: NonNullable<CheckOptions['verify']>, snapshot: Snapshot): Promise<void> {
  await verify(snapshot.bytes, snapshot.signature, snapshot.id);
}

async function checkHeads(store: Store, findings: Finding[]): Promise<void> {
  for (const mirror of await store.heads.names()) {
    await attempt(findings, { kind: 'head', mirror }, () => store.heads.read(mirror));
  }
}

/** Channels and labels point at snapshots that are there. */
async function checkPointers(store: Store, findings: Finding[]): Promise<void> {
  const known = new Set(await store.snapshots.list());
  for (const name of await store.channels.names()) {
    const channel = await attempt(findings, { kind: 'channel', channel: name }, () => store.channels.read(name));
    if (channel && !known.has(channel.snapshot)) {
      const message = `channel ${name} points at snapshot ${channel.snapshot}, which is not in the store`;
      findings.push({ kind: 'channel', channel: name, snapshot: channel.snapshot, message });
    }
  }
  const labels = await attempt(findings, { kind: 'labels' }, () => store.labels.read());
  const pointers = [
    ...Object.entries(labels?.tags ?? {}).map(([tag, id]) => [`tag ${tag}`, id] as const),
    ...(labels?.protected ?? []).map((id) => ['a protection', id] as const),
    ...Object.entries(labels?.acknowledged ?? {}).map(([receiver, id]) => [`store ${receiver}`, id] as const),
  ];
  for (const [what, id] of pointers) {
    if (known.has(id)) continue;
    findings.push({ kind: 'labels', snapshot: id, message: `${what} names snapshot ${id}, which is not in the store` });
  }
}

/** Turns what the store says of damage into a finding; all else is thrown on. */
async function attempt<T>(
  findings: Finding[],
  finding: Omit<Finding, 'message'>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KubedosError) || !['damage', 'conflict', 'trust', 'usage'].includes(error.kind)) throw error;
    findings.push({ ...finding, message: error.message });
    return undefined;
  }
}
