import { KubedosError } from '../errors.ts';

/**
 * The one JSON text of a value, as RFC 8785 (JCS) has it, narrowed to what our documents need: keys sorted by UTF-16
 * units, no white space, numbers are safe integers. Properties that are `undefined` are left out. Without final newline.
 */
export function canonicalJson(value: unknown): string {
  return encode(value, '$', 0);
}

/** Whether these bytes are the canonical JSON of what they were parsed to and a newline; false for what can have none. */
export function isCanonicalJson(bytes: Uint8Array, value: unknown): boolean {
  try {
    return Buffer.from(`${canonicalJson(value)}\n`).equals(bytes);
  } catch (error) {
    if (error instanceof KubedosError) return false;
    throw error;
  }
}

/** Documents of later versions may hold what we do not know; none of ours is deeper than ten. */
const MAX_DEPTH = 100;

function encode(value: unknown, at: string, depth: number): string {
  if (depth > MAX_DEPTH) throw refusal('$', 'a value deeper than MAX_DEPTH');
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
  if (Array.isArray(value))
    return `[${value.map((item, index) => encode(item, `${at}[${index}]`, depth + 1)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${encode(key, `${at} key`, depth)}:${encode(member, `${at}.${key}`, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  throw refusal(at, `a ${typeof value}`);
}

function refusal(at: string, what: string): KubedosError {
  return new KubedosError('internal.bug', `write canonical JSON: ${at} holds ${what}, which canonical JSON cannot`);
}
