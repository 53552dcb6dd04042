import { hash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { groupedFingerprint, parseFingerprint } from './fingerprint.ts';
import type { Fingerprint } from './types.ts';

const CONSONANTS = 'bdfghjklmnprstvz';
const VOWELS = 'aiou';
const WORD = new RegExp(`^([${CONSONANTS}][${VOWELS}]){2}[${CONSONANTS}]$`);

/**
 * A fingerprint as people read it out, type it or scan it: groups of four digits and a word that can be spoken, made
 * from 16 bits of the SHA-256 of the digits (a proquint, arXiv:0901.4016). A slip of the eye or the keyboard passes
 * once in 65,536 times. The word guards against mistakes only: whoever forges a fingerprint can make its word.
 */
export function shortForm(fingerprint: Fingerprint): string {
  return `${groupedFingerprint(fingerprint)} ${checkWord(fingerprint)}`;
}

/** Takes the short form with any spacing, dashes or line breaks, in upper or lower case; or a bare fingerprint. */
export function parseShortForm(text: string, origin: string): Fingerprint {
  const parts = text.trim().split(/[\s-]+/);
  const last = parts.at(-1)?.toLowerCase() ?? '';
  const word = WORD.test(last) ? last : undefined;
  const digits = (word === undefined ? parts : parts.slice(0, -1)).join('');
  const fingerprint = parseFingerprint(digits, origin);
  if (word !== undefined && word !== checkWord(fingerprint)) {
    throw new KubedosError(
      'usage.argument',
      `${origin}: the digits and the word "${word}" do not belong together: one of them is mistyped`,
      { hint: 'compare group by group with what the sender shows' },
    );
  }
  return fingerprint;
}

function checkWord(fingerprint: Fingerprint): string {
  const bits = Number.parseInt(hash('sha256', fingerprint, 'hex').slice(0, 4), 16);
  const take = (letters: string, shift: number): string => letters[(bits >> shift) & (letters.length - 1)] ?? '';
  return [take(CONSONANTS, 12), take(VOWELS, 10), take(CONSONANTS, 6), take(VOWELS, 4), take(CONSONANTS, 0)].join('');
}
