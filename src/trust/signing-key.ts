import { decryptKey, generateKey, type PrivateKey, readKey, readPrivateKey } from 'openpgp';
import { KubedosError } from '../errors.ts';
import { publicKeyInfo } from './key-info.ts';
import { POLICY } from './policy.ts';
import { signatureMaker } from './sign.ts';
import type { PublicKeyInfo, SigningKey } from './types.ts';

export type KeyAlgorithm = 'ed25519' | 'rsa4096';

export interface NewSigningKey {
  /** `Name <mail@example.org>`, or a name alone. */
  readonly userId: string;
  readonly algorithm: KeyAlgorithm;
  /** Encrypts the private half (iterated and salted S2K, AES-256: what every GnuPG reads). Without it, guard the file. */
  readonly passphrase?: string | undefined;
  readonly date: Date;
}

export interface CreatedKey {
  readonly info: PublicKeyInfo;
  readonly privateArmored: string;
  readonly publicArmored: string;
  /** Publishing this ends the key; keep it apart from the key. */
  readonly revocationCertificate: string;
}

/**
 * A new key that certifies and signs, without subkeys and without expiry: an air gap has no way to renew it, the chain
 * of roots is how keys are changed. Version 4, Ed25519 as GnuPG writes it since 2.1 (algorithm 22), so that apt of
 * Ubuntu 20.04 and Debian 10 reads it; RSA-4096 for what is older.
 */
export async function createSigningKey(wanted: NewSigningKey): Promise<CreatedKey> {
  const [, name, email] = /^(.*?)(?:\s*<([^<>]+)>)?$/.exec(wanted.userId.trim()) ?? [];
  const created = await generateKey({
    ...(wanted.algorithm === 'ed25519'
      ? { type: 'ecc', curve: 'ed25519Legacy' as const }
      : { type: 'rsa', rsaBits: 4096 }),
    userIDs: { ...(name ? { name } : {}), ...(email === undefined ? {} : { email }) },
    subkeys: [],
    date: wanted.date,
    ...(wanted.passphrase === undefined ? {} : { passphrase: wanted.passphrase }),
    format: 'armored',
    config: POLICY,
  });
  const key = await readKey({ armoredKey: created.publicKey, config: POLICY });
  return {
    info: await publicKeyInfo(key),
    privateArmored: unixLines(created.privateKey),
    publicArmored: unixLines(created.publicKey),
    revocationCertificate: unixLines(created.revocationCertificate),
  };
}

/** The key at work. Takes what `gpg --export-secret-keys --armor` writes, too, also with an offline primary. */
export async function unlockSigningKey(privateArmored: string, passphrase?: string): Promise<SigningKey> {
  const locked = await readPrivate(privateArmored);
  const key = locked.isDecrypted() ? locked : await unlock(locked, passphrase);
  const info = await publicKeyInfo(key);
  const publicArmored = unixLines(key.toPublic().armor(POLICY));
  return { info, publicArmored: () => publicArmored, ...signatureMaker(key, info) };
}

async function readPrivate(privateArmored: string): Promise<PrivateKey> {
  try {
    return await readPrivateKey({ armoredKey: privateArmored, config: POLICY });
  } catch (cause) {
    // The cause is left out on purpose: it may quote what it could not parse.
    throw new KubedosError(
      'trust.passphrase',
      `read the private key: not an armoured private key (${cause instanceof Error ? cause.name : 'Error'})`,
    );
  }
}

async function unlock(privateKey: PrivateKey, passphrase: string | undefined): Promise<PrivateKey> {
  const name = privateKey.getFingerprint().toUpperCase();
  if (passphrase === undefined || passphrase === '') {
    throw new KubedosError('trust.passphrase', `unlock the private key ${name}: it has a passphrase, none was given`);
  }
  try {
    return await decryptKey({ privateKey, passphrase, config: POLICY });
  } catch (cause) {
    throw new KubedosError('trust.passphrase', `unlock the private key ${name}: the passphrase is not the right one`, {
      cause,
    });
  }
}

function unixLines(armored: string): string {
  return armored.replaceAll('\r\n', '\n');
}
