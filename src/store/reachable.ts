/** Everything that any list in the store names. */
import { KubedosError } from '../errors.ts';
import { type HashBuckets, MANY, UNKNOWN_SIZE } from './hash-buckets.ts';
import { loadChunk, loadRoot, type ManifestRoot } from './manifest-format.ts';
import { SHA256 } from './names.ts';
import { throwIfStopped } from './stop.ts';
import type { Evidence, ManifestRef, MirrorHead, Sha256, Store } from './types.ts';

/** A list in the store: what a head or a snapshot has of one mirror. */
export interface NamedList {
  readonly kind: 'head' | 'snapshot';
  /** Name of the mirror for a head, id for a snapshot. */
  readonly holder: string;
  readonly mirror: string;
  readonly manifest: ManifestRef;
  /** Evidence, and for heads what their memory holds of earlier publications. */
  readonly loose: readonly Sha256[];
  /** Kept where they are there, and not missed where they are not. */
  readonly optional: readonly Sha256[];
}

/** Who holds objects; its place in what `collectReachable` returns is the tag in the buckets. */
export interface Holder {
  readonly kind: 'head' | 'snapshot' | 'caller';
  readonly holder: string;
}

export interface ReachOptions {
  /** Objects that others hold: artifacts, the parts of an import under way. */
  readonly extraRoots?: Iterable<Sha256> | AsyncIterable<Sha256> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Takes note of a list that cannot be read, which is passed over then. Without it the first one throws. */
  readonly onDamage?: ((error: unknown, list: NamedList) => void) | undefined;
}

/** Heads first, then snapshots. A document that cannot be read throws, or is passed over if so asked. */
export async function namedLists(store: Store, options: { readonly skipDamaged?: boolean } = {}): Promise<NamedList[]> {
  const read = <T>(document: Promise<T>): Promise<T | undefined> =>
    options.skipDamaged ? document.catch(passOverDamage) : document;
  const lists: NamedList[] = [];
  for (const name of await store.heads.names()) {
    const head = await read(store.heads.read(name));
    if (head) lists.push(headList(head));
  }
  for (const id of await store.snapshots.list()) {
    const snapshot = await read(store.snapshots.read(id));
    for (const { name, manifest, evidence } of snapshot?.document.mirrors ?? []) {
      const loose = evidenceObjects(evidence);
      lists.push({ kind: 'snapshot', holder: id, mirror: name, manifest, loose, optional: [] });
    }
  }
  return lists;
}

function headList({ name, manifest, evidence, memory, spec }: MirrorHead): NamedList {
  const loose = [...evidenceObjects(evidence), ...hashesIn(memory.generations)];
  return { kind: 'head', holder: name, mirror: name, manifest, loose, optional: spec === null ? [] : [spec] };
}

function passOverDamage(error: unknown): undefined {
  if (error instanceof KubedosError && error.kind !== 'storage') return undefined;
  throw error;
}

/**
 * Fills the buckets with every object that is held, tagged by its holder. Each chunk is read once, however many
 * lists share it; memory holds the hashes of the chunks, a 256th of everything.
 */
export async function collectReachable(
  lists: readonly NamedList[],
  into: { readonly store: Store; readonly buckets: HashBuckets },
  options: ReachOptions = {},
): Promise<readonly Holder[]> {
  const walk = new Walk(into.store, into.buckets, options);
  for (const list of lists) await walk.noteList(list);
  for (const list of lists) await walk.readChunks(list);
  for await (const sha256 of options.extraRoots ?? []) {
    await into.buckets.add(sha256, UNKNOWN_SIZE, walk.holders.tag('caller', 'caller'));
  }
  return walk.holders.all;
}

class Walk {
  readonly holders = new Holders();
  readonly #store: Store;
  readonly #buckets: HashBuckets;
  readonly #options: ReachOptions;
  /** Who holds a chunk: all that is in it is held by the same. */
  readonly #tags = new Map<Sha256, number>();
  readonly #read = new Set<Sha256>();
  readonly #damaged = new Map<Sha256, unknown>();

  constructor(store: Store, buckets: HashBuckets, options: ReachOptions) {
    this.#store = store;
    this.#buckets = buckets;
    this.#options = options;
  }

  async noteList(list: NamedList): Promise<void> {
    const tag = this.holders.tag(list.kind, list.holder);
    for (const sha256 of [...list.loose, ...list.optional]) await this.#buckets.add(sha256, UNKNOWN_SIZE, tag);
    await this.#buckets.add(list.manifest.root, UNKNOWN_SIZE, tag);
    const root = await this.#root(list);
    for (let index = 0; root && index < root.table.count; index++) {
      const { sha256, sizeBytes } = root.chunk(index);
      const before = this.#tags.get(sha256);
      this.#tags.set(sha256, before === undefined || before === tag ? tag : MANY);
      await this.#buckets.add(sha256, sizeBytes, tag);
    }
  }

  async readChunks(list: NamedList): Promise<void> {
    const root = await this.#root(list, false);
    for (let index = 0; root && index < root.table.count; index++) {
      const sha256 = root.table.sha256(index);
      if (this.#read.has(sha256)) continue;
      throwIfStopped(this.#options.signal, 'read the lists of the store');
      const damage = this.#damaged.get(sha256) ?? (await this.#readChunk(root, index));
      if (damage === undefined) continue;
      this.#damaged.set(sha256, damage);
      this.#damage(damage, list);
    }
  }

  /** Adds what the chunk names; gives back why it cannot be read. */
  async #readChunk(root: ManifestRoot, index: number): Promise<unknown> {
    const { sha256, bytes } = root.chunk(index);
    try {
      const chunk = await loadChunk(this.#store.objects, root, index);
      let sum = 0;
      for (let line = 0; line < chunk.count; line++) sum += chunk.number(line, 0);
      await this.#buckets.addChunk(chunk, this.#tags.get(sha256) ?? MANY);
      this.#read.add(sha256);
      if (sum === bytes) return undefined;
      return new KubedosError('store.corrupt', `read chunk ${sha256}: sizes add up to ${sum}, expected ${bytes}`);
    } catch (error) {
      return error;
    }
  }

  async #root(list: NamedList, tells = true): Promise<ManifestRoot | undefined> {
    throwIfStopped(this.#options.signal, 'read the lists of the store');
    try {
      const root = await loadRoot(this.#store.objects, list.manifest.root);
      if (root.files === list.manifest.files && root.bytes === list.manifest.bytes) return root;
      throw new KubedosError(
        'store.corrupt',
        `read manifest ${root.sha256}: ${root.files} files of ${root.bytes} bytes, expected ${list.manifest.files} of ${list.manifest.bytes}`,
      );
    } catch (error) {
      if (tells) this.#damage(error, list);
      return undefined;
    }
  }

  #damage(error: unknown, list: NamedList): void {
    if (!this.#options.onDamage) throw error;
    this.#options.onDamage(error, list);
  }
}

class Holders {
  readonly all: Holder[] = [];
  readonly #tags = new Map<string, number>();

  tag(kind: Holder['kind'], holder: string): number {
    const key = `${kind} ${holder}`;
    const tag = this.#tags.get(key) ?? this.all.push({ kind, holder }) - 1;
    this.#tags.set(key, tag);
    return tag;
  }
}

function evidenceObjects(evidence: readonly Evidence[]): Sha256[] {
  return evidence
    .flatMap(({ document, signature, keyring }) => [document, signature, keyring])
    .filter((sha256) => sha256 !== null);
}

/** Each `sha256` member anywhere in the value: publish/ alone knows the shape of its generations. */
function hashesIn(value: unknown): Sha256[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === 'sha256' && typeof member === 'string' && SHA256.test(member) ? [member] : hashesIn(member),
  );
}
