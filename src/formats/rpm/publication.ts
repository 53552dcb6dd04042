/**
 * What a repository of our own is made of: the contract between who chooses packages (sync/, local repositories) and who
 * writes and signs metadata (publish/).
 */
import type { ProgressEvent } from '../../progress.ts';

/** What dnf of every age reads is gz; zst takes half the time, from RHEL 8 on. */
export type RpmCompression = 'gz' | 'zst';

export const METADATA_TYPES = ['primary', 'filelists', 'other'] as const;
export type MetadataType = (typeof METADATA_TYPES)[number];

/** A package's part of one metadata file. */
export interface MetadataRecord {
  readonly name: string;
  /** `<package …>…</package>`. */
  readonly bytes: Buffer;
}

/** Records of a file that was published before, one piece of it, which nothing changed: taken over as it stands there. */
export interface KeptPiece {
  /** Name of the first package. */
  readonly first: string;
  /** It begins there because of this name, whatever stands before it. */
  readonly begins: boolean;
  readonly packages: number;
  readonly content: Buffer;
  /** By the compression of the publication. */
  readonly packed: Buffer;
}

export interface RpmPublication {
  /** Path of the repository in its mirror; empty for its root. */
  readonly folder: string;
  readonly packages: number;
  /** Sorted by the bytes of the name, then in a fixed order; the same for each call, and the same packages for all types. */
  records(type: MetadataType): AsyncIterable<MetadataRecord | KeptPiece>;
  /** Further records: comps as `group`, `modules`, `updateinfo`; type → file name without compression, and content. */
  readonly extra?: ReadonlyMap<string, { readonly name: string; readonly content: Uint8Array }> | undefined;
  /** ASCII-armoured keys of those who signed the packages: clients are given them beside ours. */
  readonly packageKeys?: Uint8Array | undefined;
  /** Whole seconds: the revision, and the time of the signature. */
  readonly date: Date;
  readonly compression: RpmCompression;
  /** Metadata of the publications before, newest first. */
  readonly previous: RpmGenerations;
}

export type RpmGenerations = readonly (readonly RpmMetadataFile[])[];

export interface RpmMetadataFile {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface PublishedRpm {
  /** All of repodata/, that of earlier publications included, and the keys, sorted by path; the objects are in the store, flushed. */
  readonly entries: readonly RpmMetadataFile[];
  readonly generations: RpmGenerations;
}

export type PublishRpm = (
  publication: RpmPublication,
  run?: { readonly signal?: AbortSignal | undefined; readonly onEvent?: ((event: ProgressEvent) => void) | undefined },
) => Promise<PublishedRpm>;
