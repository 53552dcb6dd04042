import { KubedosError } from '../errors.ts';
import type { ExternalKey, KeyFolder } from './key-folder.ts';
import type { RootFolder } from './root-folder.ts';
import { rootKeyOf } from './roots.ts';
import type { KeyAlgorithm } from './signing-key.ts';
import type { Fingerprint, SigningKey } from './types.ts';

/** A key to be made, or one that GnuPG keeps. */
export type WantedKey = { readonly userId: string; readonly algorithm: KeyAlgorithm } | ExternalKey;

export interface Rotation {
  readonly wanted: WantedKey;
  readonly passphrase?: string | undefined;
  readonly now: Date;
  /** The key before was stolen or lost: nothing that it signed counts any more. Otherwise older snapshots stay good. */
  readonly revokeOld: boolean;
  /** Told the new key when the root names it and before it is the one in use; told again after a kill. */
  readonly beforeUse?: ((key: SigningKey) => Promise<void>) | undefined;
}

/**
 * Gives a store a new signing key under its root key. The root comes before the key is used, so that nothing is ever
 * signed by a key that no root names; killed anywhere, the same call goes on with the same new key.
 */
export async function rotateSigningKey(
  folders: { readonly keys: KeyFolder; readonly roots: RootFolder },
  { wanted, passphrase, now, revokeOld, beforeUse }: Rotation,
): Promise<Fingerprint> {
  const { keys, roots } = folders;
  if ((await keys.publicArmored()) === undefined) {
    throw new KubedosError('trust.no-key', 'rotate the signing key: this store has none');
  }
  const next = await keys.prepare('gnupg' in wanted ? wanted : { ...wanted, passphrase, date: now });
  const named = await roots.currentSigningKeys();
  if (!named.includes(next.info.fingerprint)) await roots.rotate(rootKeyOf(next), { now, passphrase, revokeOld });
  await beforeUse?.(next);
  await keys.promote(next);
  return next.info.fingerprint;
}
