import type { Key, Subkey } from 'openpgp';
import { AT_ANY_TIME, POLICY } from './policy.ts';
import type { Fingerprint, PublicKeyInfo } from './types.ts';

export function fingerprintOf(key: Key | Subkey): Fingerprint {
  return key.getFingerprint().toUpperCase();
}

/** When the key ends: null for never. A key without a valid self-signature never began; that is found when it is used. */
export async function expiryOf(key: Key | Subkey): Promise<Date | null> {
  const expiry =
    'mainKey' in key
      ? await key.getExpirationTime(AT_ANY_TIME, POLICY)
      : await key.getExpirationTime(undefined, POLICY);
  return expiry instanceof Date ? expiry : null;
}

export async function publicKeyInfo(key: Key): Promise<PublicKeyInfo> {
  const { algorithm, bits, curve } = key.getAlgorithmInfo();
  return {
    fingerprint: fingerprintOf(key),
    subkeys: key.subkeys.map(fingerprintOf),
    userIds: key.getUserIDs(),
    algorithm: bits === undefined ? (curve ?? algorithm).replace(/Legacy$/, '') : `rsa${bits}`,
    created: key.getCreationTime(),
    expires: await expiryOf(key),
    revoked: await key.isRevoked(undefined, undefined, AT_ANY_TIME, POLICY),
  };
}
