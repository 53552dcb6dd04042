import { KubedosError } from '../errors.ts';
import type { Snapshot, SnapshotMirror } from '../store/types.ts';

/** `store.not-found` begins with the place that names it. */
export function snapshotMirror({ document, id }: Snapshot, name: string, place: () => string): SnapshotMirror {
  const mirror = document.mirrors.find((each) => each.name === name);
  if (mirror !== undefined) return mirror;
  throw new KubedosError('store.not-found', `${place()}: snapshot ${id} holds no ${name}`, {
    hint: `it holds: ${document.mirrors.map((each) => each.name).join(', ')}`,
  });
}
