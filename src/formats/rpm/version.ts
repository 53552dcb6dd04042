/** Versions of rpm packages and their order (rpm-version(7); rpmio/rpmvercmp.c and rpmver.c of rpm). */

import { compareDigits, isDigit } from '../digits.ts';

export interface Evr {
  /** A missing epoch is 0. */
  readonly epoch: string;
  readonly version: string;
  /** `''` where there is none. */
  readonly release: string;
}

/** `[epoch:]version[-release]`, split as rpm does; takes any text. */
export function parseEvr(text: string): Evr {
  let start = 0;
  while (start < text.length && isDigit(text.charCodeAt(start))) start++;
  const hasEpoch = text.charCodeAt(start) === COLON;
  const epoch = hasEpoch && start > 0 ? text.slice(0, start) : '0';
  const rest = hasEpoch ? text.slice(start + 1) : text;
  const hyphen = rest.lastIndexOf('-');
  return hyphen < 0
    ? { epoch, version: rest, release: '' }
    : { epoch, version: rest.slice(0, hyphen), release: rest.slice(hyphen + 1) };
}

/** Negative, zero or positive, as rpmverCmp: without a release comes before any release. */
export function compareEvr(a: Evr, b: Evr): number {
  const byEpoch = compareEpochs(a.epoch, b.epoch);
  if (byEpoch !== 0) return byEpoch;
  const byVersion = compareVersionPart(a.version, b.version);
  if (byVersion !== 0) return byVersion;
  if (a.release === '' || b.release === '') return Number(a.release !== '') - Number(b.release !== '');
  return compareVersionPart(a.release, b.release);
}

/** Of digits. */
export function compareEpochs(a: string, b: string): number {
  return compareDigits(a, 0, a.length, b, 0, b.length);
}

/**
 * rpmvercmp: runs of digits by value and runs of ASCII letters by their bytes, in turn; all else only separates. `~` comes
 * before the end of the text, `^` after the end and before anything else, and digits after letters. Negative, zero or
 * positive; total over all strings. Allocates nothing.
 */
export function compareVersionPart(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  let j = 0;
  for (;;) {
    while (i < a.length && isSeparator(a.charCodeAt(i))) i++;
    while (j < b.length && isSeparator(b.charCodeAt(j))) j++;
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(j)];
    if (x === TILDE || y === TILDE) {
      if (x !== y) return x === TILDE ? -1 : 1;
      i++;
      j++;
      continue;
    }
    if (x === CARET || y === CARET) {
      if (x !== y) return caretOrder(i === a.length, j === b.length, x === CARET);
      i++;
      j++;
      continue;
    }
    if (i === a.length || j === b.length) return Number(i < a.length) - Number(j < b.length);
    const digits = isDigit(x);
    if (digits !== isDigit(y)) return digits ? 1 : -1;
    const [aEnd, bEnd] = [runEnd(a, i, digits), runEnd(b, j, digits)];
    const order = digits ? compareDigits(a, i, aEnd, b, j, bEnd) : compareLetters(a, i, aEnd, b, j, bEnd);
    if (order !== 0) return order;
    i = aEnd;
    j = bEnd;
  }
}

const COLON = 58;
const TILDE = 126;
const CARET = 94;

function caretOrder(aEnds: boolean, bEnds: boolean, aHasIt: boolean): number {
  if (aEnds) return -1;
  if (bEnds) return 1;
  return aHasIt ? -1 : 1;
}

function compareLetters(a: string, aFrom: number, aTo: number, b: string, bFrom: number, bTo: number): number {
  for (let i = aFrom, j = bFrom; i < aTo && j < bTo; i++, j++) {
    const difference = a.charCodeAt(i) - b.charCodeAt(j);
    if (difference !== 0) return difference;
  }
  return aTo - aFrom - (bTo - bFrom);
}

function runEnd(text: string, from: number, digits: boolean): number {
  let at = from;
  while (at < text.length && (digits ? isDigit(text.charCodeAt(at)) : isLetter(text.charCodeAt(at)))) at++;
  return at;
}

function isSeparator(code: number): boolean {
  return !isDigit(code) && !isLetter(code) && code !== TILDE && code !== CARET;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122 && code < 128;
}
