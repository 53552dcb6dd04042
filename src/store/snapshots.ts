import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { DocumentFolder } from './documents.ts';
import { requireObject } from './heads.ts';
import type { ProcessLock } from './lock.ts';
import { SNAPSHOT_ID } from './schemas.ts';
import {
  checksums,
  misfit,
  nextSnapshot,
  parseSnapshot,
  sameMirrors,
  sequenceOf,
  snapshotBytes,
  snapshotId,
} from './snapshot-document.ts';
import type {
  Channels,
  LabelStore,
  NewSnapshot,
  ObjectStore,
  Snapshot,
  SnapshotDocument,
  Snapshots,
  StoreIdentity,
} from './types.ts';

export interface SnapshotParts {
  readonly identity: StoreIdentity;
  readonly documents: DocumentFolder;
  readonly objects: ObjectStore;
  readonly labels: LabelStore;
  readonly channels: Channels;
  readonly lock: ProcessLock;
}

/** What is known of a snapshot without reading it again. `store` is empty where its document is damaged. */
interface Known {
  readonly id: string;
  readonly store: string;
  readonly sequence: number;
}

/**
 * snapshots/ID.json, its signature ID.json.asc, and ID.sha256, which `sha256sum -c` reads: the signature alone does
 * not show each flipped bit of itself. The .json is written last and removed first: it decides whether there is one.
 */
export class SnapshotFolder implements Snapshots {
  readonly #folder: string;
  readonly #parts: SnapshotParts;
  readonly #known = new Map<string, Known>();

  constructor(folder: string, parts: SnapshotParts) {
    this.#folder = folder;
    this.#parts = parts;
  }

  async create({ heads, now, sign, note }: NewSnapshot): Promise<{ snapshot: Snapshot; created: boolean }> {
    const { objects, labels, lock, identity } = this.#parts;
    await objects.flush();
    for (const head of heads) await requireObject(objects, head.manifest.root, `take mirror ${head.name}`);
    return lock.hold('snapshot create', async () => {
      const index = await this.#index();
      const newest = index.filter(({ store }) => store === identity.id).at(-1);
      const parent = newest && (await this.read(newest.id));
      const sequence = Math.max(this.#highestOwn(index), (await labels.read()).usedSequence ?? 0) + 1;
      const place = { store: identity.id, sequence, parent: parent?.id ?? null, note: note ?? null, now };
      const document = nextSnapshot(heads, place);
      if (parent && sameMirrors(parent.document, document)) return { snapshot: parent, created: false };
      const bytes = snapshotBytes(document);
      parseSnapshot(bytes, 'the new snapshot');
      return { snapshot: await this.#write(document, bytes, await sign(bytes)), created: true };
    });
  }

  async insert(bytes: Uint8Array, signature: string): Promise<Snapshot> {
    const document = parseSnapshot(bytes, 'the snapshot to insert');
    const { objects, lock } = this.#parts;
    await objects.flush();
    for (const { name, manifest } of document.mirrors)
      await requireObject(objects, manifest.root, `take mirror ${name}`);
    return lock.hold('snapshot insert', async () => {
      const there = await this.read(snapshotId(document.sequence, bytes));
      return there?.signature === signature ? there : this.#write(document, Buffer.from(bytes), signature);
    });
  }

  async #write(document: SnapshotDocument, bytes: Buffer, signature: string): Promise<Snapshot> {
    const { documents } = this.#parts;
    const id = snapshotId(document.sequence, bytes);
    const file = this.#file(id);
    await documents.write(`${file}.json.asc`, Buffer.from(signature));
    await documents.write(`${file}.sha256`, Buffer.from(checksums(id, bytes, signature)));
    await documents.write(`${file}.json`, bytes);
    return { id, document, bytes, signature };
  }

  async read(id: string): Promise<Snapshot | undefined> {
    if (!SNAPSHOT_ID.test(id)) return undefined;
    const { documents } = this.#parts;
    const what = `snapshot ${id}`;
    const bytes = await documents.read(`${this.#file(id)}.json`);
    if (!bytes) return undefined;
    // First of all: what damaged bytes say, such as a format that is newer than ours, means nothing.
    if (snapshotId(sequenceOf(id), bytes) !== id) {
      throw new KubedosError('store.corrupt', `read ${what}: its bytes are not those that its id stands for`);
    }
    const document = parseSnapshot(bytes, what);
    if (document.sequence !== sequenceOf(id)) {
      throw new KubedosError('store.corrupt', `read ${what}: it holds the sequence number ${document.sequence}`);
    }
    const signature = await documents.read(`${this.#file(id)}.json.asc`);
    if (!signature) throw new KubedosError('store.corrupt', `read ${what}: its signature is missing`);
    return { id, document, bytes, signature: signature.toString() };
  }

  /** Holds document and signature against the checksums beside them; `store.corrupt` names the file that does not fit. */
  async checkSums({ id, bytes, signature }: Snapshot): Promise<void> {
    const sums = (await this.#parts.documents.read(`${this.#file(id)}.sha256`))?.toString();
    const right = checksums(id, bytes, signature);
    if (sums === right) return;
    const why = sums === undefined ? `${id}.sha256 is missing` : `${id}${misfit(sums, right)} does not fit the others`;
    throw new KubedosError('store.corrupt', `check snapshot ${id}: ${why}`);
  }

  async resolve(reference: string): Promise<Snapshot> {
    const { labels, channels } = this.#parts;
    const exact = await this.read(reference);
    if (exact) return exact;
    const known = (await this.#index()).map(({ id }) => id);
    const matches = known.filter((id) => id.startsWith(reference.includes('-') ? reference : `${reference}-`));
    if (/^[0-9]+(-[0-9a-f]*)?$/.test(reference)) {
      if (matches[0] !== undefined && matches.length === 1) return this.#require(matches[0], reference);
      const why = matches.length > 1 ? `it could be ${matches.slice(0, 5).join(', ')}` : 'there is none';
      throw new KubedosError('store.not-found', `find snapshot ${reference}: ${why}`, { hint: HINT });
    }
    const { tags } = await labels.read();
    const tagged = Object.hasOwn(tags, reference) ? tags[reference] : undefined;
    if (tagged !== undefined) return this.#require(tagged, reference);
    const channel = (await channels.list()).find(({ name }) => name === reference);
    if (channel) return this.#require(channel.snapshot, reference);
    throw new KubedosError('store.not-found', `find snapshot ${reference}: no id, tag or channel of that name`, {
      hint: HINT,
    });
  }

  async #require(id: string, reference: string): Promise<Snapshot> {
    const snapshot = await this.read(id);
    if (snapshot) return snapshot;
    throw new KubedosError('store.not-found', `find snapshot ${reference}: it names ${id}, which is not in the store`);
  }

  async list(): Promise<string[]> {
    return (await this.#index()).map(({ id }) => id);
  }

  delete(id: string): Promise<void> {
    const { documents, labels, lock } = this.#parts;
    return lock.hold('snapshot delete', async () => {
      const index = await this.#index();
      const known = index.find((one) => one.id === id);
      if (!known) throw new KubedosError('store.not-found', `delete snapshot ${id}: there is no such snapshot`);
      await this.#refuseIfHeld(id);
      const highest = this.#highestOwn(index);
      await labels.update((before) => ({
        ...before,
        tags: without(before.tags, id),
        usedSequence: Math.max(highest, before.usedSequence ?? 0),
      }));
      for (const ending of ['.json', '.json.asc', '.sha256']) await documents.remove(`${this.#file(id)}${ending}`);
      this.#known.delete(id);
    });
  }

  async #refuseIfHeld(id: string): Promise<void> {
    const labels = await this.#parts.labels.read();
    const channels = (await this.#parts.channels.list()).filter(({ snapshot }) => snapshot === id);
    const receivers = Object.keys(labels.acknowledged).filter((receiver) => labels.acknowledged[receiver] === id);
    const holders = [
      ...channels.map(({ name }) => `channel ${name} points at it`),
      ...(labels.protected.includes(id) ? ['it is protected'] : []),
      ...receivers.map((receiver) => `store ${receiver} acknowledged it as its newest`),
    ];
    if (holders.length === 0) return;
    throw new KubedosError('store.protected', `delete snapshot ${id}: ${holders.join(', ')}`, {
      hint: 'move the channel or lift the protection first',
      details: { holders },
    });
  }

  /** One that cannot be read may be of this store: its number counts. */
  #highestOwn(index: readonly Known[]): number {
    const own = index.filter(({ store }) => store === this.#parts.identity.id || store === '');
    return Math.max(0, ...own.map(({ sequence }) => sequence));
  }

  /** Ascending by store and sequence; documents are read once. */
  async #index(): Promise<Known[]> {
    const ids = (await this.#parts.documents.names(this.#folder)).filter((id) => SNAPSHOT_ID.test(id));
    const known = await Promise.all(ids.map((id) => this.#know(id)));
    return known.sort((a, b) => (a.store === b.store ? a.sequence - b.sequence : a.store < b.store ? -1 : 1));
  }

  async #know(id: string): Promise<Known> {
    const remembered = this.#known.get(id);
    if (remembered) return remembered;
    const sequence = sequenceOf(id);
    try {
      const snapshot = await this.read(id);
      const known = { id, sequence, store: snapshot?.document.store ?? '' };
      if (snapshot) this.#known.set(id, known);
      return known;
    } catch (error) {
      // One that is damaged, or of a newer kubedos, must not hide the others; who reads it is told.
      const unreadable = error instanceof KubedosError && ['store.corrupt', 'store.version'].includes(error.code);
      if (unreadable) return { id, sequence, store: '' };
      throw error;
    }
  }

  #file(id: string): string {
    return join(this.#folder, id);
  }
}

const HINT = '`kubedos snapshot list` shows what there is';

function without(tags: Readonly<Record<string, string>>, id: string): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([, tagged]) => tagged !== id));
}
