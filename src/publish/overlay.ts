/** A list of files with changes laid over it: streamed, in the order of paths. */
import { comparePaths } from '../formats/path.ts';
import { readManifest, writeManifest } from '../store/manifest.ts';
import type { ManifestEntry, ManifestRef, ObjectStore } from '../store/types.ts';

export interface Overlay {
  /** New or in place of what is there under the same path; in any order. */
  readonly set: readonly ManifestEntry[];
  /** What goes; a path that is also set stays set. */
  readonly drop: (path: string) => boolean;
}

/** Without `base`: a list of what is set. Chunks that do not change are not written again. */
export async function overlayManifest(
  objects: ObjectStore,
  base: ManifestRef | undefined,
  { set, drop }: Overlay,
): Promise<ManifestRef> {
  const changes = new Map(set.map((entry) => [entry.path, entry]));
  const sorted = [...changes.values()].sort((a, b) => comparePaths(a.path, b.path));
  async function* merged(): AsyncGenerator<ManifestEntry> {
    let next = 0;
    if (base !== undefined) {
      for await (const entry of readManifest(objects, base.root)) {
        for (; next < sorted.length; next++) {
          const change = sorted[next] as ManifestEntry;
          if (comparePaths(change.path, entry.path) >= 0) break;
          yield change;
        }
        if (!changes.has(entry.path) && !drop(entry.path)) yield entry;
      }
    }
    yield* sorted.slice(next);
  }
  return writeManifest(objects, merged());
}
