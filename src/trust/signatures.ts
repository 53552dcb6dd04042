import { createMessage, enums, type Key, readSignature, type SignaturePacket, type Subkey } from 'openpgp';
import { KubedosError } from '../errors.ts';
import { expiryOf, fingerprintOf } from './key-info.ts';
import { AT_ANY_TIME, POLICY, WEAK_HASHES } from './policy.ts';
import type { Fingerprint, Signer, Verified } from './types.ts';

/** InReleases of Debian carry three; a thousand would only cost time. */
const MAX_SIGNATURES = 32;

/** A key and which of its parts may sign: all of them where the primary is pinned, else the pinned subkeys. */
export interface TrustedKey {
  readonly key: Key;
  readonly signers: readonly (Key | Subkey)[];
}

export interface Check {
  readonly content: Uint8Array;
  readonly signature: Uint8Array | string;
  readonly origin: string;
  readonly now: Date;
  /** Clearsigned text is signed as text (RFC 9580 §5.2.1.2); a detached signature may be of either kind. */
  readonly textOnly: boolean;
}

type Verdict = { readonly good: Signer } | { readonly code: Refusal; readonly what: string };
/** In the order in which they are reported: the first says most. */
const REFUSALS = ['trust.bad-signature', 'trust.key-revoked', 'trust.expired', 'trust.key-unknown'] as const;
type Refusal = (typeof REFUSALS)[number];

/**
 * One good signature by a trusted key suffices; others may be bad or by strangers. Time is judged as gpgv does:
 * a key that has expired since it signed is still good for what it signed (Signer.keyExpires lets the caller warn);
 * a signature made after its key's expiry is not, nor one that has expired itself. Stricter than gpgv: a revoked key
 * vouches for nothing, whenever it signed, and MD5, SHA-1 and RIPEMD-160 are refused.
 */
export async function verifySignatures(trusted: readonly TrustedKey[], check: Check): Promise<Verified> {
  const packets = await signaturePackets(check);
  const verdicts: Verdict[] = [];
  for (const packet of packets) verdicts.push(await judge(packet, trusted, check));
  const signers = verdicts.flatMap((verdict) => ('good' in verdict ? [verdict.good] : []));
  if (signers.length > 0) return { signers };

  const refused = verdicts.flatMap((verdict) => ('good' in verdict ? [] : [verdict]));
  const code = REFUSALS.find((candidate) => refused.some((verdict) => verdict.code === candidate));
  if (code === undefined) throw new KubedosError('trust.unsigned', `verify ${check.origin}: there is no signature`);
  const found = refused.map((verdict) => verdict.what).join('; ');
  const expected = trusted.flatMap(({ signers }) => signers.map(fingerprintOf));
  throw new KubedosError(code, `verify ${check.origin}: ${found}; expected one of ${expected.join(', ')}`, {
    hint:
      code === 'trust.key-unknown'
        ? 'if upstream changed its key, prove the new fingerprint by another way and add it to the spec'
        : undefined,
    details: { expected, signedBy: packets.map(issuerOf) },
  });
}

async function signaturePackets({ signature, origin }: Check): Promise<SignaturePacket[]> {
  try {
    const read = isBinary(signature)
      ? await readSignature({ binarySignature: signature, config: POLICY })
      : await readSignature({ armoredSignature: text(signature), config: POLICY });
    const packets = read.packets.filterByTag(enums.packet.signature);
    if (packets.length > MAX_SIGNATURES) throw new Error(`more than ${MAX_SIGNATURES} signatures`);
    return [...packets];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KubedosError('trust.bad-signature', `verify ${origin}: the signature cannot be read: ${reason}`, {
      cause,
    });
  }
}

/** The first octet of a binary packet has its high bit set; armour has not (RFC 9580 §4.2). */
function isBinary(signature: Uint8Array | string): signature is Uint8Array {
  return typeof signature !== 'string' && ((signature[0] ?? 0) & 0x80) !== 0;
}

function text(signature: Uint8Array | string): string {
  if (typeof signature === 'string') return signature;
  return Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength).toString('latin1');
}

/** The fingerprint where the signature tells it, else the key id. */
function issuerOf(packet: SignaturePacket): string {
  if (packet.issuerFingerprint !== null) return Buffer.from(packet.issuerFingerprint).toString('hex').toUpperCase();
  return packet.issuerKeyID.toHex().toUpperCase();
}

async function judge(packet: SignaturePacket, trusted: readonly TrustedKey[], check: Check): Promise<Verdict> {
  const issuer = issuerOf(packet);
  const match = trusted
    .flatMap(({ key, signers }) => signers.map((signer) => ({ key, signer })))
    .find(({ signer }) => fingerprintOf(signer) === issuer || signer.getKeyID().toHex().toUpperCase() === issuer);
  if (match === undefined) return { code: 'trust.key-unknown', what: `signed by ${issuer}` };
  const { key, signer } = match;
  const name = fingerprintOf(signer);
  const bad = (why: string): Verdict => ({ code: 'trust.bad-signature', what: `signature by ${name} ${why}` });

  const { signatureType: type, hashAlgorithm, created } = packet;
  if (type !== enums.signature.text && (check.textOnly || type !== enums.signature.binary)) {
    return bad('is of a kind that signs something else');
  }
  if (hashAlgorithm === null || WEAK_HASHES.has(hashAlgorithm)) {
    return bad(`uses the weak hash ${hashAlgorithm === null ? 'none' : enums.read(enums.hash, hashAlgorithm)}`);
  }
  if (created === null) return bad('does not say when it was made');
  try {
    const message = await createMessage({ binary: check.content });
    const [literal] = message.packets;
    if (literal === undefined) throw new Error('no literal packet');
    await packet.verify(signer.keyPacket, type, literal, AT_ANY_TIME, true, POLICY);
  } catch (cause) {
    return bad(`does not fit (${cause instanceof Error ? cause.message : String(cause)})`);
  }
  return (await judgeKey(key, signer, created)) ?? judgeTime(packet, key, signer, created, check.now);
}

/** Whether the key may sign at all. */
async function judgeKey(key: Key, signer: Key | Subkey, signedAt: Date): Promise<Verdict | undefined> {
  const name = fingerprintOf(signer);
  if ((await key.isRevoked(undefined, undefined, AT_ANY_TIME, POLICY)) || (await subkeyRevoked(key, signer))) {
    return { code: 'trust.key-revoked', what: `signed by ${name}, which is revoked` };
  }
  if (signedAt < signer.getCreationTime()) {
    return { code: 'trust.key-revoked', what: `signed by ${name} before that key was made` };
  }
  try {
    // Self-signatures, the subkey's binding both ways, key flags, algorithm and strength.
    const found = await key.getSigningKey(signer.getKeyID(), null, undefined, POLICY);
    if (fingerprintOf(found) === name) return undefined;
    return { code: 'trust.bad-signature', what: `signed by ${name}, which is not for signing` };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { code: 'trust.bad-signature', what: `signed by ${name}, which is not fit for signing (${why})` };
  }
}

async function subkeyRevoked(key: Key, signer: Key | Subkey): Promise<boolean> {
  if (!('mainKey' in signer)) return false;
  const none = undefined as unknown as SignaturePacket;
  return signer.isRevoked(none, key.keyPacket, AT_ANY_TIME, POLICY);
}

async function judgeTime(
  packet: SignaturePacket,
  key: Key,
  signer: Key | Subkey,
  signedAt: Date,
  now: Date,
): Promise<Verdict> {
  const name: Fingerprint = fingerprintOf(signer);
  const ends = [await expiryOf(key), await expiryOf(signer)].filter((date) => date !== null);
  const keyExpires = ends.length === 0 ? null : new Date(Math.min(...ends.map((date) => date.getTime())));
  if (keyExpires !== null && signedAt >= keyExpires) {
    return { code: 'trust.expired', what: `signed by ${name} after its expiry of ${keyExpires.toISOString()}` };
  }
  const signatureExpires = packet.getExpirationTime();
  if (signatureExpires instanceof Date && now >= signatureExpires) {
    return { code: 'trust.expired', what: `signature by ${name} expired on ${signatureExpires.toISOString()}` };
  }
  return { good: { primary: fingerprintOf(key), key: name, signedAt, keyExpires } };
}
