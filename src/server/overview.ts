import type { Channel, Labels, MirrorHead, Snapshot, SnapshotMirror } from '../store/types.ts';
import type { ApiChannel, ApiMirror, ApiSnapshot } from './api-types.ts';
import type { ServerDeps } from './deps.ts';
import type { SnapshotView, Views } from './views.ts';

/** What the start page and the API show of a store, gathered from its small documents alone. */
export class Overview {
  readonly #store: ServerDeps['store'];
  readonly #views: Views;

  constructor(store: ServerDeps['store'], views: Views) {
    this.#store = store;
    this.#views = views;
  }

  /** Heads of this store, and what channels serve without a head here, such as mirrors that came in a bundle. By name. */
  async mirrors(): Promise<ApiMirror[]> {
    const heads = await this.#store.heads.list();
    const served = await this.#served();
    const byName = new Map<string, ApiMirror>();
    for (const [channel, view] of served) {
      for (const mirror of view.mirrors.values()) {
        const before = byName.get(mirror.name);
        const summary = before ?? mirrorSummary(mirror, view.snapshot.document.time);
        byName.set(mirror.name, { ...summary, channels: [...summary.channels, channel] });
      }
    }
    for (const head of heads) {
      const channels = byName.get(head.name)?.channels ?? [];
      byName.set(head.name, { ...mirrorSummary(head, head.time), channels });
    }
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #served(): Promise<[string, SnapshotView][]> {
    const served: [string, SnapshotView][] = [];
    for (const { name, snapshot } of await this.#store.channels.list()) {
      const view = await this.#views.snapshot(snapshot);
      if (view) served.push([name, view]);
    }
    return served;
  }

  async channels(): Promise<ApiChannel[]> {
    return (await this.#store.channels.list()).map(channelSummary);
  }

  /** Newest first, `limit` at most, and how many there are. */
  async snapshots(limit: number): Promise<{ readonly total: number; readonly snapshots: ApiSnapshot[] }> {
    const ids = await this.#store.snapshots.list();
    const channels = await this.#store.channels.list();
    const labels = await this.#store.labels.read();
    const snapshots: ApiSnapshot[] = [];
    for (const id of ids.slice(-limit)) {
      const view = await this.#views.snapshot(id);
      if (view) snapshots.push(snapshotSummary(view.snapshot, channels, labels));
    }
    snapshots.sort((a, b) => (a.time === b.time ? b.sequence - a.sequence : a.time < b.time ? 1 : -1));
    return { total: ids.length, snapshots };
  }

  async snapshot(snapshot: Snapshot): Promise<ApiSnapshot> {
    return snapshotSummary(snapshot, await this.#store.channels.list(), await this.#store.labels.read());
  }
}

function mirrorSummary(mirror: SnapshotMirror | MirrorHead, time: string): ApiMirror {
  const { name, kind, form, manifest } = mirror;
  const evidence = mirror.evidence.map(({ source, date, validUntil, fingerprints }) => ({
    source,
    date,
    validUntil,
    fingerprints,
  }));
  const { root, files, bytes } = manifest;
  return { name, kind, form, files, bytes, root, time, channels: [], evidence };
}

export function channelSummary({ name, snapshot, version, time, history }: Channel): ApiChannel {
  return { name, snapshot, version, time, history };
}

function snapshotSummary({ id, document }: Snapshot, channels: readonly Channel[], labels: Labels): ApiSnapshot {
  const mirrors = document.mirrors.map(({ name, kind, form, manifest }) => ({ name, kind, form, ...manifest }));
  return {
    id,
    store: document.store,
    sequence: document.sequence,
    time: document.time,
    parent: document.parent,
    note: document.note,
    files: mirrors.reduce((sum, { files }) => sum + files, 0),
    bytes: mirrors.reduce((sum, { bytes }) => sum + bytes, 0),
    mirrors,
    channels: channels.filter(({ snapshot }) => snapshot === id).map(({ name }) => name),
    tags: Object.keys(labels.tags).filter((tag) => labels.tags[tag] === id),
    protected: labels.protected.includes(id),
  };
}
