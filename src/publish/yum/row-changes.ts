/** What the catalog is told of a mirror of rpm repositories that it knows: records that stand in both lists are not read. */
import { hash } from 'node:crypto';
import type { ListingChange, PackageRow } from '../../catalog/types.ts';
import { repositoryOf } from '../../formats/rpm/layout.ts';
import { diffManifests } from '../../store/manifest.ts';
import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ObjectStore, Sha256 } from '../../store/types.ts';
import { type Primary, primaryOf, recordRow, recordsOf } from './package-rows.ts';

/** Records of one list that the other has not shown yet: what memory must hold. */
const MAX_UNMATCHED = 2000;
/** A checksum that is the name of an object; others are looked up, and may be answered otherwise than before. */
const SHA256 = Buffer.from('type="sha256"');

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
  const listed = await listedChanges(objects, before, root);
  const unmatched =
    listed && (await unmatchedRecords(new Records(objects, listed.gone), new Records(objects, listed.come)));
  if (listed === undefined || unmatched === undefined) return undefined;
  const reader = new ManifestReader(objects);
  const added: PackageRow[] = [];
  const removed: PackageRow[] = [];
  for (const { record, count } of unmatched) {
    const { pkgid, ...row } = recordRow(record.bytes, record.primary);
    if (pkgid === undefined) return undefined;
    (count > 0 ? added : removed).push({ ...row, sha256: pkgid });
    listed.packages.delete(row.path);
  }
  // One that no record explains: of a repository whose checksums do not name objects, or missing before.
  if (listed.packages.size > 0) return undefined;
  // Another record may list it still.
  for (const { path, sha256 } of removed) if ((await reader.lookup(root, path))?.sha256 === sha256) return undefined;
  return { added, removed };
}

interface ListedChanges {
  /** Paths of packages that are not the same in both lists. */
  readonly packages: Set<string>;
  /** The primaries that only one of both lists has. */
  readonly gone: readonly Primary[];
  readonly come: readonly Primary[];
}

/** By what differs between the lists, so that repositories without news are not looked at; undefined where it is much. */
async function listedChanges(objects: ObjectStore, before: Sha256, root: Sha256): Promise<ListedChanges | undefined> {
  const packages = new Set<string>();
  const gone: Primary[] = [];
  const come: Primary[] = [];
  for await (const change of diffManifests(objects, before, root)) {
    if (change.path.endsWith('.rpm')) packages.add(change.path);
    if (packages.size > 2 * MAX_UNMATCHED) return undefined;
    const folder = repositoryOf(change.path);
    if (folder === undefined) continue;
    const [old] = change.before ? await primaryOf(objects, before, { folder, repomd: change.before }) : [];
    const [now] = change.after ? await primaryOf(objects, root, { folder, repomd: change.after }) : [];
    if (old?.file.sha256 === now?.file.sha256) continue;
    if (old) gone.push(old);
    if (now) come.push(now);
  }
  return { packages, gone, come };
}

interface Batch {
  readonly primary: Primary;
  readonly records: readonly Buffer[];
}

async function* batches(objects: ObjectStore, primaries: readonly Primary[]): AsyncGenerator<Batch> {
  for (const primary of primaries) for await (const records of recordsOf(objects, primary)) yield { primary, records };
}

/** One record after the other, waiting between batches alone: a promise a record costs more than its comparison. */
class Records {
  readonly #batches: AsyncGenerator<Batch>;
  #batch: Batch | undefined;
  #at = 0;

  constructor(objects: ObjectStore, primaries: readonly Primary[]) {
    this.#batches = batches(objects, primaries);
  }

  get isThrough(): boolean {
    return this.#at >= (this.#batch?.records.length ?? 0);
  }

  async more(): Promise<void> {
    const next = await this.#batches.next();
    this.#batch = next.done ? undefined : next.value;
    this.#at = 0;
  }

  /** Undefined at the end. */
  take(): ListedRecord | undefined {
    const bytes = this.#batch?.records[this.#at++];
    return this.#batch && bytes && { bytes, primary: this.#batch.primary };
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
  }
}

interface Unmatched {
  readonly record: ListedRecord;
  /** How many more there are than before. */
  readonly count: number;
}

/** Both in step: as long as they go in the same order, what has no match yet is little. */
async function unmatchedRecords(before: Records, after: Records): Promise<Unmatched[] | undefined> {
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
      if (before.isThrough) await before.more();
      if (after.isThrough) await after.more();
      const [gone, come] = [before.take(), after.take()];
      if (gone === undefined && come === undefined) return [...unmatched.values()];
      if (gone && come && isSame(gone, come)) {
        if (!isNamedBySha256(gone)) return undefined;
        continue;
      }
      for (const [record, by] of [
        [gone, -1],
        [come, 1],
      ] as const) {
        if (record === undefined) continue;
        if (!isNamedBySha256(record)) return undefined;
        count(record, by);
      }
      if (unmatched.size > MAX_UNMATCHED) return undefined;
    }
  } finally {
    await before.close();
    await after.close();
  }
}

function isNamedBySha256({ bytes }: ListedRecord): boolean {
  return bytes.includes(SHA256);
}

function isSame(a: ListedRecord, b: ListedRecord): boolean {
  return a.primary.folder === b.primary.folder && a.bytes.equals(b.bytes);
}

function copied({ bytes, primary }: ListedRecord): ListedRecord {
  return { bytes: Buffer.from(bytes), primary };
}
