import { KubedosError } from '../errors.ts';
import type { Fingerprint } from './types.ts';

const FINGERPRINT = /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/;

/** True for the canonical form only: upper-case, 40 or 64 digits, no spaces. */
export function isFingerprint(text: string): text is Fingerprint {
  return FINGERPRINT.test(text);
}

/**
 * The canonical form of a fingerprint as people write it (`gpg`'s groups of four, lower case, `0x`).
 * Short key ids are refused: they can be forged. `origin` says where it was read.
 */
export function parseFingerprint(text: string, origin: string): Fingerprint {
  const canonical = text.replace(/\s+/g, '').replace(/^0x/i, '').toUpperCase();
  if (isFingerprint(canonical)) return canonical;
  throw new KubedosError(
    'usage.argument',
    `${origin}: fingerprint ${JSON.stringify(text.slice(0, 100))} is not 40 or 64 hexadecimal digits`,
    { hint: 'give the full fingerprint, as `gpg --show-keys --with-fingerprint FILE` prints it' },
  );
}

/** Four digits at a time, as fingerprints are read out and compared by eye; `parseFingerprint` takes it. */
export function groupedFingerprint(fingerprint: Fingerprint): string {
  return fingerprint.replace(/(.{4})(?=.)/g, '$1 ');
}
