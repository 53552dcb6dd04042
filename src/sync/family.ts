import type { SyncMemory } from './memory.ts';
import type { Opening, SyncInput } from './session.ts';
import type { SyncDeps, SyncReport } from './types.ts';
import type { Kind, UpstreamRoot } from './upstream-root.ts';

/** A kind of repository: how its signed roots are read, and what a sync does once one of them is new. */
export interface Family<K extends Kind> {
  roots(input: SyncInput<K>): Promise<UpstreamRoot<K['state']>[]>;
  /** True where there is something to publish though upstream has nothing new. */
  isDue(input: SyncInput<K>, memory: SyncMemory): boolean;
  sync(opening: Opening<K>): Promise<SyncReport>;
  /** Where a file of a mirror may be found upstream, most likely first. */
  places(
    spec: K['spec'],
    path: string,
    deps: Pick<SyncDeps, 'fetcher' | 'systemSources'>,
  ): AsyncIterable<UpstreamPlace>;
  /** True where the mirror has this path from us, and no upstream has it. */
  isOurs(spec: K['spec'], path: string): boolean;
}

export interface UpstreamPlace {
  /** Roots in order of preference. */
  readonly urls: readonly string[];
  readonly path: string;
}
