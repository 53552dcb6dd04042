/** What the catalog is told of a mirror of rpm repositories that it knows: records that stand in both lists are not read. */
import { hash } from 'node:crypto';
import type { ListingChange, PackageRow } from '../../catalog/types.ts';
import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ObjectStore, Sha256 } from '../../store/types.ts';
import { type Primary, primariesOf, recordRow, recordsOf } from './package-rows.ts';

/** Records of one list that the other has not shown yet: what memory must hold. */
const MAX_UNMATCHED = 2000;
/** A checksum that is the name of an object; others are looked up, and may be answered otherwise than before. */
const SHA256 = 'type="sha256"';

export interface RowChanges {
  readonly added: readonly PackageRow[];
  readonly removed: readonly PackageRow[];
}

interface ListedRecord {
  readonly bytes: Buffer;
  readonly primary: Primary;
}

/**
 * As of rpmPackageRows for both, the rows that only one of them has. Undefined where the whole list has to be read:
 * where the two are in another order or differ in much, or where a package lies where it did but is told of otherwise.
 */
export async function rpmRowChanges(
  objects: ObjectStore,
  { before, root }: Pick<ListingChange, 'root'> & { readonly before: Sha256 },
): Promise<RowChanges | undefined> {
  const unmatched = await unmatchedRecords(records(objects, before), records(objects, root));
  if (unmatched === undefined) return undefined;
  const reader = new ManifestReader(objects);
  const added: PackageRow[] = [];
  const removed: PackageRow[] = [];
  for (const { record, count } of unmatched) {
    const { pkgid, ...row } = recordRow(record.bytes, record.primary);
    if (pkgid === undefined) return undefined;
    (count > 0 ? added : removed).push({ ...row, sha256: pkgid });
  }
  // Another record may list it still.
  for (const { path, sha256 } of removed) if ((await reader.lookup(root, path))?.sha256 === sha256) return undefined;
  return { added, removed };
}

async function* records(objects: ObjectStore, root: Sha256): AsyncGenerator<ListedRecord> {
  for (const primary of await primariesOf(objects, root))
    for await (const batch of recordsOf(objects, primary)) for (const bytes of batch) yield { bytes, primary };
}

interface Unmatched {
  readonly record: ListedRecord;
  /** How many more there are than before. */
  readonly count: number;
}

/** Both in step: as long as they go in the same order, what has no match yet is little. */
async function unmatchedRecords(
  before: AsyncGenerator<ListedRecord>,
  after: AsyncGenerator<ListedRecord>,
): Promise<Unmatched[] | undefined> {
  const unmatched = new Map<string, Unmatched>();
  const count = (record: ListedRecord, by: number): void => {
    const key = `${record.primary.folder} ${hash('sha256', record.bytes, 'hex')}`;
    const known = unmatched.get(key);
    const sum = (known?.count ?? 0) + by;
    // A copy: records are views of large chunks.
    if (sum !== 0) unmatched.set(key, known ? { ...known, count: sum } : { record: copied(record), count: sum });
    else unmatched.delete(key);
  };
  try {
    for (;;) {
      const [gone, come] = [await before.next(), await after.next()];
      if (gone.done && come.done) return [...unmatched.values()];
      for (const each of [gone, come]) if (!each.done && !each.value.bytes.includes(SHA256)) return undefined;
      if (!gone.done && !come.done && isSame(gone.value, come.value)) continue;
      if (!gone.done) count(gone.value, -1);
      if (!come.done) count(come.value, 1);
      if (unmatched.size > MAX_UNMATCHED) return undefined;
    }
  } finally {
    await before.return(undefined);
    await after.return(undefined);
  }
}

function isSame(a: ListedRecord, b: ListedRecord): boolean {
  return a.primary.folder === b.primary.folder && a.bytes.equals(b.bytes);
}

function copied({ bytes, primary }: ListedRecord): ListedRecord {
  return { bytes: Buffer.from(bytes), primary };
}
