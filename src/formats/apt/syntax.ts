import { KubedosError } from '../../errors.ts';

/** Longest piece of a file's text that a message quotes. */
const MAX_QUOTED = 120;

/** A piece of foreign text for a message: JSON-escaped, so that control characters do not reach a terminal, and cut. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

export function syntaxError(origin: string, line: number, what: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${origin}:${line}: ${what}`, { details: { origin, line } });
}

export function limitError(origin: string, line: number, what: string): KubedosError {
  return new KubedosError('format.limit', `parse ${origin}:${line}: ${what}`, { details: { origin, line } });
}

/** Digits of the longest decimal that a double holds exactly. */
const MAX_DECIMAL_DIGITS = 15;

/** A non-negative decimal as sizes are written, else `undefined`. */
export function parseDecimal(text: string): number | undefined {
  if (text.length === 0 || text.length > MAX_DECIMAL_DIGITS) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** The words of a value separated by white space (Architectures, Components). */
export function words(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(/\s+/).filter((word) => word !== '');
}
