/**
 * The vocabulary of the store: what the use cases share. See docs/formats.md for the formats on disk.
 */
import type { Readable } from 'node:stream';
import type { Channels, LabelStore } from './pointer-types.ts';

export type { Channel, Channels, LabelStore, Labels } from './pointer-types.ts';

/** 64 lower-case hexadecimal digits. */
export type Sha256 = string;

export interface ObjectRef {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** A line of a manifest. Paths are relative, `/`-separated, canonical (see `paths.ts`), sorted by their UTF-8 bytes. */
export interface ManifestEntry extends ObjectRef {
  readonly path: string;
}

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** `start` inclusive, `end` exclusive, in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Whole files by SHA-256, immutable once written. Absence is `undefined`, all else throws.
 * Every backend passes test/contracts/object-store.ts.
 */
export interface ObjectStore {
  /**
   * Stores the bytes while hashing them. With `expected`, refuses other bytes (`store.hash-mismatch`) as soon
   * as the size is exceeded or at the end; nothing stays behind then. Storing what is there already is a no-op.
   * The object can be read through this instance at once; it is durable, and seen by others, after `flush`
   * (or earlier: a backend flushes by itself when much is pending).
   */
  put(source: ByteSource, expected?: Partial<ObjectRef>): Promise<ObjectRef>;
  /**
   * Takes over a file that the caller has hashed and closed, on the same file system (it moves; no copy).
   * Visible and durable after `flush`, as for `put`. The caller vouches for `ref`.
   */
  adopt(file: string, ref: ObjectRef): Promise<void>;
  /** Makes all that was put or adopted durable: fsync of files, rename, fsync of folders, as one batch. */
  flush(): Promise<void>;
  /** A stream of the object or of a part of it. The caller consumes or destroys it. May be called again: each is a new stream. */
  open(sha256: Sha256, range?: ByteRange): Promise<Readable | undefined>;
  /** The whole object in memory; `store.corrupt` if it is larger than `maxBytes`. For documents and index pieces, not for packages. */
  read(sha256: Sha256, maxBytes: number): Promise<Buffer | undefined>;
  stat(sha256: Sha256): Promise<ObjectRef | undefined>;
  /** All objects in ascending order of hash, with the time of arrival (ms since 1970), from `after` (exclusive) on. */
  list(after?: Sha256): AsyncIterable<ObjectRef & { readonly storedAtMs: number }>;
  /** True if it was there. */
  remove(sha256: Sha256): Promise<boolean>;
  /** Where the object lies as a local file, for backends that have such a place (sendfile, hard links, X-Accel-Redirect). */
  localPath?(sha256: Sha256): string;
}

/** A manifest as snapshots and heads refer to it. */
export interface ManifestRef {
  /** The root object. */
  readonly root: Sha256;
  readonly files: number;
  /** Sum of the sizes over all paths (an object under two paths counts twice). */
  readonly bytes: number;
}

export type RepositoryKind = 'apt' | 'yum' | 'files';
/** `verbatim`: upstream's signed bytes. `curated`: chosen from upstreams, index signed by us. `local`: own packages, index signed by us. */
export type MirrorForm = 'verbatim' | 'curated' | 'local';

/** What vouched for a mirror's state: the signed file of the upstream, kept as an object. */
export interface Evidence {
  /** Which archive and suite, as the spec names it: "https://host/debian bookworm". Without credentials. */
  readonly source: string;
  /** The signed document: InRelease, Release, repomd.xml. */
  readonly document: Sha256;
  /** The detached signature where the document is not clearsigned. */
  readonly signature: Sha256 | null;
  /** The public keys that the spec pinned for it, ASCII-armoured, as an object: travels along, so that the dark side checks again and configures clients. */
  readonly keyring: Sha256 | null;
  /** Of yum: what was demanded to be signed by these keys, the document (`metadata`), each package by itself, or both. */
  readonly verified?: readonly ('metadata' | 'packages')[] | undefined;
  /** Primary key fingerprints (upper-case hex) whose good signatures were found. */
  readonly fingerprints: readonly string[];
  /** ISO 8601, from the document itself. */
  readonly date: string | null;
  readonly validUntil: string | null;
}

/** The newest synced or published state of a mirror: what the next snapshot will take. */
export interface MirrorHead {
  readonly format: 'kubedos-head/1';
  readonly name: string;
  readonly kind: RepositoryKind;
  readonly form: MirrorForm;
  readonly manifest: ManifestRef;
  readonly evidence: readonly Evidence[];
  /** When this state was reached (ISO 8601, seconds, Z). */
  readonly time: string;
  /** SHA-256 of the canonical spec that made it; another one forces a full plan at the next sync. */
  readonly spec: Sha256 | null;
  /** What sync and publish remember between runs (validators, newest accepted Dates, by-hash generations): theirs alone. */
  readonly memory: Readonly<Record<string, unknown>>;
}

/** The mutable heads, one file a mirror. Writes are atomic and durable. */
export interface Heads {
  read(name: string): Promise<MirrorHead | undefined>;
  /** Sorted by name. */
  list(): Promise<MirrorHead[]>;
  /** Names alone, sorted, also of heads whose document is damaged. */
  names(): Promise<string[]>;
  /** Replaces the head if its manifest root is still `expectedRoot` (`undefined`: there is none yet), else `store.raced`. */
  write(head: MirrorHead, expectedRoot: Sha256 | undefined): Promise<void>;
  remove(name: string): Promise<boolean>;
}

export interface SnapshotMirror {
  readonly name: string;
  readonly kind: RepositoryKind;
  readonly form: MirrorForm;
  readonly manifest: ManifestRef;
  readonly evidence: readonly Evidence[];
}

/** The signed document, canonical JSON (see `canonical-json.ts`), UTF-8, ending in a newline. */
export interface SnapshotDocument {
  readonly format: 'kubedos-snapshot/1';
  /** Identity of the store that made it (UUID). */
  readonly store: string;
  /** Grows by at least one with each snapshot of a store; never reused. */
  readonly sequence: number;
  /** ISO 8601, whole seconds, Z. SOURCE_DATE_EPOCH of all that is made from it. */
  readonly time: string;
  /** Id of the snapshot before it in the same store. */
  readonly parent: string | null;
  /** Sorted by name. */
  readonly mirrors: readonly SnapshotMirror[];
  readonly note: string | null;
}

export interface Snapshot {
  /** `<sequence>-<first 16 hex digits of the SHA-256 of the document's bytes>`. */
  readonly id: string;
  readonly document: SnapshotDocument;
  readonly bytes: Buffer;
  /** Detached armoured OpenPGP signature of `bytes`. */
  readonly signature: string;
}

/** Makes a detached armoured signature; given by trust/ through the wiring, since effects do not import each other. */
export type Sign = (bytes: Uint8Array) => Promise<string>;

export interface NewSnapshot {
  readonly heads: readonly MirrorHead[];
  readonly now: Date;
  readonly sign: Sign;
  readonly note?: string | undefined;
}

export interface Snapshots {
  /** Takes the heads as they are. Unchanged since the newest snapshot of this store: returns that one (`created: false`). */
  create(input: NewSnapshot): Promise<{ readonly snapshot: Snapshot; readonly created: boolean }>;
  /** Files a snapshot that came from elsewhere and was verified by the caller. Repeats are no-ops. */
  insert(bytes: Uint8Array, signature: string): Promise<Snapshot>;
  read(id: string): Promise<Snapshot | undefined>;
  /** By id, unique prefix of an id (at least the sequence number), tag, or channel name; `store.not-found` otherwise. */
  resolve(reference: string): Promise<Snapshot>;
  /** Ids, ascending by (store, sequence). */
  list(): Promise<string[]>;
  /** Holds document and signature, byte for byte, against the checksums beside them; `store.corrupt`. */
  checkSums(snapshot: Snapshot): Promise<void>;
  /** `store.protected` where a channel, a protection or an acknowledgement holds it. Tags on it go with it. */
  delete(id: string): Promise<void>;
}

/** Objects that a scrub or a read found damaged: served as 500, replaced by repair. */
export interface BadObjects {
  has(sha256: Sha256): boolean;
  list(): Promise<Sha256[]>;
  add(sha256: Sha256): Promise<void>;
  clear(sha256: Sha256): Promise<void>;
}

export interface StoreIdentity {
  readonly format: 'kubedos-store/1';
  /** UUID, made at init. */
  readonly id: string;
  /** Changes when a store is recreated from nothing but keys: forces a full bundle. UUID. */
  readonly generation: string;
  readonly created: string;
}

/** Layout of the data folder: docs/operators.md. */
export interface Store {
  readonly dir: string;
  readonly identity: StoreIdentity;
  readonly objects: ObjectStore;
  readonly heads: Heads;
  readonly snapshots: Snapshots;
  readonly labels: LabelStore;
  readonly channels: Channels;
  readonly bad: BadObjects;
  /**
   * Runs `work` as the only writer of the store, across processes. Held elsewhere: `store.locked` naming pid, host,
   * command and time, at once or after `waitMs`. The lock goes with the process, kill -9 included. Re-entrant within
   * one Store instance: calls from inside `work` run at once, others of the same instance queue.
   */
  withWriter<T>(
    command: string,
    work: () => Promise<T>,
    options?: { readonly waitMs?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<T>;
  /** An absolute path in the data folder, its folder made: `file('partial', name)`. */
  file(
    area: 'partial' | 'tmp' | 'cache' | 'keys' | 'trust' | 'mirrors' | 'bundles',
    ...names: string[]
  ): Promise<string>;
  close(): Promise<void>;
}
