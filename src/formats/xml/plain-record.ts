/**
 * Where a record ends can be told by its bytes, as long as it holds no comment, CDATA or instruction. A record within a
 * record is not looked for: the ends left over refuse such a file.
 */

const EXCLAMATION = 33;
const SLASH = 47;
const LESS = 60;
const GREATER = 62;
const QUESTION = 63;

/** Comments, CDATA, instructions. */
export function hasForeignMarkup(bytes: Buffer): boolean {
  return hasMarkup(bytes, EXCLAMATION) || hasMarkup(bytes, QUESTION);
}

/** `<` and the character behind it, which is searched for since it is the rarer one. */
function hasMarkup(bytes: Buffer, code: number): boolean {
  for (let at = bytes.indexOf(code, 1); at >= 0; at = bytes.indexOf(code, at + 1))
    if (bytes[at - 1] === LESS) return true;
  return false;
}

/** `<package`, and not `<packager`. */
export function isTag(bytes: Buffer, at: number, start: Buffer): boolean {
  if (!startsWith(bytes, at, start)) return false;
  const behind = bytes[at + start.length];
  return behind !== undefined && (behind <= 32 || behind === SLASH || behind === GREATER);
}

export function startsWith(bytes: Buffer, at: number, what: Buffer): boolean {
  for (let i = 0; i < what.length; i++) if (bytes[at + i] !== what[i]) return false;
  return true;
}

export function skipBlank(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] as number) <= 32) at++;
  return at;
}
