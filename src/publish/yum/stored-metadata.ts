/** The metadata of a repository that this store wrote, record by record. */
import { KubedosError } from '../../errors.ts';
import { filelistsRecords, otherRecords } from '../../formats/rpm/filelists.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import { primaryRecords } from '../../formats/rpm/primary.ts';
import type { MetadataRecord, MetadataType } from '../../formats/rpm/publication.ts';
import { quickestRecord } from '../../formats/rpm/quickest-record.ts';
import { parseRepomd } from '../../formats/rpm/repomd.ts';
import { unescapeXml } from '../../formats/xml/escape.ts';
import { lookupPath } from '../../store/manifest.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from '../../store/types.ts';
import { storedDocument, storedIndex } from '../stored-file.ts';

export interface StoredRecord extends MetadataRecord {
  readonly pkgid: string;
}

const READERS = { primary: primaryRecords, filelists: filelistsRecords, other: otherRecords };

/** In the order of the file, which is by name, then by pkgid. `store.corrupt` where the list lacks a file of it. */
export async function* storedRecords(
  objects: ObjectStore,
  root: Sha256,
  { folder, type }: { readonly folder: string; readonly type: MetadataType },
): AsyncGenerator<StoredRecord[]> {
  const repomd = await entryAt(objects, root, inFolder(folder, 'repodata/repomd.xml'));
  const { records } = await parseRepomd(await storedDocument(objects, repomd), repomd.path);
  const record = quickestRecord(records, type);
  if (record === undefined) throw new KubedosError('store.corrupt', `read ${repomd.path}: it lists no ${type}`);
  const file = await entryAt(objects, root, inFolder(folder, record.path));
  for await (const batch of READERS[type](storedIndex(objects, file), file.path))
    yield batch.map((bytes) => ({ bytes, ...identityOf(bytes, type, file.path) }));
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
