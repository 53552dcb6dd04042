import { ByteLru } from './byte-lru.ts';
import type { LineTable } from './line-table.ts';
import { entryAt, loadChunk, loadRoot, type ManifestRoot } from './manifest-format.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from './types.ts';

/** What a reader keeps in memory unless told otherwise: the lists of about half a million files. */
const READER_CACHE_BYTES = 96 * 1024 * 1024;
/** The byte after `/`: what sorts behind all that is below a folder. */
const AFTER_SLASH = '0';

export interface DirectoryEntry {
  readonly name: string;
  readonly directory: boolean;
  /** Files only. */
  readonly sizeBytes?: number;
}

/** Looks paths up for a server: roots and chunks stay parsed in a bounded cache. Objects never change, so nothing gets stale. */
export class ManifestReader {
  readonly #objects: ObjectStore;
  readonly #roots: ByteLru<ManifestRoot>;
  readonly #chunks: ByteLru<LineTable>;

  constructor(objects: ObjectStore, options: { readonly maxBytes?: number } = {}) {
    this.#objects = objects;
    const maxBytes = options.maxBytes ?? READER_CACHE_BYTES;
    this.#roots = new ByteLru(maxBytes / 4, (root) => root.table.memoryBytes);
    this.#chunks = new ByteLru((maxBytes / 4) * 3, (chunk) => chunk.memoryBytes);
  }

  /** What the cache holds now. */
  get cachedBytes(): number {
    return this.#roots.bytes + this.#chunks.bytes;
  }

  async lookup(root: Sha256, path: string): Promise<ManifestEntry | undefined> {
    const list = this.#roots.get(root) ?? (await this.#loadRoot(root));
    const wanted = Buffer.from(path);
    const index = list.indexFor(wanted);
    if (index < 0) return undefined;
    const chunk = this.#chunks.get(list.table.sha256(index)) ?? (await this.#loadChunk(list, index));
    const line = chunk.seek(wanted);
    return line < chunk.count && chunk.compareTo(line, wanted) === 0 ? entryAt(chunk, line) : undefined;
  }

  /**
   * One level below `directory` (`''` is the top), in the order of paths, where a folder sorts as `name/`. `after` goes
   * on behind an entry: its name, with a `/` at the end for a folder. Costs one seek for each folder, whatever is
   * below it. Empty if there is no such folder.
   */
  async listDirectory(
    root: Sha256,
    directory: string,
    options: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<DirectoryEntry[]> {
    const list = this.#roots.get(root) ?? (await this.#loadRoot(root));
    const prefix = directory === '' ? '' : `${directory}/`;
    const { after } = options;
    const found: DirectoryEntry[] = [];
    let place = await this.#seek(list, after === undefined ? prefix : behind(`${prefix}${after}`));
    while (place && found.length < options.limit) {
      const entry = entryAt(place.chunk, place.line);
      if (!entry.path.startsWith(prefix)) break;
      const rest = entry.path.slice(prefix.length);
      const slash = rest.indexOf('/');
      if (slash < 0) {
        found.push({ name: rest, directory: false, sizeBytes: entry.sizeBytes });
        place = await this.#next(list, place);
      } else {
        const name = rest.slice(0, slash);
        found.push({ name, directory: true });
        place = await this.#seek(list, behind(`${prefix}${name}/`));
      }
    }
    return found;
  }

  /** The first line that is not before `path`. */
  async #seek(list: ManifestRoot, path: string): Promise<Place | undefined> {
    const wanted = Buffer.from(path);
    const index = Math.max(0, list.indexFor(wanted));
    if (index >= list.table.count) return undefined;
    const chunk = await this.#chunk(list, index);
    return this.#next(list, { index, chunk, line: chunk.seek(wanted) - 1 });
  }

  async #next(list: ManifestRoot, { index, chunk, line }: Place): Promise<Place | undefined> {
    if (line + 1 < chunk.count) return { index, chunk, line: line + 1 };
    if (index + 1 >= list.table.count) return undefined;
    return { index: index + 1, chunk: await this.#chunk(list, index + 1), line: 0 };
  }

  async #chunk(list: ManifestRoot, index: number): Promise<LineTable> {
    return this.#chunks.get(list.table.sha256(index)) ?? this.#loadChunk(list, index);
  }

  #loadRoot(root: Sha256): Promise<ManifestRoot> {
    return this.#roots.load(root, () => loadRoot(this.#objects, root));
  }

  #loadChunk(list: ManifestRoot, index: number): Promise<LineTable> {
    return this.#chunks.load(list.table.sha256(index), () => loadChunk(this.#objects, list, index));
  }
}

interface Place {
  readonly index: number;
  readonly chunk: LineTable;
  readonly line: number;
}

/** The least path behind a file, or behind everything in a folder (`name/`). */
function behind(path: string): string {
  return path.endsWith('/') ? `${path.slice(0, -1)}${AFTER_SLASH}` : `${path}\u0000`;
}
