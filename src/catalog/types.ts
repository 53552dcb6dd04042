/** What the catalog tells and is told. */

/** One package in one place of one mirror. */
export interface PackageRow {
  readonly family: 'apt' | 'yum';
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Name of the source package. */
  readonly source: string;
  /** `''` where the index gives none. */
  readonly section: string;
  /** The first line. */
  readonly description: string;
  readonly sha256: string;
  /** Within the mirror. */
  readonly path: string;
}

export interface FoundPackage extends PackageRow {
  /** All mirrors that list it, sorted. `path` is the one in the first of them, or in the mirror that was asked for. */
  readonly mirrors: readonly string[];
}

export type TokenScope = 'upload';

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  /** Repositories that it is for; undefined: all. */
  readonly repos: readonly string[] | undefined;
  readonly created: Date;
  readonly expires: Date | null;
  readonly revoked: Date | null;
}

export interface Catalog {
  /**
   * Makes these rows what the mirror lists; writes differences only. Readers see the old listing or the new one.
   * Rows may repeat. Memory does not grow with their number.
   */
  recordMirror(
    mirror: string,
    root: string,
    rows: AsyncIterable<PackageRow> | Iterable<PackageRow>,
  ): Promise<RecordedMirror>;
  /**
   * The same where the difference is known. False, and nothing is written, where the catalog does not hold the state
   * `before`: then record the whole mirror.
   */
  recordChange(mirror: string, change: ListingChange): Promise<boolean>;
  forgetMirror(mirror: string): Promise<void>;
  /** Mirrors on record with the manifest root that was read, sorted by name. */
  recordedMirrors(): readonly { readonly mirror: string; readonly root: string }[];
  /** What is known of these objects; of several descriptions or places the first by mirror and path. */
  packagesByObject(sha256s: Iterable<string>): Map<string, PackageRow>;
  /**
   * Packages whose name is, then begins with, then holds the text, then those whose description has all words of it
   * or words that begin so; within that by name. Case does not matter.
   */
  search(text: string, options: SearchOptions): readonly FoundPackage[];
  createToken(wanted: NewToken): { readonly token: Token; readonly secret: string };
  /** The token, if the secret is known, of that scope, neither revoked nor expired. */
  verifyToken(secret: string, scope: TokenScope, now: Date): Token | undefined;
  /** False if there is none, or none that is not revoked yet. */
  revokeToken(id: string, now: Date): boolean;
  /** All, revoked ones included, oldest first. */
  listTokens(): readonly Token[];
  close(): void;
}

export interface RecordedMirror {
  readonly added: number;
  readonly removed: number;
}

export interface ListingChange {
  /** Root on record before; `undefined`: the mirror is new. */
  readonly before: string | undefined;
  readonly root: string;
  readonly added: readonly PackageRow[];
  /** What is no longer listed there. */
  readonly removed: readonly { readonly sha256: string; readonly path: string }[];
}

export interface SearchOptions {
  readonly mirror?: string | undefined;
  readonly limit: number;
}

export interface NewToken {
  readonly name: string;
  readonly scope: TokenScope;
  /** Default: all repositories. */
  readonly repos?: readonly string[] | undefined;
  readonly now: Date;
  readonly expires?: Date | undefined;
}
