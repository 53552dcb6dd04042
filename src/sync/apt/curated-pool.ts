/** Where the chosen packages of a curated mirror lie, and where they come from. */
import type { AptSpec } from '../../spec/apt-spec.ts';
import { EntrySorter } from '../../store/sorted-lines.ts';
import type { ManifestEntry } from '../../store/types.ts';

/** A file that was chosen, as its upstream lists it. */
export interface ChosenFile extends ManifestEntry {
  readonly upstreamIndex: number;
}

/** `pool/upstream-2/main/h/hello/hello_1_all.deb`, for the second upstream of the spec. */
function ownPath(path: string, upstreamIndex: number): string {
  return `pool/upstream-${upstreamIndex + 1}/${path.replace(/^pool\//, '')}`;
}

/** Where a path of a mirror's pool may be found upstream, most likely first. */
export function* upstreamPaths(
  spec: AptSpec,
  path: string,
): Generator<{ readonly upstreamIndex: number; readonly path: string }> {
  const [, number, rest] = /^pool\/upstream-(\d+)\/(.+)$/.exec(path) ?? [];
  if (spec.form === 'curated' && number !== undefined && rest !== undefined) {
    const upstreamIndex = Number(number) - 1;
    yield { upstreamIndex, path: `pool/${rest}` };
    yield { upstreamIndex, path: rest };
  }
  for (const upstreamIndex of spec.upstreams.keys()) yield { upstreamIndex, path };
}

/**
 * Gives each file its path in the mirror: the one that it has upstream, unless an earlier file with other bytes has it,
 * or it would lie among our indexes.
 */
export class PoolPlaces {
  /** Paths with two checksums → the one that stays. */
  readonly #contested: ReadonlyMap<string, string>;
  /** What does not come from the first upstream, or is not where it is there. */
  readonly #origins = new Map<string, { readonly upstreamIndex: number; readonly path: string }>();

  private constructor(contested: ReadonlyMap<string, string>) {
    this.#contested = contested;
  }

  /** Sorts all files once to find contested paths; memory does not grow with their number. */
  static async of(files: Iterable<ChosenFile> | AsyncIterable<ChosenFile>, scratch: string): Promise<PoolPlaces> {
    const contested = new Map<string, string>();
    const sorter = new EntrySorter({
      folder: scratch,
      onConflict: ({ path, kept }) => contested.set(path, kept.sha256),
    });
    try {
      for await (const { path, sha256, sizeBytes } of files) await sorter.add({ path, sha256, sizeBytes });
      for await (const _ of sorter.sorted());
    } finally {
      await sorter.dispose();
    }
    return new PoolPlaces(contested);
  }

  isContested({ path, sha256 }: ChosenFile): boolean {
    const kept = this.#contested.get(path);
    return path.startsWith('dists/') || (kept !== undefined && kept !== sha256);
  }

  /** The path in the mirror; remembers where upstream has it. */
  place(file: ChosenFile, contested = this.isContested(file)): string {
    const path = contested ? ownPath(file.path, file.upstreamIndex) : file.path;
    if (contested || file.upstreamIndex > 0)
      this.#origins.set(path, { upstreamIndex: file.upstreamIndex, path: file.path });
    return path;
  }

  origin(path: string): { readonly upstreamIndex: number; readonly path: string } {
    return this.#origins.get(path) ?? { upstreamIndex: 0, path };
  }
}
