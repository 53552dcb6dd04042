import { parseStanzas, Stanza } from '../../../formats/apt/deb822.ts';
import { parseProvides } from '../../../formats/apt/dependency.ts';
import { type PackageEntry, packageEntry } from '../../../formats/apt/packages.ts';
import { words } from '../../../formats/apt/syntax.ts';
import { compareVersions } from '../../../formats/apt/version.ts';
import type { ByteSource } from '../../../formats/byte-source.ts';
import { EntryLists, type Row } from '../../curate/columns.ts';
import { Provides } from '../../curate/provides.ts';
import { refuseMany } from '../../curate/refuse-many.ts';
import { SpoolFile } from '../../curate/spool-file.ts';
import { StringPool } from '../../curate/string-pool.ts';
import { type Identity, PackageColumns } from './package-columns.ts';
import { isEssential, type MultiArch, multiArchOf, packageFlags, priorityRank } from './package-flags.ts';

export type { Row };
/** A name as a number: of packages, of virtual packages and of sources. */
export type NameId = number;

const MAX_ARCHITECTURES = 256;
const MAX_INDEXES = 65_536;
const MAX_SECTIONS = 65_536;

/**
 * The packages of many Packages indexes, as columns of numbers with the stanzas on disk: some 50 bytes a package, and
 * its strings once each. A stanza is read back when it is asked for. Equal packages (name, version, architecture and
 * digest) of several indexes are one row: that of the index added first.
 */
export class PackageTable {
  readonly names = new StringPool();
  readonly #versions = new StringPool();
  readonly #sections = new StringPool();
  readonly #architectures: string[] = [];
  readonly #origins: string[] = [];
  readonly #columns = new PackageColumns();
  /** An entry is a row. */
  readonly #byName = new EntryLists();
  readonly #provides = new Provides();
  readonly #tasks = new Map<string, Row[]>();
  readonly #stanzas: SpoolFile;

  /** `file`: a path for the stanzas in a temporary folder; it needs the size of the uncompressed indexes. */
  constructor(file: string) {
    this.#stanzas = new SpoolFile(file);
  }

  /** Adds an uncompressed Packages index and returns its number (0, 1, … in order of `add`; earlier ones are preferred). */
  async add(source: ByteSource, origin: string): Promise<number> {
    const index = this.#origins.push(origin) - 1;
    refuseMany(this.#origins.length, MAX_INDEXES, 'indexes', origin);
    for await (const stanza of parseStanzas(source, origin)) this.#addPackage(packageEntry(stanza, origin), index);
    return index;
  }

  get count(): number {
    return this.#columns.count;
  }

  name(row: Row): string {
    return this.names.get(this.nameId(row));
  }

  nameId(row: Row): NameId {
    return this.#columns.name.get(row);
  }

  version(row: Row): string {
    return this.#versions.get(this.#columns.version.get(row));
  }

  architecture(row: Row): string {
    return this.#architectures[this.architectureIdOf(row)] as string;
  }

  architectureIdOf(row: Row): number {
    return this.#columns.architecture.get(row);
  }

  /** `-1` for an architecture of no package. */
  architectureId(architecture: string): number {
    return this.#architectures.indexOf(architecture);
  }

  /** Name of the source package. */
  sourceId(row: Row): NameId {
    return this.#columns.source.get(row);
  }

  /** As in the stanza: `net`, `non-free/net`; `''` for none. */
  section(row: Row): string {
    return this.#sections.get(this.#columns.section.get(row));
  }

  /** Place in PRIORITIES; a larger number for none. */
  priorityRank(row: Row): number {
    return priorityRank(this.#columns.flags.get(row));
  }

  essential(row: Row): boolean {
    return isEssential(this.#columns.flags.get(row));
  }

  multiArch(row: Row): MultiArch {
    return multiArchOf(this.#columns.flags.get(row));
  }

  /** Which index it came from: the number that `add` returned. */
  index(row: Row): number {
    return this.#columns.index.get(row);
  }

  /** What `add` was told of an index. */
  origin(index: number): string {
    return this.#origins[index] as string;
  }

  /** Reads it back from disk. */
  stanza(row: Row): Stanza {
    const raw = this.#stanzas.read(this.#columns.place.get(row), this.#columns.length.get(row));
    return new Stanza(raw, { origin: this.describe(row), line: 1, offset: 0 });
  }

  /** Reads it back from disk. */
  entry(row: Row): PackageEntry {
    return packageEntry(this.stanza(row), this.describe(row));
  }

  /** For messages: name, version and architecture. */
  describe(row: Row): string {
    return `${this.name(row)} ${this.version(row)} ${this.architecture(row)}`;
  }

  /** The packages of a name, in no particular order. */
  *rowsOf(name: NameId): Generator<Row> {
    for (let row = this.#byName.first(name); row >= 0; row = this.#byName.next(row)) yield row;
  }

  /** Who provides a name, and as which version; in no particular order. */
  *providersOf(name: NameId): Generator<{ readonly row: Row; readonly version: string | undefined }> {
    for (const { row, version } of this.#provides.of(name))
      yield { row, version: version === undefined ? undefined : this.#versions.get(version) };
  }

  rowsOfTask(task: string): readonly Row[] {
    return this.#tasks.get(task) ?? [];
  }

  /** dpkg's order of the versions of two rows. */
  compareVersions(a: Row, b: Row): number {
    const [x, y] = [this.#columns.version.get(a), this.#columns.version.get(b)];
    return x === y ? 0 : compareVersions(this.#versions.get(x), this.#versions.get(y));
  }

  /**
   * The order of publication: by the bytes of the name, then newest version first, architecture, preferred index,
   * digest. It does not depend on the order of the stanzas within an index.
   */
  compare(a: Row, b: Row): number {
    const { name, version, architecture, index, digest } = this.#columns;
    return (
      this.names.compare(name.get(a), name.get(b)) ||
      this.compareVersions(b, a) ||
      this.#versions.compare(version.get(a), version.get(b)) ||
      (architecture.get(a) === architecture.get(b) ? 0 : this.architecture(a) < this.architecture(b) ? -1 : 1) ||
      index.get(a) - index.get(b) ||
      digest.get(a) - digest.get(b)
    );
  }

  /** Same name, version and architecture: what a repository can hold once. */
  sameIdentity(a: Row, b: Row): boolean {
    const { name, version, architecture } = this.#columns;
    return (
      name.get(a) === name.get(b) && version.get(a) === version.get(b) && architecture.get(a) === architecture.get(b)
    );
  }

  /** Gives the disk space back. */
  close(): void {
    this.#stanzas.close();
  }

  #addPackage(entry: PackageEntry, index: number): void {
    const { stanza } = entry;
    const origin = this.origin(index);
    const identity: Identity = {
      name: this.names.intern(entry.name),
      version: this.#versions.intern(entry.version),
      architecture: this.#internArchitecture(entry.architecture, origin),
      digest: Number.parseInt(entry.digest.hex.slice(0, 8), 16),
    };
    for (const row of this.rowsOf(identity.name)) if (this.#columns.holds(row, identity)) return;
    const row = this.#columns.add({
      ...identity,
      source: this.names.intern(entry.source.name),
      section: this.#sections.intern(entry.section ?? ''),
      flags: packageFlags(entry),
      index,
      place: this.#stanzas.append(stanza.raw),
      length: stanza.raw.length,
    });
    refuseMany(this.#sections.count, MAX_SECTIONS, 'sections', origin);
    this.#byName.add(identity.name, row);
    const provides = stanza.get('Provides');
    if (provides !== undefined) this.#addProvides(provides, row, `${origin}:${stanza.lineOf('Provides')}`);
    for (const task of words(stanza.get('Task')?.replaceAll(',', ' '))) {
      const rows = this.#tasks.get(task);
      if (rows === undefined) this.#tasks.set(task, [row]);
      else rows.push(row);
    }
  }

  #addProvides(text: string, row: Row, origin: string): void {
    for (const { name, version } of parseProvides(text, origin))
      this.#provides.add(
        this.names.intern(name),
        row,
        version === undefined ? undefined : this.#versions.intern(version),
      );
  }

  #internArchitecture(architecture: string, origin: string): number {
    const known = this.#architectures.indexOf(architecture);
    if (known >= 0) return known;
    refuseMany(this.#architectures.length + 1, MAX_ARCHITECTURES, 'architectures', origin);
    return this.#architectures.push(architecture) - 1;
  }
}
