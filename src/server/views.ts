import { isLabelName } from '../store/names.ts';
import type { Channel, Snapshot, SnapshotMirror } from '../store/types.ts';
import { httpDate } from './conditional.ts';
import type { ServerDeps } from './deps.ts';
import { TurnMemo } from './turn-memo.ts';

/** A snapshot as requests see it; one object for one snapshot as long as it is remembered. */
export interface SnapshotView {
  readonly snapshot: Snapshot;
  readonly lastModified: string;
  readonly mirrors: ReadonlyMap<string, SnapshotMirror>;
}

/** A channel at one moment: a request takes it once, so that it never mixes two states. */
export interface ChannelView {
  readonly channel: Channel;
  readonly current: SnapshotView;
}

/** How many earlier states of a channel a client in the middle of an update is still served from. */
export const EARLIER_STATES = 8;
/** A snapshot that was read is taken to be still there for so long: documents do not change, they can be deleted. */
const SNAPSHOT_TRUST_MS = 1000;
const MAX_SNAPSHOTS = 256;

interface Remembered {
  readonly view: SnapshotView;
  checkedAtMs: number;
}

/** Resolves names to snapshots. A move is seen by every request that arrives after it. */
export class Views {
  readonly #deps: Pick<ServerDeps, 'store' | 'channelStamp'>;
  readonly #channels = new Map<string, { readonly stamp: string; readonly view: ChannelView }>();
  readonly #snapshots = new Map<string, Remembered>();
  readonly #reads = new JoinedReads<ChannelView>();
  readonly #stamps = new TurnMemo<string | undefined>();

  constructor(deps: Pick<ServerDeps, 'store' | 'channelStamp'>) {
    this.#deps = deps;
  }

  /** Undefined: there is no such channel. Synchronous where nothing has to be read. */
  channel(name: string): ChannelView | undefined | Promise<ChannelView | undefined> {
    if (!isLabelName(name)) return undefined;
    const { channelStamp } = this.#deps;
    if (channelStamp === undefined) return this.#reads.read(name, () => this.#readChannel(name));
    const stamp = this.#stamps.get(name, () => channelStamp(name));
    if (stamp === undefined) {
      this.#channels.delete(name);
      return undefined;
    }
    const known = this.#channels.get(name);
    if (known?.stamp === stamp) return known.view;
    // The stamp was taken before the read: a move in between makes the next stamp differ, never this view stay.
    return this.#reads.read(name, async () => {
      const view = await this.#readChannel(name);
      if (view) this.#channels.set(name, { stamp, view });
      return view;
    });
  }

  async #readChannel(name: string): Promise<ChannelView | undefined> {
    const channel = await this.#deps.store.channels.read(name);
    const current = channel && (await this.snapshot(channel.snapshot));
    return channel && current && { channel, current };
  }

  /** By its whole id. Undefined: not, or no longer, in the store. */
  snapshot(id: string): SnapshotView | undefined | Promise<SnapshotView | undefined> {
    const known = this.#snapshots.get(id);
    if (known !== undefined && performance.now() - known.checkedAtMs < SNAPSHOT_TRUST_MS) return known.view;
    return this.recheck(id);
  }

  /** Looks whether a snapshot is there at this moment. */
  async recheck(id: string): Promise<SnapshotView | undefined> {
    const snapshot = await this.#deps.store.snapshots.read(id);
    if (snapshot === undefined) {
      this.#snapshots.delete(id);
      return undefined;
    }
    const known = this.#snapshots.get(id);
    if (known !== undefined) {
      known.checkedAtMs = performance.now();
      return known.view;
    }
    const view: SnapshotView = {
      snapshot,
      lastModified: httpDate(new Date(snapshot.document.time)),
      mirrors: new Map(snapshot.document.mirrors.map((mirror) => [mirror.name, mirror])),
    };
    if (this.#snapshots.size >= MAX_SNAPSHOTS) this.#snapshots.clear();
    this.#snapshots.set(id, { view, checkedAtMs: performance.now() });
    return view;
  }

  /** The states that a channel had before, newest first, each once, without those that were deleted meanwhile. */
  async earlier({ channel }: ChannelView): Promise<readonly SnapshotView[]> {
    const views: SnapshotView[] = [];
    const seen = new Set([channel.snapshot]);
    for (const { snapshot } of channel.history) {
      if (seen.has(snapshot)) continue;
      if (seen.size > EARLIER_STATES) break;
      seen.add(snapshot);
      const view = await this.snapshot(snapshot);
      if (view) views.push(view);
    }
    return views;
  }
}

/**
 * Joins reads of one key such that each caller gets the result of a read that began after it asked: those who come
 * while one runs share the next.
 */
class JoinedReads<V> {
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #next = new Map<string, Promise<V | undefined>>();

  read(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    const queued = this.#next.get(key);
    if (queued !== undefined) return queued;
    const running = this.#running.get(key);
    if (running === undefined) return this.#start(key, load);
    const next = running.then(() => {
      this.#next.delete(key);
      return this.#start(key, load);
    });
    this.#next.set(key, next);
    return next;
  }

  #start(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    const result = load();
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(key, settled);
    void settled.then(() => {
      if (this.#running.get(key) === settled) this.#running.delete(key);
    });
    return result;
  }
}
