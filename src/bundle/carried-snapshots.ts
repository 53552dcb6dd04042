/** The snapshot documents of a bundle, each verified on its own: signed by the sender, and what the root names. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { parseSnapshot, snapshotId } from '../store/snapshot-document.ts';
import type { SnapshotDocument } from '../store/types.ts';
import type { Keyring } from '../trust/types.ts';
import { snapshotName } from './document-names.ts';
import { readOrdinary } from './documents.ts';
import type { FoundBundle } from './medium.ts';

export interface CarriedSnapshot {
  readonly id: string;
  readonly document: SnapshotDocument;
  readonly bytes: Buffer;
  readonly signature: string;
}

const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
const MAX_SIGNATURE_BYTES = 64 * 1024;

/** In the order of the root. Any volume may supply each of them. */
export async function readSnapshots(found: FoundBundle, keyring: Keyring): Promise<CarriedSnapshot[]> {
  const snapshots: CarriedSnapshot[] = [];
  for (const one of found.bundle.root.snapshots) snapshots.push(await readSnapshot(found, one, keyring));
  return snapshots;
}

async function readSnapshot(
  { bundle, volumes }: FoundBundle,
  { id, sha256 }: { readonly id: string; readonly sha256: string },
  keyring: Keyring,
): Promise<CarriedSnapshot> {
  let failure: unknown;
  for (const { folder } of volumes) {
    const file = join(folder, snapshotName(id));
    const bytes = await readOrdinary(file, MAX_DOCUMENT_BYTES);
    const signature = (await readOrdinary(`${file}.asc`, MAX_SIGNATURE_BYTES))?.toString();
    if (bytes === undefined || signature === undefined || hash('sha256', bytes, 'hex') !== sha256) continue;
    try {
      await keyring.verifyDetached(bytes, signature, `snapshot ${id}`);
    } catch (error) {
      // Another volume may hold a signature that is not damaged.
      failure ??= error;
      continue;
    }
    const document = parseSnapshot(bytes, `snapshot ${id} of bundle ${bundle.id}`);
    if (document.store !== bundle.root.store || snapshotId(document.sequence, bytes) !== id) {
      throw new KubedosError(
        'bundle.invalid',
        `read snapshot ${id}: it is of store ${document.store}, the bundle is of ${bundle.root.store}`,
      );
    }
    return { id, document, bytes, signature };
  }
  throw (
    failure ??
    new KubedosError('bundle.damaged', `read snapshot ${id} of bundle ${bundle.id}: no volume holds it undamaged`)
  );
}
