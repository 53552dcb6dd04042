import { KubedosError } from '../errors.ts';

/**
 * The one JSON text of a value, as RFC 8785 (JCS) has it, narrowed to what our documents need: keys sorted by UTF-16
 * units, no white space, numbers are safe integers. Properties that are `undefined` are left out. Without final newline.
 */
export function canonicalJson(value: unknown): string {
  return encode(value, '$');
}

function encode(value: unknown, at: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refusal(at, 'a string that is not well-formed Unicode');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    // Fractions print differently from one language to the next; documents that are signed do without.
    if (!Number.isSafeInteger(value)) throw refusal(at, `the number ${value}`);
    return String(Object.is(value, -0) ? 0 : value);
  }
  if (Array.isArray(value)) return `[${value.map((item, index) => encode(item, `${at}[${index}]`)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${encode(key, `${at} key`)}:${encode(member, `${at}.${key}`)}`);
    return `{${members.join(',')}}`;
  }
  throw refusal(at, `a ${typeof value}`);
}

function refusal(at: string, what: string): KubedosError {
  return new KubedosError('internal.bug', `write canonical JSON: ${at} holds ${what}, which canonical JSON cannot`);
}
