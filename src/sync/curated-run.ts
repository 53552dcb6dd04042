import type { CurateSpec } from '../spec/curate-spec.ts';
import type { MirrorHead } from '../store/types.ts';
import type { SyncMemory } from './memory.ts';
import type { Session } from './session.ts';
import type { Workspace } from './workspace.ts';

/** What the steps of a curated sync share. */
export interface CuratedRun {
  readonly session: Session;
  readonly curate: CurateSpec;
  readonly seeds: ReadonlyMap<string, string>;
  readonly space: Workspace;
  readonly before: MirrorHead | undefined;
  readonly memory: SyncMemory;
}
