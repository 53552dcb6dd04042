/**
 * What a curated or local apt repository is made of: the contract between who chooses packages (sync/, local
 * repositories) and who writes and signs indexes (publish/).
 */
import type { ProgressEvent } from '../../progress.ts';

export type IndexCompression = 'gz' | 'zst' | 'xz';

/** One index of a component. */
export interface IndexInput {
  readonly component: string;
  readonly kind: 'Packages' | 'Sources' | 'Translation';
  /** `amd64`, `all`, … for Packages; `source` for Sources; the language (`en`) for Translation. */
  readonly architecture: string;
  /**
   * Whole stanzas, each ending in exactly one newline and without a blank line, sorted by the bytes of Package,
   * then in a fixed order of version. A chunk is one stanza, or for speed several with one blank line between them.
   * May be called more than once and gives the same each time.
   */
  stanzas(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** By-hash files of the publications before this one, newest first: publish/ alone knows what is in it. JSON. */
export type Generations = readonly (readonly {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}[])[];

export interface Publication {
  /** `bookworm`, `bookworm-updates`, `stable/rolling`: the folder below dists/. */
  readonly suite: string;
  readonly codename: string;
  readonly origin: string;
  readonly label: string;
  readonly description?: string | undefined;
  readonly version?: string | undefined;
  readonly components: readonly string[];
  /** Without `all` and `source`. */
  readonly architectures: readonly string[];
  readonly indexes: readonly IndexInput[];
  /** Whole seconds; must be newer than the publication before for clients to take it. */
  readonly date: Date;
  readonly validUntil?: Date | undefined;
  readonly notAutomatic?: boolean | undefined;
  readonly butAutomaticUpgrades?: boolean | undefined;
  /** Default gz and zst. */
  readonly compressions?: readonly IndexCompression[] | undefined;
  readonly previous?: Generations | undefined;
}

export interface Published {
  /** All of dists/<suite>/, by-hash included, sorted by path; the objects are in the store, flushed. */
  readonly entries: readonly { readonly path: string; readonly sha256: string; readonly sizeBytes: number }[];
  /** For `previous` of the next publication; at most three generations. */
  readonly generations: Generations;
  /** The InRelease. */
  readonly inRelease: { readonly sha256: string; readonly sizeBytes: number };
}

export type PublishApt = (
  publication: Publication,
  run?: { readonly signal?: AbortSignal | undefined; readonly onEvent?: ((event: ProgressEvent) => void) | undefined },
) => Promise<Published>;
