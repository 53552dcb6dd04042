/** Where the chosen packages of a curated mirror lie, and where they come from. */
import { EntrySorter } from '../../store/sorted-lines.ts';
import type { ManifestEntry } from '../../store/types.ts';

/** Lines in memory: the table that was chosen from is there, too. */
export const SORT_BYTES = 4 * 1024 * 1024;

/** A file that was chosen, as its upstream lists it. */
export interface ChosenFile extends ManifestEntry {
  /** Of the upstream or repository that it comes from. */
  readonly upstreamIndex: number;
  /** Where it lies there, if that is not `path`. */
  readonly remotePath?: string | undefined;
}

/** What a family says of the paths of its mirrors. */
export interface OwnPlaces {
  /** Metadata of ours lies there. */
  readonly isOurs: (path: string) => boolean;
  /** In place of a path that another file has, or metadata. */
  readonly ownPath: (path: string, upstreamIndex: number) => string;
}

/**
 * Gives each file its path in the mirror: the one that it has upstream, unless an earlier file with other bytes has it,
 * or it would lie among our own metadata.
 */
export class PoolPlaces {
  /** Paths with two checksums → the one that stays. */
  readonly #contested: ReadonlyMap<string, string>;
  /** What does not come from the first upstream, or is not where it is there. */
  readonly #origins = new Map<string, { readonly upstreamIndex: number; readonly path: string }>();

  readonly #own: OwnPlaces;

  private constructor(contested: ReadonlyMap<string, string>, own: OwnPlaces) {
    this.#contested = contested;
    this.#own = own;
  }

  /** Sorts all files once to find contested paths; memory does not grow with their number. */
  static async of(files: Iterable<ChosenFile>, scratch: string, own: OwnPlaces): Promise<PoolPlaces> {
    const contested = new Map<string, string>();
    const sorter = new EntrySorter({
      folder: scratch,
      memoryBytes: SORT_BYTES,
      onConflict: ({ path, kept }) => contested.set(path, kept.sha256),
    });
    try {
      for (const { path, sha256, sizeBytes } of files) await sorter.add({ path, sha256, sizeBytes });
      for await (const _ of sorter.sorted());
    } finally {
      await sorter.dispose();
    }
    return new PoolPlaces(contested, own);
  }

  isContested({ path, sha256 }: ChosenFile): boolean {
    const kept = this.#contested.get(path);
    return this.#own.isOurs(path) || (kept !== undefined && kept !== sha256);
  }

  /** The path in the mirror; remembers where upstream has it. */
  place(file: ChosenFile, contested = this.isContested(file)): string {
    const { upstreamIndex, remotePath = file.path } = file;
    const path = contested ? this.#own.ownPath(file.path, upstreamIndex) : file.path;
    if (upstreamIndex > 0 || remotePath !== path)
      this.#origins.set(copied(path), { upstreamIndex, path: copied(remotePath) });
    return path;
  }

  origin(path: string): { readonly upstreamIndex: number; readonly path: string } {
    return this.#origins.get(path) ?? { upstreamIndex: 0, path };
  }
}

/** A text of its own: a part of a longer one, a record say, keeps all of it in memory. */
function copied(part: string): string {
  return Buffer.from(part).toString();
}
