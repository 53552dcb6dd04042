/** The metadata of a repository that this store wrote: record by record where something changes, else piece by piece. */
import { KubedosError } from '../../errors.ts';
import type { ByteSource } from '../../formats/byte-source.ts';
import { filelistsRecords, otherRecords } from '../../formats/rpm/filelists.ts';
import { primaryRecords } from '../../formats/rpm/primary-records.ts';
import type { KeptPiece, MetadataRecord, MetadataType, RpmCompression } from '../../formats/rpm/publication.ts';
import { quickestRecord } from '../../formats/rpm/quickest-record.ts';
import { parseRepomd } from '../../formats/rpm/repomd.ts';
import { unescapeXml } from '../../formats/xml/escape.ts';
import { lookupPath } from '../../store/manifest.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from '../../store/types.ts';
import { codecOf, expand } from '../codecs.ts';
import { cutAt } from '../cut-at.ts';
import type { PieceCache } from '../piece-cache.ts';
import { type PieceFacts, touchedPieces } from '../piece-list.ts';
import { storedBytes, storedDocument, storedIndex } from '../stored-file.ts';
import { ROOTS } from './record-pieces.ts';

export interface StoredRecord extends MetadataRecord {
  readonly pkgid: string;
}

const READERS = { primary: primaryRecords, filelists: filelistsRecords, other: otherRecords };

/** A piece that the change does not touch, as it stands in the file. */
export interface StoredPiece extends PieceFacts {
  readonly packed: Buffer;
  /** Its content, unpacked on the thread pool where that can be. */
  readonly unpack: () => Promise<Buffer>;
}

export interface StoredMetadataDeps {
  readonly objects: ObjectStore;
  readonly cache: Pick<PieceCache, 'pieces'>;
}

export interface WantedMetadata {
  readonly type: MetadataType;
  readonly compression: RpmCompression;
  /** Names of packages that change: their records are given one by one, with those around them. */
  readonly touched: ReadonlySet<string>;
}

/**
 * In the order of the file, which is by name, then by pkgid. Where it is not known which pieces the file consists of, all
 * of it comes as records. What comes may be used once all has come: then the file has been hashed. `store.corrupt` where
 * the list of the mirror lacks a file.
 */
export async function* storedParts(
  { objects, cache }: StoredMetadataDeps,
  root: Sha256,
  { type, compression, touched }: WantedMetadata,
): AsyncGenerator<StoredRecord[] | StoredPiece> {
  const file = await metadataFile(objects, root, type);
  const pieces = await cache.pieces(file, codecOf(compression));
  if (pieces === undefined) return yield* recordsOf(storedIndex(objects, file), type, file.path);
  const lengths = pieces.map(({ packedBytes }) => packedBytes);
  const isTouched = touchedPieces(pieces, touched);
  let next = 0;
  for await (const packed of cutAt(storedBytes(objects, file), lengths)) {
    const at = next;
    next += 1;
    // The start and the end of the file are written anew.
    if (at === 0 || at === pieces.length - 1) continue;
    const facts = pieces[at] as PieceFacts;
    const unpack = () => unpacked(packed, facts, { type, compression, origin: file.path });
    if (isTouched[at]) yield* recordsOf(asFile(type, await unpack()), type, file.path);
    else yield { ...facts, packed, unpack };
  }
}

/** Pieces that are unpacked while those before are hashed. */
const PIECES_AHEAD = 4;

/** The content of pieces, some ahead of their turn. */
export async function* unpackedPieces(
  parts: AsyncIterable<StoredRecord[] | StoredPiece>,
): AsyncGenerator<StoredRecord[] | KeptPiece> {
  const ahead: (StoredRecord[] | Promise<KeptPiece>)[] = [];
  for await (const part of parts) {
    if (Array.isArray(part)) ahead.push(part);
    else {
      const coming = part.unpack().then((content) => ({ ...part, content }));
      // Looked at when its turn comes; until then a failure is not unhandled.
      coming.catch(() => undefined);
      ahead.push(coming);
    }
    if (ahead.length > PIECES_AHEAD) yield await (ahead.shift() as (typeof ahead)[number]);
  }
  for (const part of ahead) yield await part;
}

async function metadataFile(objects: ObjectStore, root: Sha256, type: MetadataType): Promise<ManifestEntry> {
  const repomd = await entryAt(objects, root, 'repodata/repomd.xml');
  const { records } = await parseRepomd(await storedDocument(objects, repomd), repomd.path);
  const record = quickestRecord(records, type);
  if (record === undefined) throw new KubedosError('store.corrupt', `read ${repomd.path}: it lists no ${type}`);
  return entryAt(objects, root, record.path);
}

async function* recordsOf(source: ByteSource, type: MetadataType, origin: string): AsyncGenerator<StoredRecord[]> {
  for await (const batch of READERS[type](source, origin))
    yield batch.map((bytes) => ({ bytes, ...identityOf(bytes, type, origin) }));
}

function asFile(type: MetadataType, content: Buffer): Buffer[] {
  const { name } = ROOTS[type];
  return [Buffer.from(`<${name}>`), content, Buffer.from(`</${name}>`)];
}

/** What it is said to be; the list of pieces may be any that anyone put into the cache. */
async function unpacked(
  packed: Buffer,
  { first, plainBytes }: PieceFacts,
  of: { readonly type: MetadataType; readonly compression: RpmCompression; readonly origin: string },
): Promise<Buffer> {
  try {
    const content = await expand(packed, of.compression, plainBytes);
    const { name } = identityOf(content, of.type, of.origin);
    if (name !== first) throw new RangeError(`expected a piece that begins with ${first}, got ${name}`);
    return content;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KubedosError('store.corrupt', `read ${of.origin}: a piece is not as the cache says: ${reason}`, {
      hint: 'run `kubedos store check`; if it finds nothing, empty the folder cache/ of the store',
      cause,
    });
  }
}

async function entryAt(objects: ObjectStore, root: Sha256, path: string): Promise<ManifestEntry> {
  const entry = await lookupPath(objects, root, path);
  if (entry) return entry;
  throw new KubedosError('store.corrupt', `read ${path}: it is not on the list of its mirror`);
}

/** Of what we wrote ourselves, by where it stands: parsing would take several times as long. */
function identityOf(
  bytes: Buffer,
  type: MetadataType,
  origin: string,
): { readonly name: string; readonly pkgid: string } {
  const [name, pkgid] =
    type === 'primary'
      ? [between(bytes, '<name>', '<'), between(bytes, 'pkgid="YES">', '<')]
      : [between(bytes, ' name="', '"'), between(bytes, ' pkgid="', '"')];
  const refuse = () => new KubedosError('format.syntax', `read ${origin}: a record is not as this store writes it`);
  if (name === undefined || pkgid === undefined) throw refuse();
  return { name: name.includes('&') ? unescapeXml(name, refuse) : name, pkgid };
}

function between(bytes: Buffer, before: string, after: string): string | undefined {
  const start = bytes.indexOf(before);
  const end = start < 0 ? -1 : bytes.indexOf(after, start + before.length);
  return end < 0 ? undefined : bytes.toString('utf8', start + before.length, end);
}
