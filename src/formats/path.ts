import { KubedosError } from '../errors.ts';

/** Longest path that a manifest takes, in UTF-8 bytes (PATH_MAX of Linux less one). */
export const MAX_PATH_BYTES = 4095;

/**
 * The canonical form of a relative path from outside: `./a//b` becomes `a/b`. Refuses (`format.path`) what escapes or
 * misleads: absolute paths, `..` anywhere, empty ones, NUL, control characters, DEL, backslashes, lone surrogates, over-long ones.
 * `origin` says where the path was read, for the message.
 */
export function canonicalPath(path: string, origin: string): string {
  const refuse = (why: string): KubedosError =>
    new KubedosError('format.path', `${origin}: path ${JSON.stringify(path.slice(0, 200))} ${why}`);
  if (path.startsWith('/')) throw refuse('is absolute');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it must find
  if (/[\u0000-\u001f\u007f\\]/.test(path)) throw refuse('holds control characters or a backslash');
  if (!path.isWellFormed()) throw refuse('is not well-formed Unicode');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0) throw refuse('is empty');
  if (parts.includes('..')) throw refuse('escapes by ..');
  const canonical = parts.join('/');
  if (Buffer.byteLength(canonical) > MAX_PATH_BYTES) throw refuse(`is longer than ${MAX_PATH_BYTES} bytes`);
  return canonical;
}

/** The order of manifests: by the bytes of the UTF-8 form, which is the order of code points (not of UTF-16 units). */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above U+FFFF and so sort after everything else.
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    if (xHigh !== yHigh) return xHigh ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}
