/** What a kind of repository brings of its own to a sync: the signed file at its root, and what is planned from that. */
import type { Validators } from '../net/types.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import type { Evidence, ObjectStore } from '../store/types.ts';
import type { RootMemory } from './memory.ts';
import type { SyncOptions } from './types.ts';

/** A Release or repomd.xml as upstream serves it, unverified. */
export type FetchedRoot =
  | { readonly form: 'unchanged' }
  | { readonly form: 'inline'; readonly document: Buffer; readonly validators: Validators }
  | {
      readonly form: 'detached';
      readonly document: Buffer;
      /** `null` where the spec demands none. */
      readonly signature: Buffer | null;
      readonly validators: Validators;
    };

/** What a verified root is held against. */
export interface CheckContext {
  readonly source: string;
  readonly now: Date;
  readonly allow: NonNullable<SyncOptions['allow']>;
  readonly known: RootMemory | undefined;
}

export interface ReadContext {
  readonly objects: ObjectStore;
  readonly check: CheckContext;
}

/** One suite, or one repository of one architecture, with all that is needed to ask for it. */
export interface UpstreamRoot<State extends RootState = RootState> {
  /** Under what it is remembered. */
  readonly key: string;
  /** As in Evidence: "https://host/debian bookworm". */
  readonly source: string;
  /** One request and no more where upstream says that nothing changed since `known`. */
  fetch(known?: RootMemory): Promise<FetchedRoot>;
  /** Verifies what was fetched; an unchanged one is read from the store and verified again. */
  read(fetched: FetchedRoot, context: ReadContext): Promise<State>;
}

/** A signed file at the root of a mirror, to be listed in its manifest. */
export interface SignedFile {
  readonly path: string;
  readonly bytes: Buffer;
}

export interface RootState {
  readonly request: { readonly key: string; readonly source: string };
  readonly files: readonly SignedFile[];
  readonly evidence: {
    readonly document: Buffer;
    readonly signature: Buffer | null;
    readonly keyring: Buffer;
    readonly fingerprints: readonly string[];
    readonly verified?: Evidence['verified'];
  };
  readonly memory: RootMemory;
  /** False: the document is the one that is remembered. */
  readonly changed: boolean;
}

/** What types a session is of: apt's or yum's. */
export interface Kind {
  readonly spec: MirrorSpec;
  readonly state: RootState;
}
