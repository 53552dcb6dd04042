/** The only outbound HTTP of kubedos. See `fetcher.ts`. */
import type { ProgressEvent } from '../progress.ts';

export interface FetcherOptions {
  /** Parallel requests to one host; default 8. */
  readonly perHost?: number;
  /** Bytes a second over all hosts together; default unlimited. */
  readonly rateBytesPerSecond?: number | undefined;
  /** Tries of one file on one upstream; default 5, with exponential backoff and jitter, or what Retry-After says (bounded). */
  readonly tries?: number;
  /** First pause between tries, doubled with each; default 500. */
  readonly backoffMs?: number;
  /** Fails a transfer that moves fewer than `minBytesPerSecond` over `stallMs`; defaults 1024 and 30 000. */
  readonly stallMs?: number;
  readonly minBytesPerSecond?: number;
  /** Contents of a netrc-form file; credentials go only to their host over https or loopback, and into no message. */
  readonly netrc?: string | undefined;
  /** For hosts that ask who comes: each goes to its origin alone, not to where that redirects. */
  readonly tls?: readonly ClientTls[] | undefined;
  /** http_proxy, https_proxy, no_proxy and their upper-case forms. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onEvent?: ((event: ProgressEvent) => void) | undefined;
  readonly userAgent?: string;
}

/** A client's certificate (RFC 8446 §4.4.2), and whom it takes for the host. PEM. */
export interface ClientTls {
  /** `https://cdn.example.org` */
  readonly origin: string;
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
  /** Authorities in place of the well-known ones. */
  readonly ca?: Uint8Array | undefined;
}

/** Upstream roots of one mirror in order of preference: `https://…/debian`, `http://…`, `file:///…`. */
export type Upstreams = readonly string[];

/** What lets upstream say "unchanged". */
export interface Validators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export type DocumentAnswer =
  | { readonly status: 'ok'; readonly bytes: Buffer; readonly validators: Validators; readonly upstream: string }
  | { readonly status: 'unchanged' }
  | { readonly status: 'missing' };

export interface WantedFile {
  /** Relative to the upstream root, unescaped: `pool/main/g/g++/g++_12_amd64.deb`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** True where `sizeBytes` is only the most that is read: what vouches for the checksum tells no size (SHA256SUMS). */
  readonly sizeIsLimit?: boolean | undefined;
  /** The strongest checksum that signed metadata gives; `sha256` where there is one. */
  readonly digest: { readonly algorithm: 'sha256' | 'sha384' | 'sha512' | 'sha1' | 'md5'; readonly hex: string };
  /** Another path with the same bytes to ask first, such as by-hash. */
  readonly alternatePath?: string | undefined;
}

export interface FetchedFile {
  /** Where the verified bytes lie: the `partial` path that was given. */
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface Fetcher {
  /**
   * A small document whose size nobody signed (Release, repomd.xml), up to `maxBytes` (`net.size` beyond).
   * Upstreams are tried in order; 404 everywhere is `missing`.
   */
  document(
    upstreams: Upstreams,
    path: string,
    options: {
      readonly maxBytes: number;
      readonly validators?: Validators | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<DocumentAnswer>;
  /**
   * Fetches into the file `partial`, hashing as bytes arrive, going on by Range where a part is there already,
   * over all upstreams. Not more than `sizeBytes` is ever read. Throws `net.not-found` when every upstream says 404,
   * `net.hash-mismatch` (partial removed) when all bytes came and are others, `net.failed` otherwise (partial kept).
   * `onBytes` gets each increment: first what was there already, a negative one where bytes turned out to be of no use.
   */
  file(
    upstreams: Upstreams,
    wanted: WantedFile,
    options: {
      readonly partial: string;
      readonly signal?: AbortSignal | undefined;
      readonly onBytes?: (count: number) => void;
    },
  ): Promise<FetchedFile>;
  close(): Promise<void>;
}
