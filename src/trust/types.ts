/** What the rest of the house sees of OpenPGP. The implementation is openpgp.js, or an external gpg for a key that lives there. */

/** Upper-case hexadecimal, 40 digits (v4) or 64 (v6), no spaces. */
export type Fingerprint = string;

export interface Signer {
  /** The primary key's. */
  readonly primary: Fingerprint;
  /** The key that made the signature: the primary or a subkey of it. */
  readonly key: Fingerprint;
  readonly signedAt: Date;
  /** When the key ends (null: never). May be past: a key that expired after it signed is still good for what it signed. */
  readonly keyExpires?: Date | null;
}

/** Good signatures of pinned keys; there is at least one. */
export interface Verified {
  readonly signers: readonly Signer[];
}

export interface PublicKeyInfo {
  readonly fingerprint: Fingerprint;
  readonly subkeys: readonly Fingerprint[];
  readonly userIds: readonly string[];
  readonly algorithm: string;
  readonly created: Date;
  readonly expires: Date | null;
  readonly revoked: boolean;
}

/** A set of public keys narrowed to the pinned fingerprints (of primary keys or subkeys). */
export interface Keyring {
  readonly keys: readonly PublicKeyInfo[];
  /** OpenPGP binary packets of all keys: what gpgv reads as a .gpg file. */
  binary(): Uint8Array;
  /** ASCII armour of all keys: what Signed-By embeds. */
  armored(): string;
  /**
   * The signed content of an InRelease (RFC 9580 §7): refuses text around the block (`trust.text-around`),
   * no block (`trust.unsigned`), no good signature of a pinned key (`trust.key-unknown`, `trust.bad-signature`,
   * `trust.key-revoked`, `trust.expired`). The content has its trailing white space as it was signed.
   */
  verifyClearsigned(bytes: Uint8Array, origin: string): Promise<Verified & { readonly content: Buffer }>;
  /** A detached signature, binary or armoured. Errors as above. */
  verifyDetached(content: Uint8Array, signature: Uint8Array | string, origin: string): Promise<Verified>;
}

/** A private key at work: ours, unlocked, or one in an external GnuPG. */
export interface SigningKey {
  readonly info: PublicKeyInfo;
  /** Detached, armoured. Deterministic where the algorithm is, given `date`. */
  detached(bytes: Uint8Array, date?: Date): Promise<string>;
  /** Detached, binary or armoured signature beside a clearsigned copy, for Release.gpg and InRelease. */
  clearsign(text: string, date?: Date): Promise<string>;
  publicArmored(): string;
}
