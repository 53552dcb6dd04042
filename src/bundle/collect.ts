/**
 * Which objects a bundle must carry: all that the snapshots name and the base does not. Sorted on disk, so that memory
 * does not grow with the repository.
 */
import { diffManifests, readManifest } from '../store/manifest.ts';
import { loadRoot } from '../store/manifest-format.ts';
import { EntrySorter } from '../store/sorted-lines.ts';
import type { ObjectRef, ObjectStore, Sha256, Snapshot, SnapshotMirror } from '../store/types.ts';
import { throwIfCancelled } from './cancel.ts';

export interface CollectInput {
  readonly objects: ObjectStore;
  /** Ascending by sequence. */
  readonly snapshots: readonly Snapshot[];
  readonly base: Snapshot | undefined;
  /** Where sorting may spill. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Needed extends ObjectRef {
  /** Manifest roots, chunks and evidence: these go in front, so that a reader has the lists early. */
  readonly metadata: boolean;
}

/**
 * Ascending by hash, each object once. What the base names under any path is left out; so every path of the snapshots
 * names an object that is either given here or on the base's list.
 */
export async function* collectNeeded(input: CollectInput): AsyncGenerator<Needed> {
  const sorter = new EntrySorter({ folder: input.folder });
  const seen = new HashFilter();
  let before = input.base;
  for (const snapshot of input.snapshots) {
    for (const mirror of snapshot.document.mirrors) {
      const old = before?.document.mirrors.find(({ name }) => name === mirror.name);
      for await (const [kind, ref] of wantedOf(input.objects, mirror, old)) {
        throwIfCancelled(input.signal, 'export');
        seen.add(ref.sha256);
        await sorter.add({ ...ref, path: `${ref.sha256} ${kind}` });
      }
    }
    before = snapshot;
  }
  if (input.base !== undefined && !seen.empty) {
    for (const mirror of input.base.document.mirrors) {
      for await (const [, ref] of wantedOf(input.objects, mirror, undefined)) {
        throwIfCancelled(input.signal, 'export');
        // `base` sorts before the other kinds, so that it is met first.
        if (seen.mayHave(ref.sha256)) await sorter.add({ ...ref, path: `${ref.sha256} base` });
      }
    }
  }
  let last = '';
  for await (const { path, sha256, sizeBytes } of sorter.sorted()) {
    if (sha256 === last) continue;
    last = sha256;
    const kind = path.slice(65);
    if (kind !== 'base') yield { sha256, sizeBytes, metadata: kind === 'list' };
  }
}

/** All that a mirror's state names, less what lies in the same place of an older state. `list` sorts before `object`. */
async function* wantedOf(
  objects: ObjectStore,
  mirror: SnapshotMirror,
  old: SnapshotMirror | undefined,
): AsyncGenerator<readonly ['list' | 'object', ObjectRef]> {
  for (const sha256 of evidenceObjects(mirror)) {
    const ref = await objects.stat(sha256);
    yield ['list', ref ?? { sha256, sizeBytes: 0 }];
  }
  const { root } = mirror.manifest;
  if (old?.manifest.root === root) return;
  for await (const ref of manifestObjects(objects, root)) yield ['list', ref];
  if (old === undefined) {
    for await (const entry of readManifest(objects, root)) yield ['object', entry];
    return;
  }
  for await (const { after } of diffManifests(objects, old.manifest.root, root)) {
    if (after !== undefined) yield ['object', after];
  }
}

export function evidenceObjects(mirror: SnapshotMirror): Sha256[] {
  return mirror.evidence
    .flatMap(({ document, signature, keyring }) => [document, signature, keyring])
    .filter((sha256) => sha256 !== null);
}

/** The root object of a manifest and its chunks. */
export async function* manifestObjects(objects: ObjectStore, root: Sha256): AsyncGenerator<ObjectRef> {
  const ref = await objects.stat(root);
  const loaded = await loadRoot(objects, root);
  yield ref ?? { sha256: root, sizeBytes: 0 };
  for (let index = 0; index < loaded.table.count; index++) {
    const { sha256, sizeBytes } = loaded.chunk(index);
    yield { sha256, sizeBytes };
  }
}

/** One bit for the first 27 bits of each hash, 16 MiB: keeps nearly all of a large base out of the sorter. */
class HashFilter {
  readonly #bits = new Uint8Array(2 ** 24);
  empty = true;

  add(sha256: Sha256): void {
    const bit = HashFilter.#bit(sha256);
    this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
    this.empty = false;
  }

  mayHave(sha256: Sha256): boolean {
    const bit = HashFilter.#bit(sha256);
    return ((this.#bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }

  static #bit(sha256: Sha256): number {
    return Number.parseInt(sha256.slice(0, 7), 16) >>> 1;
  }
}
