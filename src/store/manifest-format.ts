/**
 * The bytes of a manifest. A chunk is lines `<sha256> <size> <path>\n`, sorted by the bytes of the path. The root is
 *
 *     kubedos-manifest 1
 *     files <number of paths>
 *     bytes <sum of the sizes>
 *     <sha256> <size> <files> <bytes> <first path>      one line a chunk, in the order of paths
 *
 * Numbers are decimal without leading zeros, one space stands between fields, the path is the rest of the line.
 * Hash and size of a root's line are those of the chunk; files and bytes are sums over it.
 */
import { createHash, hash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { canonicalPath, MAX_PATH_BYTES } from '../formats/path.ts';
import { type LineTable, parseLines } from './line-table.ts';
import type { ManifestEntry, ManifestRef, ObjectRef, ObjectStore, Sha256 } from './types.ts';

/**
 * A chunk begins at a path whose SHA-256 begins with a zero byte (one path in 256), and where the one before holds
 * this many paths. So the same list always gives the same chunks, and a change of one file changes one chunk.
 */
export const MAX_CHUNK_FILES = 4096;
const MAX_CHUNK_BYTES = MAX_CHUNK_FILES * (MAX_PATH_BYTES + 64 + 16 + 3);
/** Some 2 million chunks, 500 million files. */
const MAX_ROOT_BYTES = 256 * 1024 * 1024;
const HEADER = /^kubedos-manifest 1\nfiles (0|[1-9][0-9]{0,15})\nbytes (0|[1-9][0-9]{0,15})\n/;
const HEADER_ROOM = 80;

/** Finds what canonicalPath would change: control characters, backslashes, empty segments, `.` and `..`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it must find
const NOT_CANONICAL = /[\u0000-\u001f\u007f\\\ud800-\udfff]|(?:^|\/)\.{0,2}(?:\/|$)/;
/** In UTF-16 units; beyond it the length in bytes must be looked at. */
const SURELY_SHORT = 1000;

/** Refuses (`format.path`) what is not canonical; see formats/path.ts. `action` begins the message. */
export function checkManifestPath(path: string, action: string): void {
  if (path.length <= SURELY_SHORT && !NOT_CANONICAL.test(path)) return;
  if (canonicalPath(path, action) === path) return;
  throw new KubedosError('format.path', `${action}: path ${JSON.stringify(path)} is not in canonical form`);
}

export function beginsChunk(path: string): boolean {
  return hash('sha256', path, 'hex').startsWith('00');
}

export interface ChunkRef extends ObjectRef {
  readonly files: number;
  readonly bytes: number;
}

export class ManifestRoot {
  readonly sha256: Sha256;
  readonly files: number;
  readonly bytes: number;
  /** One line a chunk; the path is its first. */
  readonly table: LineTable;

  constructor(sha256: Sha256, totals: { readonly files: number; readonly bytes: number }, table: LineTable) {
    this.sha256 = sha256;
    this.files = totals.files;
    this.bytes = totals.bytes;
    this.table = table;
  }

  get ref(): ManifestRef {
    return { root: this.sha256, files: this.files, bytes: this.bytes };
  }

  chunk(index: number): ChunkRef {
    const { table } = this;
    return {
      sha256: table.sha256(index),
      sizeBytes: table.number(index, 0),
      files: table.number(index, 1),
      bytes: table.number(index, 2),
    };
  }

  /** The chunk that would hold the path, -1 if the path sorts before all. */
  indexFor(path: Uint8Array): number {
    const at = this.table.seek(path);
    return at < this.table.count && this.table.compareTo(at, path) === 0 ? at : at - 1;
  }
}

export function entryAt(chunk: LineTable, index: number): ManifestEntry {
  return { path: chunk.path(index), sha256: chunk.sha256(index), sizeBytes: chunk.number(index, 0) };
}

export function formatEntry({ sha256, sizeBytes, path }: ManifestEntry): string {
  return `${sha256} ${sizeBytes} ${path}\n`;
}

export function formatRoot(
  totals: { readonly files: number; readonly bytes: number },
  lines: readonly string[],
): string {
  return `kubedos-manifest 1\nfiles ${totals.files}\nbytes ${totals.bytes}\n${lines.join('')}`;
}

/** `store.corrupt` for what breaks form, order or totals; `store.version` for a later format. */
export function parseRoot(sha256: Sha256, bytes: Buffer): ManifestRoot {
  const what = `manifest ${sha256}`;
  const text = bytes.toString('latin1', 0, HEADER_ROOM);
  const header = HEADER.exec(text);
  if (!header) {
    if (/^kubedos-manifest (?!1\n)[0-9]+\n/.test(text)) {
      throw new KubedosError('store.version', `read ${what}: its format is newer than this kubedos knows`);
    }
    throw new KubedosError('store.corrupt', `read ${what}: it does not begin with the header of a manifest`);
  }
  const table = parseLines(bytes, { at: header[0].length, numbers: 3, what });
  const totals = { files: Number(header[1]), bytes: Number(header[2]) };
  let files = 0;
  let sum = 0;
  for (let index = 0; index < table.count; index++) {
    files += table.number(index, 1);
    sum += table.number(index, 2);
  }
  if (files !== totals.files || sum !== totals.bytes) {
    throw new KubedosError('store.corrupt', `read ${what}: its chunks do not add up to its totals`);
  }
  return new ManifestRoot(sha256, totals, table);
}

/** `store.not-found` if there is no such root, `store.bad-object` if its bytes do not hash to its name. */
export async function loadRoot(objects: ObjectStore, sha256: Sha256): Promise<ManifestRoot> {
  const bytes = await objects.read(sha256, MAX_ROOT_BYTES);
  if (!bytes) throw new KubedosError('store.not-found', `read manifest ${sha256}: there is no such object`);
  return parseRoot(sha256, verified(bytes, sha256, `manifest ${sha256}`));
}

export async function loadChunk(objects: ObjectStore, root: ManifestRoot, index: number): Promise<LineTable> {
  const { sha256, files } = root.chunk(index);
  const what = `chunk ${sha256} of manifest ${root.sha256}`;
  const bytes = await objects.read(sha256, MAX_CHUNK_BYTES);
  if (!bytes) throw new KubedosError('store.corrupt', `read ${what}: there is no such object`);
  const table = parseLines(verified(bytes, sha256, what), { at: 0, numbers: 1, what });
  if (table.count !== files || table.comparePaths(0, root.table, index) !== 0) {
    throw new KubedosError('store.corrupt', `read ${what}: it is not what the root says`);
  }
  return table;
}

/** Lists are believed only if they hash to their name: what they say decides what is served, sent and deleted. */
function verified(bytes: Buffer, sha256: Sha256, what: string): Buffer {
  const got = createHash('sha256').update(bytes).digest('hex');
  if (got === sha256) return bytes;
  throw new KubedosError('store.bad-object', `read ${what}: its bytes hash to ${got}`, {
    hint: 'run `kubedos store check`, then `kubedos store repair`',
    details: { sha256 },
  });
}
