import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { describeList, type Finding, placeOf } from './findings.ts';
import { HashBuckets, UNKNOWN_SIZE } from './hash-buckets.ts';
import { objectCensus } from './object-census.ts';
import { collectReachable, type NamedList } from './reachable.ts';
import { withScratch } from './scratch.ts';
import { throwIfStopped } from './stop.ts';
import type { ObjectRef, Sha256, Store } from './types.ts';
import { type ObjectUse, whereUsed } from './where-used.ts';

/** Beyond so many damaged objects the paths of the rest are not looked up; they are still counted. */
const MAX_NAMED_OBJECTS = 10_000;
/** One damaged object may be named by hundreds of snapshots. */
const MAX_FINDINGS = 100_000;

export interface ObjectCheck {
  readonly lists: readonly NamedList[];
  /** Findings are added here. */
  readonly findings: Finding[];
  readonly run: Run;
}

interface ListDamage {
  readonly error: unknown;
  readonly list: NamedList;
}

/** What damaged or missing objects are like in the store. */
type Damaged = Map<Sha256, { readonly stored: ObjectRef | undefined; readonly bad: boolean }>;

/** Each list whole and in order, each object that one names there with its size: one look at each object. */
export async function checkObjects(
  store: Store,
  { lists, findings, run }: ObjectCheck,
): Promise<{ readonly objects: number; readonly unnamed: number }> {
  const optional = new Set(lists.flatMap((list) => list.optional));
  const damaged: Damaged = new Map();
  for (const sha256 of await store.bad.list()) {
    damaged.set(sha256, { stored: await store.objects.stat(sha256), bad: true });
  }
  let objects = 0;
  let unnamed = 0;
  await withScratch(store, 'check', async (folder) => {
    const buckets = new HashBuckets(folder);
    const damagedLists: ListDamage[] = [];
    run.onEvent?.({ type: 'phase', phase: 'lists' });
    await collectReachable(
      lists,
      { store, buckets },
      {
        signal: run.signal,
        onDamage: (error, list) => damagedLists.push({ error, list }),
      },
    );
    await reportLists(store, damagedLists, findings);
    run.onEvent?.({ type: 'phase', phase: 'objects' });
    for await (const { sha256, named, stored } of objectCensus(store.objects, buckets)) {
      if (!named) continue;
      if (objects++ % 1000 === 0) throwIfStopped(run.signal, 'check the store');
      const sized = named.sizeBytes === UNKNOWN_SIZE || named.sizeBytes === stored?.sizeBytes;
      if (stored ? sized && !named.sizesDiffer : optional.has(sha256)) continue;
      if (damaged.size < MAX_NAMED_OBJECTS) damaged.set(sha256, { stored, bad: damaged.has(sha256) });
      else unnamed += 1;
    }
  });
  if (damaged.size > 0) await nameDamage(store, { lists, damaged }, findings);
  return { objects, unnamed };
}

async function nameDamage(
  store: Store,
  { lists, damaged }: { readonly lists: readonly NamedList[]; readonly damaged: Damaged },
  findings: Finding[],
): Promise<void> {
  for await (const use of whereUsed(store.objects, lists, new Set(damaged.keys()))) {
    const finding = findingOf(use, damaged);
    if (finding) findings.push(finding);
    if (findings.length >= MAX_FINDINGS) return;
  }
}

function findingOf({ sha256, list, role, path, sizeBytes }: ObjectUse, damaged: Damaged): Finding | undefined {
  // Roots and chunks were read, and reported if that failed.
  if (role === 'root' || role === 'chunk') return undefined;
  const { stored, bad = false } = damaged.get(sha256) ?? {};
  const what = `${describeList(list)}: ${path ?? role}: object ${sha256}`;
  const rest = { object: sha256, ...(path === null ? {} : { path }), ...placeOf(list) };
  if (!stored) return { kind: 'missing-object', message: `${what} is not in the store`, ...rest };
  if (sizeBytes !== null && stored.sizeBytes !== sizeBytes) {
    return { kind: 'wrong-size', message: `${what} has ${stored.sizeBytes} bytes, expected ${sizeBytes}`, ...rest };
  }
  return bad ? { kind: 'bad-object', message: `${what} is known to be damaged`, ...rest } : undefined;
}

/** Also marks what does not hash to its name, so that it is replaced when it is put again. */
async function reportLists(store: Store, damage: readonly ListDamage[], findings: Finding[]): Promise<void> {
  for (const { error, list } of damage) {
    if (!(error instanceof KubedosError)) throw error;
    findings.push({ kind: 'manifest', message: `${describeList(list)}: ${error.message}`, ...placeOf(list) });
    const { sha256 } = error.details;
    if (error.code === 'store.bad-object' && typeof sha256 === 'string') await store.bad.add(sha256);
  }
}
