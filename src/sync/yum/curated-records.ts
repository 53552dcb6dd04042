/** The metadata of what was chosen: records as upstream wrote them, but for where a package lies. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import { type Comps, compsText, pruneComps } from '../../formats/rpm/comps.ts';
import { filelistsRecords, otherRecords, recordPkgid } from '../../formats/rpm/filelists.ts';
import { filelistsRecord, otherRecord } from '../../formats/rpm/metadata-text.ts';
import { pruneModules } from '../../formats/rpm/modules.ts';
import { modulesText } from '../../formats/rpm/modules-text.ts';
import type { Nevra } from '../../formats/rpm/package.ts';
import type { MetadataRecord, MetadataType, RpmPublication } from '../../formats/rpm/publication.ts';
import { pruneUpdate, type Update, updateinfoChunks } from '../../formats/rpm/updateinfo.ts';
import { attributesText } from '../../formats/xml/write.ts';
import type { ObjectStore } from '../../store/types.ts';
import type { Row } from '../curate/columns.ts';
import { Column } from '../curate/columns.ts';
import { SpoolFile } from '../curate/spool-file.ts';
import { type CuratedPart, updatesOf } from './curated-parts.ts';
import { recordContent } from './records.ts';

/** The element, however it is written; quotes may hold a `>`. */
const LOCATION = /<location(?:\s+[\w:]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*(?:\/>|>\s*<\/location>)/;

/** Of primary, with another `href` and no `xml:base`. */
export function relocated(record: Buffer, href: string): Buffer {
  const text = record.toString('utf8');
  const element = `<location${attributesText({ href })}/>`;
  if (text.includes(element)) return record;
  return Buffer.from(text.replace(LOCATION, () => element));
}

/** The records of filelists and other of chosen rows, put aside on disk: upstream has them in another order. */
export class SideRecords {
  readonly #file: SpoolFile;
  readonly #places = { filelists: new Column(Float64Array), other: new Column(Float64Array) };
  readonly #lengths = { filelists: new Column(Uint32Array), other: new Column(Uint32Array) };

  private constructor(path: string) {
    this.#file = new SpoolFile(path);
  }

  static async gather(
    objects: ObjectStore,
    { table, repositories, selection }: CuratedPart,
    scratch: string,
  ): Promise<SideRecords> {
    const side = new SideRecords(join(scratch, `side-${process.pid}-${randomUUID()}`));
    const chosen = marked(table.count, selection.rows);
    try {
      for (const { record } of repositories) {
        for (const [type, read] of SIDES) {
          const present = record(type);
          if (present === undefined) continue;
          for await (const batch of read(recordContent(objects, present), present.path)) {
            for (const bytes of batch) {
              const row = table.rowOfPkgid(recordPkgid(bytes, present.path));
              if (row !== undefined && chosen[row] === 1) side.#keep(type, row, bytes);
            }
          }
        }
      }
    } catch (error) {
      side.close();
      throw error;
    }
    return side;
  }

  /** One without files or changes where upstream has none. */
  record(type: 'filelists' | 'other', row: Row, { table }: CuratedPart): Buffer {
    const length = this.#lengths[type].get(row);
    if (length > 0) return this.#file.read(this.#places[type].get(row), length);
    const { pkgid, ...nevra } = table.facts(row);
    return Buffer.from(type === 'filelists' ? filelistsRecord(pkgid, nevra, []) : otherRecord(pkgid, nevra, []));
  }

  close(): void {
    this.#file.close();
  }

  /** The first repository that has it counts. */
  #keep(type: 'filelists' | 'other', row: Row, bytes: Buffer): void {
    if (this.#lengths[type].get(row) > 0) return;
    this.#places[type].set(row, this.#file.append(bytes));
    this.#lengths[type].set(row, bytes.length);
  }
}

function marked(count: number, rows: Iterable<Row>): Uint8Array {
  const marks = new Uint8Array(count);
  for (const row of rows) marks[row] = 1;
  return marks;
}

const SIDES = [
  ['filelists', filelistsRecords],
  ['other', otherRecords],
] as const;

export interface PublishedRows {
  readonly part: CuratedPart;
  readonly rows: Uint32Array;
  /** Where a row's package lies, from the root of the published repository. */
  readonly href: (row: Row) => string;
  readonly extra: NonNullable<RpmPublication['extra']>;
}

export async function* publishedRecords(
  type: MetadataType,
  { part, rows, href }: PublishedRows,
  side: SideRecords,
): AsyncGenerator<MetadataRecord> {
  for (const row of rows) yield { name: part.table.name(row), bytes: bytesOf(row) };

  function bytesOf(row: Row): Buffer {
    return type === 'primary' ? relocated(part.table.record(row), href(row)) : side.record(type, row, part);
  }
}

/** Comps, modules and updateinfo, as far as they speak of the rows; none that would be empty. */
export async function extraRecords(
  objects: ObjectStore,
  part: CuratedPart,
  rows: Uint32Array,
): Promise<NonNullable<RpmPublication['extra']>> {
  const { table } = part;
  const chosen = marked(table.count, rows);
  const isChosen = (row: Row): boolean => chosen[row] === 1;
  const hasName = (name: string): boolean => table.rowsOfName(name).some(isChosen);
  const hasNevra = (nevra: Nevra): boolean => table.rowsOfNevra(nevra).some(isChosen);
  const extra = new Map<string, { readonly name: string; readonly content: Uint8Array }>();
  const comps: Comps = pruneComps(part.comps, { hasPackage: hasName });
  if (comps.entries.length > 0) extra.set('group', { name: 'comps.xml', content: Buffer.from(compsText(comps)) });
  const modules = pruneModules(part.modules, hasNevra);
  if (modules.length > 0) extra.set('modules', { name: 'modules.yaml', content: Buffer.from(modulesText(modules)) });
  const updates = await updateinfo(updatesOf(objects, part.repositories), hasNevra);
  if (updates !== undefined) extra.set('updateinfo', { name: 'updateinfo.xml', content: updates });
  return extra;
}

/** Expanded: 30,000 advisories have some 200 MB, chosen ones far less. */
const MAX_UPDATEINFO_BYTES = 1024 ** 3;

async function updateinfo(
  updates: AsyncIterable<Update>,
  hasNevra: (nevra: Nevra) => boolean,
): Promise<Buffer | undefined> {
  let count = 0;
  async function* pruned(): AsyncGenerator<Update> {
    for await (const update of updates) {
      const left = pruneUpdate(update, hasNevra);
      if (left === undefined) continue;
      count += 1;
      yield left;
    }
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of updateinfoChunks(pruned())) {
    bytes += chunk.length;
    if (bytes > MAX_UPDATEINFO_BYTES)
      throw new KubedosError('format.limit', `publish updateinfo: larger than ${MAX_UPDATEINFO_BYTES} bytes`);
    chunks.push(chunk);
  }
  return count === 0 ? undefined : Buffer.concat(chunks);
}
