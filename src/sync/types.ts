/** What syncing takes and tells. */
import type { PublishApt } from '../formats/apt/publication.ts';
import type { PublishRpm } from '../formats/rpm/publication.ts';
import type { Fetcher } from '../net/types.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import type { KeyPin } from '../spec/spec-fields.ts';
import type { ManifestRef, Sha256, Store } from '../store/types.ts';
import type { Keyring } from '../trust/types.ts';

export interface SyncDeps {
  readonly store: Store;
  readonly fetcher: Fetcher;
  readonly now: () => Date;
  /** The keyring of these pins; `trust.no-key` where the public key of one is not at hand. */
  readonly loadKeys: (pins: readonly KeyPin[]) => Promise<Keyring>;
  /** For curated mirrors: writes and signs their indexes or metadata. */
  readonly publish?: PublishApt | undefined;
  readonly publishRpm?: PublishRpm | undefined;
  /** Contents of a seed file that a rule names. */
  readonly readSeed?: ((spec: MirrorSpec, file: string) => Promise<string>) | undefined;
  /** The catalog: told after the head moved, and again where it was not through with it. */
  readonly recordPackages?: ((mirror: string, root: Sha256) => Promise<unknown>) | undefined;
  /** Roots for `url: system`; default: those of this host's apt. */
  readonly systemSources?: ((suites: readonly string[]) => Promise<readonly string[]>) | undefined;
}

export interface SyncOptions {
  /** Tells what would be fetched; writes nothing to the store. */
  readonly dryRun?: boolean | undefined;
  /** Refusals to pass over this once. */
  readonly allow?: readonly ('rollback' | 'expired')[] | undefined;
}

export interface SyncedSuite {
  /** As in Evidence: "https://host/debian bookworm". */
  readonly source: string;
  readonly changed: boolean;
  readonly date: string | null;
  readonly validUntil: string | null;
  readonly fingerprints: readonly string[];
}

export interface SyncReport {
  readonly mirror: string;
  readonly form: 'verbatim' | 'curated';
  /** False: nothing was written. With `dryRun`: something would be. */
  readonly changed: boolean;
  readonly dryRun: boolean;
  readonly suites: readonly SyncedSuite[];
  /** What was fetched, or would be: indexes and packages that the store lacked. */
  readonly fetched: { readonly files: number; readonly bytes: number };
  /** Paths that are new or changed, and gone, against the state before. */
  readonly paths: { readonly added: number; readonly removed: number };
  /** Listed upstream, not served there, left out by the spec's `missing:`. */
  readonly missing: readonly string[];
  readonly manifest: ManifestRef;
  readonly notes: readonly string[];
}
