import { KubedosError } from '../errors.ts';

export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** One upstream root, its credentials taken out of the URL: what is left may be shown. */
export interface Upstream {
  readonly root: URL;
  readonly credentials: Credentials | undefined;
  /** `https://host:port`, or `file:`: what limits, pauses and health go by. */
  readonly host: string;
  /** Path of the root with a slash at its end. */
  readonly folder: string;
}

/** A request's target without the cost of a URL object: there is one for each of a million files. */
export interface Place {
  readonly origin: string;
  /** Path and query, encoded. */
  readonly path: string;
}

const PROTOCOLS = new Set(['http:', 'https:', 'file:']);

/** An upstream root as specs write it: http, https or file. */
export function parseUpstream(text: string): Upstream {
  let root: URL;
  let credentials: Credentials | undefined;
  try {
    root = new URL(text);
    const { username, password } = root;
    if (username !== '' || password !== '') {
      credentials = { login: decodeURIComponent(username), password: decodeURIComponent(password) };
    }
  } catch {
    // Without the text and the cause: both may hold a password.
    throw new KubedosError('usage.argument', 'read an upstream: it is not a URL', {
      hint: 'write it as https://host/folder or file:///folder; escape special characters of a password',
    });
  }
  if (!PROTOCOLS.has(root.protocol)) {
    throw new KubedosError('usage.argument', `read an upstream: expected http, https or file, got ${root.protocol}`);
  }
  root.username = '';
  root.password = '';
  root.hash = '';
  const folder = root.pathname.endsWith('/') ? root.pathname : `${root.pathname}/`;
  return { root, credentials, host: root.protocol === 'file:' ? 'file:' : root.origin, folder };
}

/** Characters that stand for themselves in a path whatever the server: nearly all names are of these alone. */
const PLAIN = /^[A-Za-z0-9/._~-]*$/;

/**
 * A path below a root, each segment percent-encoded: `+` as %2B (S3 reads a bare one as space), `~` literal.
 * A query of the root (a token) stays.
 */
export function placeBelow(upstream: Upstream, path: string): Place {
  const encoded = PLAIN.test(path) ? path : path.split('/').map(encodeURIComponent).join('/');
  return { origin: upstream.host, path: upstream.folder + encoded + upstream.root.search };
}

export function placeOf(url: URL): Place {
  return { origin: url.origin, path: url.pathname + url.search };
}

/** Also for `file:`, whose origin is `file:`, too. */
export function urlOf(place: Place): URL {
  return new URL(place.origin === 'file:' ? `file://${place.path}` : place.origin + place.path);
}

/** The URL as it may be shown and kept: without user, password, fragment and the values of a query. */
export function redactUrl(url: string | URL): string {
  let shown: URL;
  try {
    shown = new URL(url);
  } catch {
    return '(not a URL)';
  }
  if (!PROTOCOLS.has(shown.protocol)) return '(not a URL)';
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  if (shown.search !== '') shown.search = '…';
  return shown.href.replace('?%E2%80%A6', '?…');
}
