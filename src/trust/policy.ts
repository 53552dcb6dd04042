import { type Config, config, enums } from 'openpgp';

/**
 * What openpgp.js is told. Hashes of self-signatures: MD5 and RIPEMD-160 are refused, SHA-1 is taken, as gpgv does:
 * many vendors' keys are that old, and what we trust a key for is the pinned fingerprint, not what it says of itself.
 * Hashes of signatures on data are judged in signatures.ts, more strictly than gpgv does.
 */
export const POLICY: Config = {
  ...config,
  rejectHashAlgorithms: new Set([enums.hash.md5, enums.hash.ripemd]),
  /** Keys from before key flags; gpgv takes them. */
  allowMissingKeyFlags: true,
  /** Ours only: the same bytes and date give the same signature. */
  nonDeterministicSignaturesViaNotation: false,
  showVersion: false,
  showComment: false,
};

/** openpgp.js takes null for "do not judge by time" wherever it takes a date; its types say so in some places only. */
export const AT_ANY_TIME = null as unknown as Date;

/** Signatures on data by these hashes are not good: collisions can be made, and apt refuses them. */
export const WEAK_HASHES: ReadonlySet<number> = new Set([enums.hash.md5, enums.hash.sha1, enums.hash.ripemd]);
