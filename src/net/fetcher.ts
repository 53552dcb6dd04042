import { KubedosError } from '../errors.ts';
import { canonicalPath } from '../formats/path.ts';
import { fetchDocument } from './fetch-document.ts';
import { fetchFile } from './fetch-file.ts';
import { Hosts } from './hosts.ts';
import { HttpClient } from './http.ts';
import { parseNetrc } from './netrc.ts';
import { proxyFromEnv } from './proxy.ts';
import { rateLimit } from './rate.ts';
import { StallWatch } from './stall.ts';
import type { Fetcher, FetcherOptions, Upstreams } from './types.ts';
import { parseUpstream, type Upstream } from './url.ts';

const DEFAULT_PER_HOST = 8;
const DEFAULT_TRIES = 5;
const DEFAULT_BACKOFF_MS = 500;
const DEFAULT_STALL_MS = 30_000;
const DEFAULT_MIN_BYTES_PER_SECOND = 1024;

/** The fetcher that all of a sync shares: limits, pauses and health of hosts hold across its transfers. */
export function createFetcher(options: FetcherOptions): Fetcher {
  const perHost = options.perHost ?? DEFAULT_PER_HOST;
  const { rateBytesPerSecond, onEvent } = options;
  const http = new HttpClient({
    perHost,
    userAgent: options.userAgent ?? 'kubedos',
    credentials: parseNetrc(options.netrc ?? ''),
    proxy: proxyFromEnv(options.env ?? {}),
    tls: options.tls ?? [],
    rate: rateBytesPerSecond === undefined ? undefined : rateLimit(rateBytesPerSecond),
    stalls: new StallWatch({
      stallMs: options.stallMs ?? DEFAULT_STALL_MS,
      minBytesPerSecond: options.minBytesPerSecond ?? DEFAULT_MIN_BYTES_PER_SECOND,
    }),
  });
  const hosts = new Hosts({
    perHost,
    tries: options.tries ?? DEFAULT_TRIES,
    backoffMs: options.backoffMs ?? DEFAULT_BACKOFF_MS,
    note: (message) => onEvent?.({ type: 'note', level: 'info', message }),
  });

  const parsed = new Map<string, Upstream>();
  const parse = (upstreams: Upstreams): Upstream[] => {
    if (upstreams.length === 0) throw new KubedosError('usage.argument', 'fetch: there is no upstream to ask');
    return upstreams.map((text) => {
      const upstream = parsed.get(text) ?? parseUpstream(text);
      parsed.set(text, upstream);
      return upstream;
    });
  };

  return {
    async document(upstreams, path, { maxBytes, validators, signal }) {
      const confined = canonicalPath(path, 'fetch');
      return fetchDocument({ http, hosts, upstreams: parse(upstreams), path: confined, maxBytes, validators, signal });
    },
    async file(upstreams, wanted, { partial, signal, onBytes = () => {} }) {
      canonicalPath(wanted.path, 'fetch');
      if (wanted.alternatePath !== undefined) canonicalPath(wanted.alternatePath, 'fetch');
      return fetchFile({ http, hosts, upstreams: parse(upstreams), wanted, partial, signal, onBytes });
    },
    close: () => http.close(),
  };
}
