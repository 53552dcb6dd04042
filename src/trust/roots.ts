/**
 * The chain of roots: who may sign for a store, and how that changes. Version 1 is signed by its own root key, each
 * next one by the root key of the one before, so that whoever knows the first fingerprint can follow to the last.
 * Offline, the root key outlives a stolen signing key (TUF's root role). docs/formats.md has the document.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import { loadKeyring } from './keyring.ts';
import type { Fingerprint, Keyring, SigningKey } from './types.ts';

export const ROOT_FORMAT = 'kubedos-root/1';

const keySchema = z.strictObject({ fingerprint: z.string(), publicKey: z.string() });
const rootSchema = z.strictObject({
  format: z.literal(ROOT_FORMAT),
  revoked: z.array(z.string()),
  rootKey: keySchema,
  signingKeys: z.array(keySchema),
  store: z.string(),
  time: z.string(),
  version: z.int().min(1),
});

export type RootDocument = Readonly<z.output<typeof rootSchema>>;
export type RootKey = Readonly<z.output<typeof keySchema>>;

export interface SignedRoot {
  readonly version: number;
  readonly bytes: Buffer;
  /** Detached, armoured, by the root key of the version before (of itself in version 1). */
  readonly signature: string;
  readonly sha256: string;
}

export interface NewRoot {
  readonly store: string;
  /** The root before, none for version 1. */
  readonly previous?: RootDocument | undefined;
  readonly rootKey: RootKey;
  readonly signingKeys: readonly RootKey[];
  /** Beside those that were revoked before. */
  readonly revoked?: readonly Fingerprint[] | undefined;
  readonly now: Date;
  /** The root key of the version before, or the new one for version 1. */
  readonly signer: SigningKey;
}

export async function signRoot(wanted: NewRoot): Promise<SignedRoot> {
  const { previous, rootKey, store, now } = wanted;
  const document: RootDocument = {
    format: ROOT_FORMAT,
    revoked: [...new Set([...(previous?.revoked ?? []), ...(wanted.revoked ?? [])])].sort(),
    rootKey: { fingerprint: rootKey.fingerprint, publicKey: rootKey.publicKey },
    signingKeys: wanted.signingKeys.map(({ fingerprint, publicKey }) => ({ fingerprint, publicKey })),
    store,
    time: `${now.toISOString().slice(0, 19)}Z`,
    version: (previous?.version ?? 0) + 1,
  };
  const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
  return signedRoot(document.version, bytes, await wanted.signer.detached(bytes, now));
}

export function signedRoot(version: number, bytes: Buffer, signature: string): SignedRoot {
  return { version, bytes, signature, sha256: createHash('sha256').update(bytes).digest('hex') };
}

export interface ChainTrust {
  readonly store: string;
  /** Fingerprint of the root key of version 1, which the operator pinned. */
  readonly pinned: Fingerprint;
  /** The newest root that was accepted before; older chains and forks are refused. */
  readonly known?: { readonly version: number; readonly sha256: string } | undefined;
}

export interface TrustedChain {
  readonly current: RootDocument;
  /** Every signing key that the chain ever named and did not revoke: older snapshots stay verifiable. */
  readonly keyring: Keyring;
}

/** Follows the chain, oldest first; refuses gaps, forks, rollback, another store and signatures that do not hold. */
export async function verifyChain(
  roots: readonly Omit<SignedRoot, 'sha256'>[],
  trust: ChainTrust,
): Promise<TrustedChain> {
  const origin = `roots of store ${trust.store}`;
  const keys = new Map<Fingerprint, string>();
  let signer: RootKey | undefined;
  let current: RootDocument | undefined;
  for (const [index, root] of roots.entries()) {
    const document = parseRoot(root.bytes, `${origin}, version ${index + 1}`);
    if (document.version !== index + 1)
      throw broken(`${origin}: version ${document.version} stands where ${index + 1} must`);
    if (document.store !== trust.store) throw broken(`${origin}: version ${index + 1} is of store ${document.store}`);
    if (signer === undefined && document.rootKey.fingerprint !== trust.pinned) {
      throw new KubedosError(
        'trust.key-unknown',
        `${origin}: the first root key is ${document.rootKey.fingerprint}, pinned is ${trust.pinned}`,
      );
    }
    signer ??= document.rootKey;
    const keyring = await loadKeyring([Buffer.from(signer.publicKey)], [signer.fingerprint]);
    await keyring.verifyDetached(root.bytes, root.signature, `${origin}, version ${index + 1}`);
    if (trust.known?.version === index + 1 && signedRoot(1, root.bytes, '').sha256 !== trust.known.sha256) {
      throw broken(`${origin}: version ${index + 1} is another than the one accepted before`);
    }
    for (const key of document.signingKeys) keys.set(key.fingerprint, key.publicKey);
    signer = document.rootKey;
    current = document;
  }
  if (current === undefined) throw new KubedosError('trust.no-key', `${origin}: there is none`);
  if (trust.known !== undefined && current.version < trust.known.version) {
    throw new KubedosError(
      'trust.rollback',
      `${origin}: ends at version ${current.version}, ${trust.known.version} was accepted before`,
    );
  }
  for (const revoked of current.revoked) keys.delete(revoked);
  const files = [...keys.values()].map((text) => Buffer.from(text));
  return { current, keyring: await loadKeyring(files, [...keys.keys()]) };
}

export function parseRoot(bytes: Uint8Array, origin: string): RootDocument {
  try {
    return rootSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new KubedosError('format.syntax', `${origin}: not a root document`, { cause });
  }
}

function broken(message: string): KubedosError {
  return new KubedosError('trust.bad-signature', message, {
    hint: 'ask the sender; accept no root by other means than the pinned one',
  });
}
