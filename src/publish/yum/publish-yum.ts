/** Writes and signs the metadata of a curated or local rpm repository. */
import { hash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import { comparePaths } from '../../formats/path.ts';
import { inFolder, KEYS_FILE } from '../../formats/rpm/layout.ts';
import {
  METADATA_TYPES,
  type MetadataType,
  type PublishedRpm,
  type PublishRpm,
  type RpmCompression,
  type RpmGenerations,
  type RpmPublication,
} from '../../formats/rpm/publication.ts';
import { type RepomdRecord, repomdText } from '../../formats/rpm/repomd.ts';
import type { Run } from '../../progress.ts';
import type { ManifestEntry, ObjectRef, ObjectStore } from '../../store/types.ts';
import type { SigningKey } from '../../trust/types.ts';
import { codecOf } from '../codecs.ts';
import { filesOf, withGeneration } from '../generations.ts';
import { writeIndex } from '../index-writer.ts';
import { PieceCache } from '../piece-cache.ts';
import type { PieceFacts } from '../piece-list.ts';
import { metadataPieces } from './record-pieces.ts';

export interface RpmPublisherDeps {
  readonly objects: ObjectStore;
  /** Holds compressed pieces; may be emptied at any time. */
  readonly cacheDir: string;
  readonly signer: Pick<SigningKey, 'detached'>;
  /** Public keys of all who sign lists here, ASCII-armoured: clients are given them with the repository. */
  readonly listKeys: () => Promise<string>;
}

/**
 * A function that publishes: the same publication gives the same bytes, whatever the cache holds (signatures as far
 * as the key's algorithm is deterministic). Memory holds a few pieces. Nothing is visible before the caller puts the
 * entries on a list.
 */
export function createRpmPublisher(deps: RpmPublisherDeps): PublishRpm {
  const { objects } = deps;
  const cache = new PieceCache(deps.cacheDir);
  return async (publication, run = {}) => {
    const { date } = publication;
    if (Number.isNaN(date.getTime()) || date.getTime() % 1000 !== 0)
      throw new KubedosError('internal.bug', 'publish: expected a date of whole seconds');
    const progress = startProgress(publication, run);
    const written: { readonly record: RepomdRecord; readonly ref: ObjectRef }[] = [];
    for (const type of METADATA_TYPES) {
      const { ref, plain } = await writeMetadata({ objects, cache }, type, { publication, onPiece: progress.piece });
      written.push({ ref, record: recordOf(type, `${type}.xml`, { ref, plain, publication }) });
      progress.file();
    }
    for (const [type, { name, content }] of publication.extra ?? [])
      written.push(await writeExtra({ objects, cache }, { type, name, content, publication }));
    // Metadata is durable before the repomd.xml that names it.
    await objects.flush();
    const files = written.map(({ record, ref }) => ({ path: inFolder(publication.folder, record.path), ...ref }));
    const signed = await signRepomd(
      deps,
      publication,
      written.map(({ record }) => record),
    );
    await objects.flush();
    await cache.tidy();
    const generations = withGeneration(files, publication.previous);
    return { entries: allEntries(signed, generations), generations };
  };
}

/** The list of its pieces is kept for the next publication. */
async function writeMetadata(
  deps: { readonly objects: ObjectStore; readonly cache: PieceCache },
  type: MetadataType,
  of: {
    readonly publication: RpmPublication;
    readonly onPiece: (piece: { readonly content: Uint8Array }) => void;
  },
): Promise<{ readonly ref: ObjectRef; readonly plain: ObjectRef }> {
  const { compression, packages } = of.publication;
  const facts: Omit<PieceFacts, 'packedBytes'>[] = [];
  const source = metadataPieces(type, packages, of.publication.records(type));
  const { plain, compressed, packedBytes } = await writeIndex(deps, source, {
    compressions: [compression],
    onPiece: (piece) => {
      of.onPiece(piece);
      const { first, begins, packages, content } = piece;
      facts.push({ first, begins, packages, plainBytes: content.length });
    },
  });
  const ref = compressed.get(compression) as ObjectRef;
  const lengths = packedBytes.get(compression) ?? [];
  const pieces = facts.map((each, at) => ({ ...each, packedBytes: lengths[at] as number }));
  await deps.cache.keepPieces(ref, codecOf(compression), pieces);
  return { ref, plain };
}

async function writeExtra(
  deps: { readonly objects: ObjectStore; readonly cache: PieceCache },
  of: {
    readonly type: string;
    readonly name: string;
    readonly content: Uint8Array;
    readonly publication: RpmPublication;
  },
): Promise<{ readonly record: RepomdRecord; readonly ref: ObjectRef }> {
  const content = Buffer.from(of.content);
  const { compression } = of.publication;
  const pieces = (async function* () {
    yield { content, sha256: hash('sha256', content, 'hex') };
  })();
  const { compressed, plain } = await writeIndex(deps, pieces, { compressions: [compression], onPiece: () => {} });
  const ref = compressed.get(compression) as ObjectRef;
  return { ref, record: recordOf(of.type, of.name, { ref, plain, publication: of.publication }) };
}

function recordOf(
  type: string,
  name: string,
  of: { readonly ref: ObjectRef; readonly plain: ObjectRef; readonly publication: RpmPublication },
): RepomdRecord {
  const { ref, plain, publication } = of;
  return {
    type,
    checksum: { algorithm: 'sha256', hex: ref.sha256 },
    openChecksum: { algorithm: 'sha256', hex: plain.sha256 },
    path: `repodata/${ref.sha256}-${name}.${publication.compression satisfies RpmCompression}`,
    timestamp: publication.date.getTime() / 1000,
    sizeBytes: ref.sizeBytes,
    openBytes: plain.sizeBytes,
  };
}

/** repomd.xml, its signature, and the keys: what has fixed names. */
async function signRepomd(
  { objects, signer, listKeys }: RpmPublisherDeps,
  { folder, date, packageKeys }: RpmPublication,
  records: readonly RepomdRecord[],
): Promise<ManifestEntry[]> {
  const repomd = Buffer.from(repomdText({ revision: String(date.getTime() / 1000), records }));
  return signedFiles({ objects, signer, listKeys }, { folder, repomd, date, packageKeys });
}

export async function signedFiles(
  { objects, signer, listKeys }: Omit<RpmPublisherDeps, 'cacheDir'>,
  of: Pick<RpmPublication, 'folder' | 'date' | 'packageKeys'> & { readonly repomd: Buffer },
): Promise<ManifestEntry[]> {
  const { folder, repomd, date, packageKeys = new Uint8Array() } = of;
  const signature = Buffer.from(await signer.detached(repomd, date));
  const keys = Buffer.concat([Buffer.from(await listKeys()), packageKeys]);
  return [
    { path: inFolder(folder, 'repodata/repomd.xml'), ...(await objects.put([repomd])) },
    { path: inFolder(folder, 'repodata/repomd.xml.asc'), ...(await objects.put([signature])) },
    { path: KEYS_FILE, ...(await objects.put([keys])) },
  ];
}

function allEntries(signed: readonly ManifestEntry[], generations: RpmGenerations): PublishedRpm['entries'] {
  return [...signed, ...filesOf(generations).values()].sort((a, b) => comparePaths(a.path, b.path));
}

function startProgress({ folder }: RpmPublication, { signal, onEvent }: Run) {
  let files = 0;
  let bytes = 0;
  const what = `publish ${folder || 'repodata'}`;
  onEvent?.({ type: 'phase', phase: what, files: METADATA_TYPES.length });
  const tell = () => onEvent?.({ type: 'advance', files, bytes });
  return {
    piece: ({ content }: { readonly content: Uint8Array }): void => {
      if (signal?.aborted) throw new KubedosError('cancelled', `${what}: stopped`);
      bytes += content.length;
      tell();
    },
    file: (): void => {
      files += 1;
      tell();
    },
  };
}
