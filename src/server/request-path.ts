import { KubedosError } from '../errors.ts';
import { canonicalPath } from '../formats/path.ts';

/** What a URL below `/c/` or `/s/` names. Nothing in it is ever joined to a path of the file system. */
export interface FileTarget {
  /** `c`: a channel, which moves; `s`: a snapshot, which does not. */
  readonly area: 'c' | 's';
  /** Name of the channel, or reference to the snapshot; '' at the area's top. */
  readonly reference: string;
  readonly mirror: string;
  /** Canonical path within the mirror; '' at its top. */
  readonly path: string;
  /** The URL ends in a slash. */
  readonly directory: boolean;
}

/** Longest request target that is looked at: a path of PATH_MAX, each byte percent-encoded, and some names before it. */
const MAX_TARGET_LENGTH = 13_000;

/** The path of a request target, still encoded: without query, fragment and, in absolute form, scheme and host. */
export function targetPath(target: string): string {
  let start = 0;
  if (!target.startsWith('/')) {
    const authority = target.indexOf('://');
    start = authority < 0 ? -1 : target.indexOf('/', authority + 3);
    if (start < 0) return '/';
  }
  let end = target.indexOf('?', start);
  if (end < 0) end = target.indexOf('#', start);
  return start === 0 && end < 0 ? target : target.slice(start, end < 0 ? undefined : end);
}

/**
 * Parses `/c/CHANNEL/MIRROR/PATH` and `/s/SNAPSHOT/MIRROR/PATH`; undefined for any other path.
 * `+` stands for itself (RFC 3986), `%2B` and `%7E` are decoded, `.` and empty segments are dropped as apt's `./`
 * of flat repositories needs. Refused (`server.request`): `..`, encoded slashes, backslashes, NUL, control
 * characters, broken or non-UTF-8 encodings.
 */
export function parseFileTarget(path: string): FileTarget | undefined {
  if (path.charCodeAt(2) !== 0x2f || (path[1] !== 'c' && path[1] !== 's') || path[0] !== '/') return undefined;
  if (path.length > MAX_TARGET_LENGTH) throw refuse(path, 'is too long');
  const segments: string[] = [];
  for (const raw of path.slice(3).split('/')) {
    const segment = decodeSegment(raw, path);
    if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const [reference = '', mirror = '', ...rest] = segments;
  return {
    area: path[1],
    reference,
    mirror,
    path: rest.length === 0 ? '' : checkedPath(rest.join('/'), path),
    directory: path.endsWith('/'),
  };
}

function decodeSegment(raw: string, path: string): string {
  let segment = raw;
  if (raw.includes('%')) {
    try {
      segment = decodeURIComponent(raw);
    } catch {
      throw refuse(path, 'is not percent-encoded UTF-8');
    }
    if (segment.includes('/')) throw refuse(path, 'holds an encoded slash');
  }
  if (segment === '..') throw refuse(path, 'escapes by ..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it must find
  if (/[\u0000-\u001f\u007f\\]/.test(segment)) throw refuse(path, 'holds control characters or a backslash');
  return segment;
}

function checkedPath(path: string, target: string): string {
  try {
    return canonicalPath(path, 'request');
  } catch {
    throw refuse(target, 'is not a path of a manifest');
  }
}

function refuse(path: string, why: string): KubedosError {
  return new KubedosError('server.request', `parse request path ${JSON.stringify(path.slice(0, 200))}: it ${why}`);
}

/** Encodes a path for a link: all but unreserved characters, `/` and the harmless `+` and `:` of package names. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment).replace(/%2B/g, '+').replace(/%3A/g, ':'))
    .join('/');
}
