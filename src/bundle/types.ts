/** The vocabulary of bundles. The formats themselves are specified in docs/formats.md. */
import type { Sha256 } from '../store/types.ts';

export const BUNDLE_FORMAT = 'kubedos-bundle/1';
export const VOLUME_FORMAT = 'kubedos-volume/1';
export const RECEIPT_FORMAT = 'kubedos-receipt/1';

/** FAT32 holds no file over 4 GiB − 1 B. */
export const MAX_FILE_BYTES = 2 ** 32 - 1;
export const DEFAULT_PACK_BYTES = 2 ** 30;
/** Packs of one bundle are numbered with four digits. */
export const MAX_PACKS = 9999;

/** What the receiver must hold already. */
export interface BundleBase {
  readonly snapshot: string;
  /** Of the snapshot document. */
  readonly sha256: Sha256;
  /** Manifest roots of the snapshot, sorted. */
  readonly manifests: readonly Sha256[];
}

export interface PackPlan {
  /** `pack-0001.tar`; numbers run through the whole bundle. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Members of the tar: objects, or extents of one. */
  readonly members: number;
  /** Bytes of the contents list that speak of this pack; the list is in the order of packs. */
  readonly listBytes: number;
}

/** The signed root document, `bundle.json`: canonical JSON, signed in `bundle.json.asc`. All of it is known before a pack is written. */
export interface BundleRoot {
  readonly format: typeof BUNDLE_FORMAT;
  /** The sender's identity. */
  readonly store: string;
  readonly generation: string;
  /** Store id of the only receiver that may take it, or null for anyone. */
  readonly audience: string | null;
  /** Of the newest snapshot carried. */
  readonly sequence: number;
  /** The bundle exported before it for the same audience, so that a receiver sees what it missed. */
  readonly previous: { readonly sequence: number; readonly sha256: Sha256 } | null;
  readonly base: BundleBase | null;
  /** Ascending by sequence. */
  readonly snapshots: readonly { readonly id: string; readonly sha256: Sha256 }[];
  readonly channels: Readonly<Record<string, string>>;
  /** The list of every object carried. `objects` counts whole objects, `bytes` is the sum of their sizes. */
  readonly contents: {
    readonly sha256: Sha256;
    readonly sizeBytes: number;
    readonly objects: number;
    readonly bytes: number;
  };
  /** An object too large for a pack is cut into extents of this size, the last one shorter. */
  readonly extentBytes: number;
  readonly volumes: readonly { readonly packs: readonly PackPlan[] }[];
  /** Whole per cent of each pack that may go bad and be recovered; 0 without parity. */
  readonly parityPercent: number;
  /** SOURCE_DATE_EPOCH of the newest snapshot; also the time of every tar member. */
  readonly time: string;
  readonly expires: string | null;
  /** The chain of trusted roots, oldest first. */
  readonly roots: readonly { readonly version: number; readonly sha256: Sha256 }[];
}

/** A bundle's root as it was read or made: the bytes are what is signed and what names it. */
export interface Bundle {
  /** `b<sequence>-<first 16 hex digits of sha256>`. */
  readonly id: string;
  readonly sha256: Sha256;
  readonly root: BundleRoot;
  readonly bytes: Buffer;
}

/** A file of a volume as `volume.json` lists it. */
export interface VolumeFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}

/** `volume.json`, canonical JSON, written last: a volume without it is not finished. */
export interface VolumeDocument {
  readonly format: typeof VOLUME_FORMAT;
  /** SHA-256 of bundle.json. */
  readonly bundle: Sha256;
  /** 1 to `of`. */
  readonly volume: number;
  readonly of: number;
  /** Every other file of the volume but SHA256SUMS, which repeats the hashes: two witnesses tell which file is damaged. */
  readonly documents: readonly VolumeFile[];
  readonly packs: readonly VolumeFile[];
  /** Parity of the packs of the volume before it (cyclic), sorted by name. */
  readonly parity: readonly VolumeFile[];
}

/** One member of a pack as the contents list gives it. */
export interface PackMember {
  /** Of the bytes of this member. */
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** Where the member is a part of a larger object; `null` for a whole object. */
  readonly extent: { readonly object: Sha256; readonly index: number } | null;
}

export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT;
  /** The receiver's identity. */
  readonly store: string;
  readonly generation: string;
  readonly time: string;
  /** Snapshots that are complete here, ascending by (store, sequence). */
  readonly held: readonly {
    readonly id: string;
    readonly store: string;
    readonly sequence: number;
    readonly sha256: Sha256;
    readonly manifests: readonly Sha256[];
  }[];
  /** By sender's store id: the last bundle taken. */
  readonly senders: Readonly<Record<string, { readonly sequence: number; readonly bundle: Sha256 }>>;
  /** What could not be taken yet, so that the sender can make exactly that again. */
  readonly wanted: readonly {
    readonly bundle: Sha256;
    readonly missingVolumes: readonly number[];
    readonly badFiles: readonly { readonly volume: number; readonly name: string }[];
  }[];
}
