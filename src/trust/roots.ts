/**
 * The chain of roots. Version 1 is signed by its own root key, each next one by the root key of the one before and,
 * where the root key changes, by its own as well: whoever knows the first fingerprint can follow to the last, and
 * nobody can name a root key that is not theirs. Offline, the root key outlives a stolen signing key (TUF's root role,
 * theupdateframework.github.io/specification, §5.3).
 */
import { KubedosError } from '../errors.ts';
import { loadKeyring } from './keyring.ts';
import {
  parseRoot,
  ROOT_FORMAT,
  type RootDocument,
  type RootKey,
  type SignedRoot,
  signedRoot,
  writeRoot,
} from './root-document.ts';
import { joinSignatures } from './sign.ts';
import type { Fingerprint, Keyring, SigningKey } from './types.ts';

/** A root a week for ten years. */
const MAX_ROOTS = 520;

export function rootKeyOf(key: Pick<SigningKey, 'info' | 'publicArmored'>): RootKey {
  return { fingerprint: key.info.fingerprint, publicKey: key.publicArmored() };
}

export interface FirstRoot {
  readonly store: string;
  readonly rootKey: SigningKey;
  readonly signingKeys: readonly RootKey[];
  readonly now: Date;
}

/** Version 1. */
export async function createRoot({ store, rootKey, signingKeys, now }: FirstRoot): Promise<SignedRoot> {
  const document: RootDocument = {
    format: ROOT_FORMAT,
    revoked: [],
    rootKey: rootKeyOf(rootKey),
    signingKeys: [...signingKeys],
    store,
    time: wholeSeconds(now),
    version: 1,
  };
  const bytes = writeRoot(document);
  return signedRoot(1, bytes, await rootKey.detached(bytes, now));
}

/** What changes; the rest stays as it was. */
export interface RootChange {
  readonly signingKeys?: readonly RootKey[] | undefined;
  readonly rootKey?: SigningKey | undefined;
  /** Beside those revoked before. */
  readonly revoke?: readonly Fingerprint[] | undefined;
}

/** The version after `previous`, signed by the root key that `previous` names (and by the new one, if there is one). */
export async function nextRoot(
  previous: RootDocument,
  change: RootChange,
  by: { readonly rootKey: SigningKey; readonly now: Date },
): Promise<SignedRoot> {
  const { rootKey, now } = by;
  if (rootKey.info.fingerprint !== previous.rootKey.fingerprint) {
    throw new KubedosError(
      'trust.key-mismatch',
      `sign root ${previous.version + 1}: by ${rootKey.info.fingerprint}, expected root key ${previous.rootKey.fingerprint}`,
    );
  }
  const revoked = [...new Set([...previous.revoked, ...(change.revoke ?? [])])].sort();
  const document: RootDocument = {
    ...previous,
    revoked,
    rootKey: change.rootKey === undefined ? previous.rootKey : rootKeyOf(change.rootKey),
    signingKeys: (change.signingKeys ?? previous.signingKeys).filter((key) => !revoked.includes(key.fingerprint)),
    time: wholeSeconds(now),
    version: previous.version + 1,
  };
  if (document.signingKeys.length === 0) {
    throw new KubedosError('usage.argument', `sign root ${document.version}: it would leave no key to sign with`, {
      hint: 'name a new signing key in the same step',
    });
  }
  const bytes = writeRoot(document);
  const signers = change.rootKey === undefined ? [rootKey] : [rootKey, change.rootKey];
  const signatures = await Promise.all(signers.map((signer) => signer.detached(bytes, now)));
  return signedRoot(document.version, bytes, await joinSignatures(signatures));
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
  /** Keys that the newest root names: what is made from now on must be signed by one of these. */
  readonly signing: Keyring;
  /** Every signing key that the chain ever named and did not revoke: older snapshots stay verifiable. */
  readonly keyring: Keyring;
}

/** Follows the chain, oldest first; refuses gaps, forks, rollback, another store and signatures that do not hold. */
export async function verifyChain(
  roots: readonly Omit<SignedRoot, 'sha256'>[],
  trust: ChainTrust,
): Promise<TrustedChain> {
  const origin = `roots of store ${trust.store}`;
  if (roots.length > MAX_ROOTS) throw broken(`${origin}: there are more than ${MAX_ROOTS}`);
  const keys = new Map<Fingerprint, RootKey>();
  let previous: RootDocument | undefined;
  for (const [index, root] of roots.entries()) {
    const here = `${origin}, version ${index + 1}`;
    const document = parseRoot(root.bytes, here);
    checkContinues(document, previous, { ...trust, version: index + 1, origin: here });
    await checkSigned(root, document, previous, here);
    const { sha256 } = signedRoot(root.version, root.bytes, root.signature);
    if (trust.known?.version === index + 1 && sha256 !== trust.known.sha256) {
      throw broken(`${here}: it is another than the one accepted before, the chain forks`);
    }
    for (const key of document.signingKeys) keys.set(key.fingerprint, key);
    previous = document;
  }
  if (previous === undefined) throw new KubedosError('trust.no-key', `${origin}: there is none`);
  const current = previous;
  if (trust.known !== undefined && current.version < trust.known.version) {
    throw new KubedosError(
      'trust.rollback',
      `${origin}: ends at version ${current.version}, ${trust.known.version} was accepted before`,
    );
  }
  const named = [...keys.values()].filter((key) => !current.revoked.includes(key.fingerprint));
  return { current, signing: await keyringOf(current.signingKeys, origin), keyring: await keyringOf(named, origin) };
}

function checkContinues(
  document: RootDocument,
  previous: RootDocument | undefined,
  at: ChainTrust & { readonly version: number; readonly origin: string },
): void {
  const { origin, version } = at;
  if (document.version !== version) throw broken(`${origin}: version ${document.version} stands in its place`);
  if (document.store !== at.store) throw broken(`${origin}: it is of store ${document.store}`);
  if (previous === undefined && document.rootKey.fingerprint !== at.pinned) {
    throw new KubedosError(
      'trust.key-unknown',
      `${origin}: the first root key is ${document.rootKey.fingerprint}, pinned is ${at.pinned}`,
    );
  }
  const forgotten = previous?.revoked.filter((key) => !document.revoked.includes(key)) ?? [];
  if (forgotten.length > 0) throw broken(`${origin}: it takes back the revocation of ${forgotten.join(', ')}`);
  const revived = [document.rootKey, ...document.signingKeys].find((key) => document.revoked.includes(key.fingerprint));
  if (revived !== undefined) {
    throw new KubedosError('trust.key-revoked', `${origin}: it names the revoked key ${revived.fingerprint}`);
  }
}

async function checkSigned(
  root: Pick<SignedRoot, 'bytes' | 'signature'>,
  document: RootDocument,
  previous: RootDocument | undefined,
  origin: string,
): Promise<void> {
  const before = previous?.rootKey ?? document.rootKey;
  for (const key of before.fingerprint === document.rootKey.fingerprint ? [before] : [before, document.rootKey]) {
    await (await keyringOf([key], origin)).verifyDetached(root.bytes, root.signature, origin);
  }
}

function keyringOf(keys: readonly RootKey[], origin: string): Promise<Keyring> {
  return loadKeyring(
    keys.map((key) => Buffer.from(key.publicKey)),
    keys.map((key) => key.fingerprint),
    { origin },
  );
}

function wholeSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function broken(message: string): KubedosError {
  return new KubedosError('trust.bad-signature', message, {
    hint: 'ask the sender; accept no root by other means than the pinned one',
  });
}
