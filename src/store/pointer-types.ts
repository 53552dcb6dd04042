/** What points at snapshots. */

/** What people hang on snapshots; outside the signed documents, since it changes. */
export interface Labels {
  /** tag → snapshot id */
  readonly tags: Readonly<Record<string, string>>;
  readonly protected: readonly string[];
  /** receiver store id → snapshot id that its newest receipt acknowledged; pins it. */
  readonly acknowledged: Readonly<Record<string, string>>;
  /** The highest sequence number of this store when a snapshot was deleted; none is used twice. */
  readonly usedSequence?: number | undefined;
}

export interface LabelStore {
  read(): Promise<Labels>;
  update(change: (labels: Labels) => Labels): Promise<Labels>;
}

export interface Channel {
  readonly format: 'kubedos-channel/1';
  readonly name: string;
  readonly snapshot: string;
  /** Grows by one with each move. */
  readonly version: number;
  readonly time: string;
  /** Earlier snapshots, newest first, at most 100. */
  readonly history: readonly { readonly snapshot: string; readonly time: string }[];
}

export interface Channels {
  read(name: string): Promise<Channel | undefined>;
  /** Sorted by name. */
  list(): Promise<Channel[]>;
  /** Names alone, sorted, also of channels whose document is damaged. */
  names(): Promise<string[]>;
  /**
   * Compare-and-swap in one step: `expected` is the snapshot it must point at now (`undefined`: must not exist;
   * omit the option to move whatever it is). `store.raced` otherwise. The snapshot must be in the store.
   */
  move(
    name: string,
    snapshot: string,
    options: { readonly now: Date; readonly expected?: string | undefined },
  ): Promise<Channel>;
  remove(name: string): Promise<boolean>;
}
