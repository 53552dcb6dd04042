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
  return { root, credentials, host: root.protocol === 'file:' ? 'file:' : root.origin };
}

/**
 * A path below a root, each segment percent-encoded: `+` as %2B (S3 reads a bare one as space), `~` literal.
 * A query of the root (a token) stays.
 */
export function urlBelow(root: URL, path: string): URL {
  const url = new URL(root);
  const folder = root.pathname.endsWith('/') ? root.pathname : `${root.pathname}/`;
  url.pathname = folder + path.split('/').map(encodeURIComponent).join('/');
  return url;
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
