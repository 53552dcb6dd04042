/** Checksums of the apt formats in the order of our trust: SHA-256 first, since objects are named by it. */
const DIGEST_ALGORITHMS = ['sha256', 'sha512', 'sha1', 'md5'] as const;

export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

export interface Digest {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hexadecimal. */
  readonly hex: string;
}

/** What an index says of a file's bytes; at least one checksum is there in what the parsers return. */
export interface Checksums {
  readonly sizeBytes: number;
  readonly md5?: string | undefined;
  readonly sha1?: string | undefined;
  readonly sha256?: string | undefined;
  readonly sha512?: string | undefined;
}

const HEX_DIGITS: Readonly<Record<DigestAlgorithm, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };

/** The checksum in lower case, or `undefined` where it is none of that algorithm. */
export function parseHex(text: string, algorithm: DigestAlgorithm): string | undefined {
  if (text.length !== HEX_DIGITS[algorithm]) return undefined;
  let upper = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code >= 48 && code <= 57) || (code >= 97 && code <= 102)) continue;
    if (code < 65 || code > 70) return undefined;
    upper = true;
  }
  return upper ? text.toLowerCase() : text;
}

/** The checksum to verify by: SHA-256 where there is one, else the strongest. */
export function strongestDigest(sums: Omit<Checksums, 'sizeBytes'>): Digest | undefined {
  for (const algorithm of DIGEST_ALGORITHMS) {
    const hex = sums[algorithm];
    if (hex !== undefined) return { algorithm, hex };
  }
  return undefined;
}
