/** Where a record ends can be told by its bytes, as long as it holds no comment, CDATA, instruction or record. */

const EXCLAMATION = 33;
const SLASH = 47;
const LESS = 60;
const GREATER = 62;
const QUESTION = 63;

/** Of a whole record; with one of those in it, its end would be another one. `start`: `<package`. */
export function isPlain(record: Buffer, start: Buffer): boolean {
  if (hasForeignMarkup(record)) return false;
  for (let at = record.indexOf(start, start.length); at >= 0; at = record.indexOf(start, at + start.length))
    if (isTag(record, at, start)) return false;
  return true;
}

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
