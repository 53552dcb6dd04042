/** Versions of Debian packages and their order (deb-version(7); lib/dpkg/version.c and parsehelp.c of dpkg). */
import { KubedosError } from '../../errors.ts';
import { compareDigits, isDigit } from '../digits.ts';
import { quoted } from './syntax.ts';

export interface Version {
  readonly epoch: number;
  readonly upstream: string;
  /** `''` where there is none, which is the same as `0` in the order. */
  readonly revision: string;
}

/** INT_MAX, as for dpkg. */
const MAX_EPOCH = 2147483647;

/** The parts of a valid version; `format.syntax` where dpkg refuses it. `origin` says where it was read. */
export function parseVersion(text: string, origin = 'a version'): Version {
  const refuse = (why: string) => new KubedosError('format.syntax', `parse ${origin}: version ${quoted(text)} ${why}`);
  const colon = text.indexOf(':');
  let epoch = 0;
  if (colon >= 0) {
    const digits = text.slice(0, colon);
    if (!/^[0-9]+$/.test(digits)) throw refuse('has an epoch that is no number');
    epoch = Number(digits);
    if (epoch > MAX_EPOCH) throw refuse(`has an epoch above ${MAX_EPOCH}`);
  }
  const rest = text.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  if (upstream === '') throw refuse('has no upstream part');
  if (hyphen >= 0 && revision === '') throw refuse('has an empty revision');
  if (!/^[0-9]/.test(upstream)) throw refuse('does not start with a digit');
  if (!/^[0-9A-Za-z.+~:-]*$/.test(upstream)) throw refuse('holds characters that none may have');
  if (!/^[0-9A-Za-z.+~]*$/.test(revision)) throw refuse('holds characters that none may have in its revision');
  return { epoch, upstream, revision };
}

export function formatVersion({ epoch, upstream, revision }: Version): string {
  const prefix = epoch > 0 || upstream.includes(':') ? `${epoch}:` : '';
  return revision === '' ? prefix + upstream : `${prefix}${upstream}-${revision}`;
}

/**
 * dpkg's order: negative, zero or positive. Total over all strings (what an index holds need not be valid), and for valid
 * ones what `dpkg --compare-versions` says. Fit for `sort`. Allocates nothing.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const aStart = upstreamStart(a);
  const bStart = upstreamStart(b);
  const byEpoch = compareDigits(a, 0, aStart - 1, b, 0, bStart - 1);
  if (byEpoch !== 0) return byEpoch;
  const aHyphen = revisionHyphen(a, aStart);
  const bHyphen = revisionHyphen(b, bStart);
  return (
    comparePart(a, aStart, aHyphen, b, bStart, bHyphen) ||
    comparePart(a, aHyphen + 1, a.length, b, bHyphen + 1, b.length)
  );
}

/** Index after the epoch's colon; 0 where there is no epoch. */
function upstreamStart(text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (isDigit(text.charCodeAt(i))) continue;
    return text.charCodeAt(i) === 58 && i > 0 ? i + 1 : 0;
  }
  return 0;
}

/** Index of the hyphen before the revision, or the length of the text where there is none. */
function revisionHyphen(text: string, from: number): number {
  const hyphen = text.lastIndexOf('-');
  return hyphen >= from ? hyphen : text.length;
}

/** Non-digit runs by the order of `rank`, then digit runs by value, in turn. */
function comparePart(a: string, aFrom: number, aTo: number, b: string, bFrom: number, bTo: number): number {
  let i = aFrom;
  let j = bFrom;
  while (i < aTo || j < bTo) {
    while ((i < aTo && !isDigit(a.charCodeAt(i))) || (j < bTo && !isDigit(b.charCodeAt(j)))) {
      const difference = rank(a, i, aTo) - rank(b, j, bTo);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const aDigits = digitsEnd(a, i, aTo);
    const bDigits = digitsEnd(b, j, bTo);
    const byValue = compareDigits(a, i, aDigits, b, j, bDigits);
    if (byValue !== 0) return byValue;
    i = aDigits;
    j = bDigits;
  }
  return 0;
}

/** `~` before the end of the part, the end and digits alike, then letters, then all else. */
function rank(text: string, at: number, end: number): number {
  if (at >= end) return 0;
  const code = text.charCodeAt(at);
  if (isDigit(code)) return 0;
  if (code === 126) return -1;
  const letter = code | 32;
  return letter >= 97 && letter <= 122 && code < 128 ? code : code + 0x10000;
}

function digitsEnd(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isDigit(text.charCodeAt(at))) at++;
  return at;
}
