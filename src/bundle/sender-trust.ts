/** Whose bundle it is: the chain of roots from one that was pinned here before the bundle came, then the signature. */

import { hash } from 'node:crypto';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { Keyring } from '../trust/types.ts';
import { rootName } from './document-names.ts';
import { readOrdinary } from './documents.ts';
import type { FoundBundle } from './medium.ts';
import { ROOT_NAME, ROOT_SIGNATURE_NAME } from './names.ts';
import type { CarriedRoot } from './prepare.ts';

/** What the pinned root of a sender says today. */
export interface SenderTrust {
  /** Keys that the newest root names: bundles are made now, so one of these must have signed. */
  readonly signing: Keyring;
  /** Every key that the chain ever named and did not revoke: snapshots may be older than the last change of keys. */
  readonly keyring: Keyring;
  /** From now on the newest root of the chain is the pinned one. */
  commit(): Promise<void>;
}

/** Follows the chain from the root pinned for that store; `trust.key-unknown` where none is. Given by the wiring. */
export type FollowRoots = (sender: string, roots: readonly CarriedRoot[]) => Promise<SenderTrust>;

const MAX_SMALL_BYTES = 1024 * 1024;

/** Nothing of the bundle but its root documents and its root's bytes is looked at before this is through. */
export async function verifySender(found: FoundBundle, followRoots: FollowRoots): Promise<SenderTrust> {
  const { bundle, volumes } = found;
  const roots = await readRoots(found);
  const trust = await followRoots(bundle.root.store, roots);
  let failure: unknown;
  for (const { folder } of volumes) {
    const signature = await readOrdinary(join(folder, ROOT_SIGNATURE_NAME), MAX_SMALL_BYTES);
    if (signature === undefined) continue;
    try {
      await trust.signing.verifyDetached(bundle.bytes, signature.toString(), `${ROOT_NAME} of bundle ${bundle.id}`);
      return trust;
    } catch (error) {
      failure ??= error;
    }
  }
  throw (
    failure ??
    new KubedosError('trust.unsigned', `verify bundle ${bundle.id}: there is no ${ROOT_SIGNATURE_NAME} on any volume`)
  );
}

/** From the first volume that has each as the signed root names it; the chain itself is checked by `followRoots`. */
async function readRoots({ bundle, volumes }: FoundBundle): Promise<CarriedRoot[]> {
  const roots: CarriedRoot[] = [];
  for (const { version, sha256 } of bundle.root.roots) {
    for (const { folder } of volumes) {
      const bytes = await readOrdinary(join(folder, rootName(version)), MAX_SMALL_BYTES);
      const signature = await readOrdinary(join(folder, `${rootName(version)}.asc`), MAX_SMALL_BYTES);
      if (bytes === undefined || signature === undefined || hash('sha256', bytes, 'hex') !== sha256) continue;
      roots.push({ version, bytes, signature: signature.toString(), sha256 });
      break;
    }
  }
  return roots;
}
