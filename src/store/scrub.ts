import { createHash } from 'node:crypto';
import { errnoOf, KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { type NamedList, namedLists } from './reachable.ts';
import { readScrubState, type ScrubState, scrubStateFile, writeScrubState } from './scrub-state.ts';
import { nap, throwIfStopped } from './stop.ts';
import type { ObjectRef, Sha256, Store } from './types.ts';
import { type ObjectUse, whereUsed } from './where-used.ts';

/** The cursor is written after so many objects or bytes. */
const SAVE_OBJECTS = 2000;
const SAVE_BYTES = 1024 * 1024 * 1024;
/** Paths that are named for each bad object. */
const MAX_USES = 20;

export interface ScrubOptions {
  readonly bytesPerSecond?: number | undefined;
  /** Begins anew instead of where the last scrub was stopped. */
  readonly restart?: boolean;
  /** Stops, to go on another time, once so many bytes were read. */
  readonly maxBytes?: number | undefined;
}

/** A damaged object and where lists name it; no uses: no list does. */
export interface BadObject {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly reason: string;
  readonly uses: readonly (Pick<ObjectUse, 'role' | 'path'> & Pick<NamedList, 'kind' | 'holder' | 'mirror'>)[];
}

export interface ScrubReport {
  /** False: stopped by `maxBytes`; the next scrub goes on from there. */
  readonly complete: boolean;
  /** Since the scrub began, runs before this one included. */
  readonly objects: number;
  readonly bytes: number;
  /** Found bad in this run. */
  readonly bad: readonly BadObject[];
  /** Were marked as bad and are sound again. */
  readonly healed: readonly Sha256[];
}

/**
 * Reads every object and holds it against its name. Damaged ones are marked at once, so that a server stops to serve
 * them. Stopped or killed, the next scrub goes on behind the last object noted. Needs no lock.
 */
export async function scrubStore(store: Store, options: ScrubOptions = {}, run: Run = {}): Promise<ScrubReport> {
  const file = await scrubStateFile(store);
  const state = (options.restart ? undefined : await readScrubState(file)) ?? { after: '', objects: 0, bytes: 0 };
  const total = await measure(store, run);
  run.onEvent?.({ type: 'phase', phase: 'scrub', ...total });
  const scrub = new Scrub(store, options, run);
  let progress: ScrubState = state;
  let saved = state;
  let complete = true;
  try {
    for await (const object of store.objects.list(state.after)) {
      if (options.maxBytes !== undefined && progress.bytes - state.bytes >= options.maxBytes) {
        complete = false;
        break;
      }
      await scrub.examine(object);
      progress = {
        after: object.sha256,
        objects: progress.objects + 1,
        bytes: progress.bytes + object.sizeBytes,
      };
      run.onEvent?.({ type: 'advance', files: progress.objects, bytes: progress.bytes });
      if (progress.objects - saved.objects >= SAVE_OBJECTS || progress.bytes - saved.bytes >= SAVE_BYTES) {
        await writeScrubState(file, progress);
        saved = progress;
      }
    }
  } catch (error) {
    await writeScrubState(file, progress);
    throw error;
  }
  await writeScrubState(file, complete ? undefined : progress);
  return {
    complete,
    objects: progress.objects,
    bytes: progress.bytes,
    bad: await nameUses(store, scrub.bad),
    healed: scrub.healed,
  };
}

async function measure(store: Store, run: Run): Promise<{ files: number; bytes: number }> {
  const total = { files: 0, bytes: 0 };
  run.onEvent?.({ type: 'phase', phase: 'count objects' });
  for await (const { sizeBytes } of store.objects.list()) {
    if (total.files % 1000 === 0) throwIfStopped(run.signal, 'scrub the store');
    total.files += 1;
    total.bytes += sizeBytes;
  }
  return total;
}

class Scrub {
  readonly bad: Omit<BadObject, 'uses'>[] = [];
  readonly healed: Sha256[] = [];
  readonly #store: Store;
  readonly #bytesPerSecond: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #startMs = performance.now();
  #read = 0;

  constructor(store: Store, { bytesPerSecond }: ScrubOptions, { signal }: Run) {
    this.#store = store;
    this.#bytesPerSecond = bytesPerSecond;
    this.#signal = signal;
  }

  async examine(object: ObjectRef): Promise<void> {
    const reason = await this.#damageOf(object);
    if (reason !== undefined) {
      this.bad.push({ ...object, reason });
      await this.#store.bad.add(object.sha256);
    } else if (this.#store.bad.has(object.sha256)) {
      this.healed.push(object.sha256);
      await this.#store.bad.clear(object.sha256);
    }
  }

  async #damageOf({ sha256 }: ObjectRef): Promise<string | undefined> {
    throwIfStopped(this.#signal, 'scrub the store');
    const hash = createHash('sha256');
    try {
      const stream = await this.#store.objects.open(sha256);
      // Collected as garbage meanwhile.
      if (!stream) return undefined;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        hash.update(chunk);
        await this.#throttle(chunk.length);
      }
    } catch (error) {
      const cause = error instanceof KubedosError ? error.cause : error;
      if (errnoOf(cause) !== 'EIO') throw error;
      return 'the disk cannot read it (EIO)';
    }
    const got = hash.digest('hex');
    return got === sha256 ? undefined : `its bytes hash to ${got}`;
  }

  async #throttle(bytes: number): Promise<void> {
    this.#read += bytes;
    if (this.#bytesPerSecond === undefined) return;
    const napMs = napFor(this.#read, this.#bytesPerSecond, performance.now() - this.#startMs);
    if (napMs > 0) await nap(napMs, this.#signal, 'scrub the store');
  }
}

/** Shorter naps than this are mostly timer error. */
const SHORTEST_NAP_MS = 20;

/** How long to rest (ms) so that so many bytes were read no faster than at the rate. */
export function napFor(bytes: number, bytesPerSecond: number, elapsedMs: number): number {
  const aheadMs = (bytes / bytesPerSecond) * 1000 - elapsedMs;
  return aheadMs < SHORTEST_NAP_MS ? 0 : aheadMs;
}

async function nameUses(store: Store, bad: readonly Omit<BadObject, 'uses'>[]): Promise<BadObject[]> {
  const uses = new Map<Sha256, BadObject['uses'][number][]>(bad.map(({ sha256 }) => [sha256, []]));
  if (bad.length === 0) return [];
  const lists = await namedLists(store, { skipDamaged: true });
  for await (const { sha256, role, path, list } of whereUsed(store.objects, lists, new Set(uses.keys()))) {
    const known = uses.get(sha256);
    const { kind, holder, mirror } = list;
    if (known && known.length < MAX_USES) known.push({ role, path, kind, holder, mirror });
  }
  return bad.map((object) => ({ ...object, uses: uses.get(object.sha256) ?? [] }));
}
