/** Does every path of the snapshots name an object that is here? Proved on the receiver's own disk before anything is visible. */
import { KubedosError } from '../errors.ts';
import { diffManifests, readManifest } from '../store/manifest.ts';
import type {
  ManifestEntry,
  ObjectStore,
  Sha256,
  Snapshot,
  SnapshotDocument,
  SnapshotMirror,
  Store,
} from '../store/types.ts';
import { throwIfCancelled } from './cancel.ts';
import { evidenceObjects, manifestObjects } from './collect.ts';

const PARALLEL = 64;

/** `base` is complete here already: what did not change since is not looked at again. `bundle.invalid` names the first path without its object. */
export async function proveClosure(
  store: Store,
  documents: readonly SnapshotDocument[],
  { base, signal }: { readonly base: Snapshot | undefined; readonly signal: AbortSignal | undefined },
): Promise<void> {
  let before: SnapshotDocument | undefined = base?.document;
  for (const document of documents) {
    for (const mirror of document.mirrors) {
      const old = before?.mirrors.find(({ name }) => name === mirror.name);
      await proveMirror(store.objects, mirror, { old, signal });
    }
    before = document;
  }
}

async function proveMirror(
  objects: ObjectStore,
  mirror: SnapshotMirror,
  { old, signal }: { readonly old: SnapshotMirror | undefined; readonly signal: AbortSignal | undefined },
): Promise<void> {
  for (const sha256 of evidenceObjects(mirror)) {
    if ((await objects.stat(sha256)) === undefined) throw absent(mirror, 'its evidence', sha256);
  }
  const { root } = mirror.manifest;
  if (old?.manifest.root === root) return;
  if ((await objects.stat(root)) === undefined) throw absent(mirror, 'its manifest', root);
  for await (const { sha256, sizeBytes } of manifestObjects(objects, root)) {
    if ((await objects.stat(sha256))?.sizeBytes !== sizeBytes) throw absent(mirror, 'a chunk of its manifest', sha256);
  }
  let batch: ManifestEntry[] = [];
  const check = async (): Promise<void> => {
    throwIfCancelled(signal, 'import');
    await Promise.all(
      batch.map(async ({ path, sha256, sizeBytes }) => {
        if ((await objects.stat(sha256))?.sizeBytes !== sizeBytes) throw absent(mirror, path, sha256);
      }),
    );
    batch = [];
  };
  for await (const entry of entriesSince(objects, mirror, old)) {
    batch.push(entry);
    if (batch.length >= PARALLEL) await check();
  }
  await check();
}

async function* entriesSince(
  objects: ObjectStore,
  { manifest }: SnapshotMirror,
  old: SnapshotMirror | undefined,
): AsyncGenerator<ManifestEntry> {
  if (old === undefined) {
    yield* readManifest(objects, manifest.root);
    return;
  }
  for await (const { after } of diffManifests(objects, old.manifest.root, manifest.root)) {
    if (after !== undefined) yield after;
  }
}

function absent(mirror: SnapshotMirror, path: string, sha256: Sha256): KubedosError {
  return new KubedosError(
    'bundle.invalid',
    `import mirror ${mirror.name}: ${path} names object ${sha256}, which is neither in the bundle nor here`,
    {
      hint: 'the base on this side may be damaged: run `kubedos store check`; otherwise ask for a full bundle',
      details: { mirror: mirror.name, path, sha256 },
    },
  );
}
