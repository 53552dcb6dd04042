import { KubedosError } from '../errors.ts';
import type { KeyFolder } from './key-folder.ts';
import type { RootFolder } from './root-folder.ts';
import type { KeyAlgorithm } from './signing-key.ts';
import type { Fingerprint } from './types.ts';

export interface Rotation {
  readonly userId: string;
  readonly algorithm: KeyAlgorithm;
  readonly passphrase?: string | undefined;
  readonly now: Date;
  /** The key before was stolen or lost: nothing that it signed counts any more. Otherwise older snapshots stay good. */
  readonly revokeOld: boolean;
}

/**
 * Gives a store a new signing key under its root key. The root comes before the key is used, so that nothing is ever
 * signed by a key that no root names; killed anywhere, the same call goes on with the same new key.
 */
export async function rotateSigningKey(
  folders: { readonly keys: KeyFolder; readonly roots: RootFolder },
  { revokeOld, ...wanted }: Rotation,
): Promise<Fingerprint> {
  const { keys, roots } = folders;
  if ((await keys.publicArmored()) === undefined) {
    throw new KubedosError('trust.no-key', 'rotate the signing key: this store has none');
  }
  const next = await keys.prepare({ ...wanted, date: wanted.now });
  const named = await roots.currentSigningKeys();
  if (!named.includes(next.fingerprint)) await roots.rotate(next, { ...wanted, revokeOld });
  await keys.promote(next);
  return next.fingerprint;
}
