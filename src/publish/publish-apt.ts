/** Writes and signs the indexes of a curated or local apt repository. */
import { KubedosError } from '../errors.ts';
import type { Generations, IndexCompression, IndexInput, Publication, PublishApt } from '../formats/apt/publication.ts';
import { canonicalPath, comparePaths } from '../formats/path.ts';
import type { Run } from '../progress.ts';
import type { ManifestEntry, ObjectRef, ObjectStore } from '../store/types.ts';
import { filesOf, withGeneration } from './generations.ts';
import { type WrittenIndex, writeIndex } from './index-writer.ts';
import { PieceCache } from './piece-cache.ts';
import { cutPieces } from './pieces.ts';
import { releaseText } from './release-text.ts';
import { type ReleaseSigner, signRelease } from './sign-release.ts';

const DEFAULT_COMPRESSIONS: readonly IndexCompression[] = ['gz', 'zst'];

export interface PublisherDeps {
  readonly objects: ObjectStore;
  /** Holds compressed pieces; may be emptied at any time. */
  readonly cacheDir: string;
  readonly signer: ReleaseSigner;
}

/**
 * A function that publishes: the same publication gives the same bytes, whatever the cache holds (signatures as far
 * as the key's algorithm is deterministic). Memory holds a few pieces of an index. Nothing of it is visible before the
 * caller puts the entries on a list.
 */
export function createPublisher({ objects, cacheDir, signer }: PublisherDeps): PublishApt {
  const cache = new PieceCache(cacheDir);
  return async (publication, run = {}) => {
    const dists = checkPublication(publication);
    const compressions = [...new Set(publication.compressions ?? DEFAULT_COMPRESSIONS)];
    const listed = new Map<string, ObjectRef>();
    const indexes: ManifestEntry[] = [];
    const byHash: ManifestEntry[] = [];
    const progress = startProgress(publication, run);
    for (const input of publication.indexes) {
      const path = indexPath(input);
      if (listed.has(path)) throw new KubedosError('internal.bug', `publish ${dists}: index ${path} is given twice`);
      const pieces = cutPieces(input.stanzas(), `${dists}/${path}`);
      const written = await writeIndex({ objects, cache }, pieces, {
        compressions,
        onPiece: progress.piece,
      });
      list(written, path, listed);
      for (const [compression, ref] of written.compressed) {
        indexes.push({ path: `${dists}/${path}.${compression}`, ...ref });
        byHash.push({ path: `${dists}/${folderOf(path)}/by-hash/SHA256/${ref.sha256}`, ...ref });
      }
      progress.index();
    }
    // Indexes are durable before the Release that names them.
    await objects.flush();
    const signed = await signRelease(objects, signer, {
      dists,
      text: releaseText(publication, listed),
      date: publication.date,
    });
    await objects.flush();
    const generations = withGeneration(dedupe(byHash), publication.previous);
    await cache.tidy();
    return {
      entries: allEntries([...indexes, ...signed.entries], generations),
      generations,
      inRelease: signed.inRelease,
    };
  };
}

/** `main/binary-amd64/Packages`, relative to dists/SUITE/. */
export function indexPath({ component, kind, architecture }: Omit<IndexInput, 'stanzas'>): string {
  if (kind === 'Packages') return `${component}/binary-${architecture}/Packages`;
  if (kind === 'Sources') return `${component}/source/Sources`;
  return `${component}/i18n/Translation-${architecture}`;
}

/** The folder below which all goes; refuses what would make a Release that no client takes. */
function checkPublication({ suite, indexes, compressions, date }: Publication): string {
  const dists = canonicalPath(`dists/${suite}`, 'publish');
  for (const input of indexes) canonicalPath(indexPath(input), `publish ${dists}`);
  const refuse = (why: string) => new KubedosError('internal.bug', `publish ${dists}: ${why}`);
  if (compressions?.length === 0) throw refuse('expected at least one compression, got none');
  if (Number.isNaN(date.getTime()) || date.getTime() % 1000 !== 0) throw refuse('expected a date of whole seconds');
  return dists;
}

function list(written: WrittenIndex, path: string, listed: Map<string, ObjectRef>): void {
  // apt looks the uncompressed form up before it asks for a compressed one; it need not be there.
  listed.set(path, written.plain);
  for (const [compression, ref] of written.compressed) listed.set(`${path}.${compression}`, ref);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Two empty indexes of one folder are one file by hash. */
function dedupe(entries: readonly ManifestEntry[]): ManifestEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}

function allEntries(current: readonly ManifestEntry[], generations: Generations): ManifestEntry[] {
  return [...current, ...filesOf(generations).values()].sort((a, b) => comparePaths(a.path, b.path));
}

function startProgress(publication: Publication, { signal, onEvent }: Run) {
  let files = 0;
  let bytes = 0;
  onEvent?.({ type: 'phase', phase: `publish ${publication.suite}`, files: publication.indexes.length });
  const tell = () => onEvent?.({ type: 'advance', files, bytes });
  return {
    piece: ({ content }: { readonly content: Uint8Array }): void => {
      if (signal?.aborted) throw new KubedosError('cancelled', `publish ${publication.suite}: stopped`);
      bytes += content.length;
      tell();
    },
    index: (): void => {
      files += 1;
      tell();
    },
  };
}
