/** What the JSON API answers. Additions are no break; web/ and other programs read these. */

export interface ApiEvidence {
  readonly source: string;
  readonly date: string | null;
  readonly validUntil: string | null;
  readonly fingerprints: readonly string[];
}

export interface ApiMirror {
  readonly name: string;
  readonly kind: string;
  readonly form: string;
  readonly files: number;
  readonly bytes: number;
  /** Manifest root. */
  readonly root: string;
  /** When this state was reached: of the sync, or, for a mirror that came in a bundle, of its snapshot. */
  readonly time: string;
  /** Channels that serve this mirror, in whatever state. */
  readonly channels: readonly string[];
  readonly evidence: readonly ApiEvidence[];
}

export interface ApiSnapshotMirror {
  readonly name: string;
  readonly kind: string;
  readonly form: string;
  readonly files: number;
  readonly bytes: number;
  readonly root: string;
}

export interface ApiSnapshot {
  readonly id: string;
  readonly store: string;
  readonly sequence: number;
  readonly time: string;
  readonly parent: string | null;
  readonly note: string | null;
  readonly files: number;
  readonly bytes: number;
  readonly mirrors: readonly ApiSnapshotMirror[];
  readonly channels: readonly string[];
  readonly tags: readonly string[];
  readonly protected: boolean;
}

export interface ApiChannel {
  readonly name: string;
  readonly snapshot: string;
  readonly version: number;
  readonly time: string;
  readonly history: readonly { readonly snapshot: string; readonly time: string }[];
}

export interface ApiError {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}
