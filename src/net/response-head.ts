import type { Answer } from './answer.ts';

/** How an HTTP/1.1 answer goes on after its head, as far as small-file lanes understand it. */
export interface ResponseHead {
  readonly answer: Answer;
  /** Bytes of body; `undefined` for any framing other than one Content-Length. */
  readonly bodyBytes: number | undefined;
  readonly keepAlive: boolean;
}

/**
 * Reads a head without its blank line, strictly (RFC 9112 §4–6): folded lines, stray characters and contradictory
 * lengths are not understood, which is `undefined`. 1xx answers have no body.
 */
export function parseResponseHead(text: string): ResponseHead | undefined {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const version = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(statusLine);
  if (version === null) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0 || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(line.slice(0, colon))) return undefined;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'content-length' && headers.has(name) && headers.get(name) !== value) return undefined;
    if (!headers.has(name)) headers.set(name, value);
  }
  const status = Number(version[2]);
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  return {
    answer: { status, header: (name) => headers.get(name) },
    bodyBytes: bodyBytes(status, headers),
    keepAlive: version[1] === '1' && !connection.includes('close') && !connection.includes('upgrade'),
  };
}

function bodyBytes(status: number, headers: ReadonlyMap<string, string>): number | undefined {
  if (headers.has('transfer-encoding')) return undefined;
  if (status < 200 || status === 204 || status === 304) return 0;
  const length = headers.get('content-length');
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
