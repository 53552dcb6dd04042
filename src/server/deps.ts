/** What the server is given by the wiring: it owns no store, no catalog and no clock of its own. */
import type { ManifestEntry, Sha256, Snapshot, SnapshotMirror, Store } from '../store/types.ts';

/** A line of a directory listing. */
export interface DirectoryEntry {
  readonly name: string;
  readonly directory: boolean;
  readonly sizeBytes?: number | undefined;
}

/** What the server asks of manifests; store/manifest.ts's ManifestReader is one. */
export interface ManifestLookup {
  lookup(root: Sha256, path: string): Promise<ManifestEntry | undefined>;
  /** In the order of names, `limit` at most, those after the name `after`. `dir` is '' for the top. */
  listDirectory(
    root: Sha256,
    dir: string,
    options: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<readonly DirectoryEntry[]>;
}

/** What a client pastes to use one mirror. */
export interface ClientConfigRequest {
  readonly snapshot: Snapshot;
  readonly mirror: SnapshotMirror;
  /** Where clients reach the mirror's top folder, ending in `/`: `http://host:8080/c/stable/debian/`. */
  readonly url: string;
}

export interface ClientConfig {
  /** `debian.sources` */
  readonly fileName: string;
  /** Where the file goes on the client. */
  readonly path: string;
  readonly text: string;
}

/** Who calls, as the catalog knows the bearer token: its name goes into logs. */
export interface TokenHolder {
  readonly name: string;
  /** Repositories that it may change; undefined: all. */
  readonly repos?: readonly string[] | undefined;
}

/** Changes of local repositories; each is a use case that takes the writer's lock itself. */
export interface LocalRepos {
  /** Adds one .deb; `repo.conflict`, `repo.not-local` as KubedosErrors. The answer is rendered as JSON. */
  add(request: {
    readonly repo: string;
    readonly body: AsyncIterable<Uint8Array>;
    readonly component?: string | undefined;
    readonly force: boolean;
    readonly by: TokenHolder;
    readonly signal: AbortSignal;
  }): Promise<object>;
  remove(request: {
    readonly repo: string;
    readonly name: string;
    readonly version?: string | undefined;
    readonly architecture?: string | undefined;
    readonly by: TokenHolder;
    readonly signal: AbortSignal;
  }): Promise<object>;
}

/** Full-text search over packages; the catalog's. Rows are rendered as JSON as they are. */
export type Search = (
  text: string,
  options: { readonly mirror?: string | undefined; readonly limit: number },
) => Promise<readonly object[]> | readonly object[];

export interface LogEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** One request, when its answer has left or its connection broke. */
export interface AccessRecord {
  readonly time: Date;
  readonly remote: string;
  readonly method: string;
  /** The path as it came, without query and without anything that could be a credential. */
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly userAgent: string;
  /** False where the client went away before the end. */
  readonly complete: boolean;
}

export interface ServerDeps {
  readonly store: Pick<Store, 'identity' | 'objects' | 'heads' | 'snapshots' | 'labels' | 'channels' | 'bad'>;
  readonly manifests: ManifestLookup;
  readonly now: () => Date;
  readonly log: (event: LogEvent) => void;
  /** The folder web/ of this installation; read once, at start. */
  readonly webDir: string;
  /**
   * Changes with each move of a channel and costs a stat at most (see `fileStamp`); undefined: no such channel.
   * Without it the channel's document is read for every turn of the event loop.
   */
  readonly channelStamp?: ((name: string) => string | undefined) | undefined;
  /** Changes whenever an object is marked as bad or cleared (a stamp of the folder); without it each request asks `store.bad`. */
  readonly badStamp?: (() => string | undefined) | undefined;
  /** Told when an object is found missing, short, or of other bytes than its name; errors are logged, not thrown on. */
  readonly onDamage?: ((sha256: Sha256, reason: string) => Promise<void> | void) | undefined;
  /** Undefined where kubedos knows no configuration for that kind of mirror. */
  readonly clientConfig?: ((request: ClientConfigRequest) => Promise<ClientConfig | undefined>) | undefined;
  /** Changes with the keys that `clientConfig` embeds: a rotation, a new sender. Without it they never change. */
  readonly keyStamp?: (() => string) | undefined;
  readonly search?: Search | undefined;
  readonly verifyToken?: ((token: string) => Promise<TokenHolder | undefined> | TokenHolder | undefined) | undefined;
  readonly repos?: LocalRepos | undefined;
  /** The store's public key, ASCII-armoured. */
  readonly publicKey?: (() => Promise<string>) | undefined;
  readonly accessLog?: ((record: AccessRecord) => void) | undefined;
  readonly options?: ServerOptions | undefined;
}

export interface ServerOptions {
  /** `/objects/`: large objects are answered by X-Accel-Redirect to this prefix + `ab/abcd…`; see docs/operators.md. */
  readonly accelPrefix?: string | undefined;
  /** The objects folder, which `accelPrefix` stands for; needed with it. */
  readonly accelRoot?: string | undefined;
  /** Memory for bytes of small objects; default 128 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Requests from loopback come from a proxy, whose X-Forwarded-For names the client in the access log. */
  readonly trustProxy?: boolean | undefined;
  /** What clients call this server, where it is not the Host they send: `https://mirror.example.org`. */
  readonly publicUrl?: string | undefined;
  /** Largest upload; default 4 GiB. */
  readonly maxUploadBytes?: number | undefined;
}
