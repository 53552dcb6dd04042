import type { CurateSpec } from '../../spec/apt-curate-spec.ts';
import type { SyncRun } from '../run-sync.ts';
import type { AptKind } from './suite-state.ts';

/** What the steps of a curated sync share. */
export interface CuratedRun extends SyncRun<AptKind> {
  readonly curate: CurateSpec;
}
