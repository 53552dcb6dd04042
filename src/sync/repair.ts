/** Fetches damaged and missing objects again, by the paths and hashes that lists in the store give. */
import { rm } from 'node:fs/promises';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import { checkStore } from '../store/check.ts';
import { namedLists } from '../store/reachable.ts';
import type { ObjectRef, Sha256, Store } from '../store/types.ts';
import { whereUsed } from '../store/where-used.ts';
import type { UpstreamPlace } from './family.ts';
import { Meter } from './meter.ts';
import { eachParallel } from './parallel.ts';
import type { SyncDeps } from './types.ts';

export interface RepairDeps extends Pick<SyncDeps, 'fetcher' | 'systemSources'> {
  readonly store: Store;
  /** The spec of a mirror, if it still has one. */
  readonly findSpec: (mirror: string) => Promise<MirrorSpec | undefined>;
}

export interface RepairedObject {
  readonly sha256: Sha256;
  /** Where lists name it, each as `mirror/path`, or the role of what is no file of a mirror. */
  readonly uses: readonly string[];
  /** Why it could not be fetched; absent for a repaired one. */
  readonly reason?: string;
}

export interface RepairReport {
  readonly repaired: readonly RepairedObject[];
  readonly failed: readonly RepairedObject[];
}

const PARALLEL_REPAIRS = 8;

interface Use {
  readonly mirror: string;
  readonly path: string | null;
  readonly role: string;
  readonly sizeBytes: number | null;
}

/**
 * What a check finds missing or of the wrong size and what a scrub marked as bad, in heads and snapshots alike. Upstream
 * may have dropped what older snapshots hold, and nobody has our own indexes: those are told in `failed`.
 */
export function repairStore(deps: RepairDeps, run: Run = {}): Promise<RepairReport> {
  return deps.store.withWriter('store repair', async () => {
    const uses = await damagedObjects(deps.store, run);
    const repaired: RepairedObject[] = [];
    const failed: RepairedObject[] = [];
    const meter = new Meter(run.onEvent, 'repair', { files: uses.size });
    const specs = new Map<string, Promise<MirrorSpec | undefined>>();
    const specOf = (mirror: string): Promise<MirrorSpec | undefined> => {
      const spec = specs.get(mirror) ?? deps.findSpec(mirror);
      specs.set(mirror, spec);
      return spec;
    };
    const options = { limit: PARALLEL_REPAIRS, signal: run.signal };
    await eachParallel(uses, options, async ([sha256, places], signal) => {
      const object = { sha256, uses: places.map(({ mirror, path, role }) => `${mirror}/${path ?? role}`) };
      const refusals: string[] = [];
      for (const use of places) {
        const reason = await refetch({ ...deps, specOf }, { sha256, use }, { signal, onBytes: meter.onBytes });
        if (reason === undefined) {
          repaired.push(object);
          refusals.length = 0;
          break;
        }
        refusals.push(reason);
      }
      if (refusals.length > 0) failed.push({ ...object, reason: [...new Set(refusals)].join('; ') });
      meter.file();
    });
    await deps.store.objects.flush();
    return { repaired, failed };
  });
}

async function damagedObjects(store: Store, run: Run): Promise<Map<Sha256, Use[]>> {
  const { findings } = await checkStore(store, {}, run);
  const wanted = new Set(await store.bad.list());
  for (const { object } of findings) if (object !== undefined) wanted.add(object);
  const uses = new Map<Sha256, Use[]>();
  if (wanted.size === 0) return uses;
  const lists = await namedLists(store, { skipDamaged: true });
  for await (const { sha256, list, role, path, sizeBytes } of whereUsed(store.objects, lists, wanted)) {
    const known = uses.get(sha256) ?? [];
    uses.set(sha256, known);
    if (!known.some((use) => use.mirror === list.mirror && use.path === path))
      known.push({ mirror: list.mirror, path, role, sizeBytes });
  }
  return uses;
}

/** The reason where it failed. */
async function refetch(
  deps: RepairDeps & { readonly specOf: (mirror: string) => Promise<MirrorSpec | undefined> },
  { sha256, use }: { readonly sha256: Sha256; readonly use: Use },
  options: { readonly signal: AbortSignal; readonly onBytes: (count: number) => void },
): Promise<string | undefined> {
  const { path, sizeBytes, mirror } = use;
  if (path === null || sizeBytes === null) return `it is ${use.role} of ${mirror}, which no upstream has`;
  const spec = await deps.specOf(mirror);
  if (spec === undefined) return `there is no spec of ${mirror}`;
  const partial = await deps.store.file('partial', sha256);
  const reasons: string[] = [];
  const { ours, places } = await placesOf(spec, path, deps);
  if (ours) return `it is a file of ${mirror} that this store wrote`;
  try {
    for await (const place of places) {
      const reason = await fetchAt(deps, place, { sha256, sizeBytes, partial, ...options });
      if (reason === undefined) return undefined;
      reasons.push(reason);
    }
  } catch (error) {
    reasons.push(reasonOf(error));
  }
  return reasons.join('; ');
}

/** The kinds of repositories know where their files are from. */
async function placesOf(spec: MirrorSpec, path: string, deps: RepairDeps) {
  const { APT } = await import('./apt/family.ts');
  const { YUM } = await import('./yum/family.ts');
  return spec.type === 'apt'
    ? { ours: APT.isOurs(spec, path), places: APT.places(spec, path, deps) }
    : { ours: YUM.isOurs(spec, path), places: YUM.places(spec, path, deps) };
}

async function fetchAt(
  { store, fetcher }: RepairDeps,
  { urls, path }: UpstreamPlace,
  of: ObjectRef & { readonly partial: string; readonly signal: AbortSignal; readonly onBytes: (count: number) => void },
): Promise<string | undefined> {
  const { sha256, sizeBytes, partial, signal, onBytes } = of;
  try {
    const wanted = { path, sizeBytes, digest: { algorithm: 'sha256' as const, hex: sha256 } };
    const got = await fetcher.file(urls, wanted, { partial, signal, onBytes });
    await store.objects.adopt(got.file, { sha256, sizeBytes });
    return undefined;
  } catch (error) {
    const reason = reasonOf(error);
    await rm(partial, { force: true });
    return reason;
  }
}

/** What another upstream may make good; the rest is thrown. */
function reasonOf(error: unknown): string {
  if (error instanceof KubedosError && error.kind !== 'storage' && error.kind !== 'cancelled') return error.message;
  throw error;
}
