import { entryAt, loadChunk, loadRoot } from './manifest-format.ts';
import type { NamedList } from './reachable.ts';
import type { ObjectStore, Sha256 } from './types.ts';

/** One place where a list names an object. */
export interface ObjectUse {
  readonly sha256: Sha256;
  readonly list: NamedList;
  readonly role: 'file' | 'evidence' | 'root' | 'chunk';
  /** For files. */
  readonly path: string | null;
  /** The size that the list states. */
  readonly sizeBytes: number | null;
}

/**
 * Where the lists name these objects: reads every list, so it is for the rare day when something is damaged. A chunk
 * that is shared is told of for each list that has it. Lists that cannot be read are passed over.
 */
export async function* whereUsed(
  objects: ObjectStore,
  lists: readonly NamedList[],
  wanted: ReadonlySet<Sha256>,
): AsyncGenerator<ObjectUse> {
  for (const list of lists) {
    const { root: rootHash } = list.manifest;
    if (wanted.has(rootHash)) yield { sha256: rootHash, list, role: 'root', path: null, sizeBytes: null };
    for (const sha256 of list.loose) {
      if (wanted.has(sha256)) yield { sha256, list, role: 'evidence', path: null, sizeBytes: null };
    }
    const root = await loadRoot(objects, rootHash).catch(() => undefined);
    for (let index = 0; root && index < root.table.count; index++) {
      const part = root.chunk(index);
      if (wanted.has(part.sha256)) yield { ...part, list, role: 'chunk', path: null };
      const chunk = await loadChunk(objects, root, index).catch(() => undefined);
      for (let line = 0; chunk && line < chunk.count; line++) {
        if (wanted.has(chunk.sha256(line))) yield { ...entryAt(chunk, line), list, role: 'file' };
      }
    }
  }
}
