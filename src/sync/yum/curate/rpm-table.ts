/** The packages of many primary files, as columns of numbers with the records on disk. */
import { rangesOverlap } from '../../../formats/rpm/dependency.ts';
import { type Capability, type Nevra, showEvr, sourceName } from '../../../formats/rpm/package.ts';
import { type PrimaryPackage, primaryPackage } from '../../../formats/rpm/primary.ts';
import { compareEvr, parseEvr } from '../../../formats/rpm/version.ts';
import type { Row } from '../../curate/columns.ts';
import { Column, EntryLists } from '../../curate/columns.ts';
import { Provides } from '../../curate/provides.ts';
import { refuseMany } from '../../curate/refuse-many.ts';
import { SpoolFile } from '../../curate/spool-file.ts';
import { StringPool } from '../../curate/string-pool.ts';
import { pathsIn, rangeOf, rangeText } from './capability-text.ts';

/** A name as a number: of packages, capabilities, files and sources. */
export type NameId = number;

const MAX_ARCHITECTURES = 256;
const MAX_INDEXES = 65_536;
/** Lists by digest: a few packages each. */
const DIGEST_MASK = 0xffff;

/**
 * Some 40 bytes a package and 12 a capability, and each string once. Equal packages (NEVRA and checksum) of several
 * repositories are one row: that of the one added first.
 */
export class RpmTable {
  count = 0;
  readonly names = new StringPool();
  readonly #versions = new StringPool();
  readonly #ranges = new StringPool();
  readonly #architectures: string[] = [];
  readonly #origins: string[] = [];
  readonly #name = new Column(Uint32Array);
  readonly #version = new Column(Uint32Array);
  readonly #architecture = new Column(Uint8Array);
  /** The first 32 bits of the checksum: enough to tell packages of one NEVRA apart. */
  readonly #digest = new Column(Uint32Array);
  readonly #source = new Column(Uint32Array);
  readonly #index = new Column(Uint16Array);
  readonly #stream = new Column(Uint16Array);
  readonly #place = new Column(Float64Array);
  readonly #length = new Column(Uint32Array);
  readonly #byName = new EntryLists();
  readonly #byDigest = new EntryLists();
  readonly #provides = new Provides();
  readonly #records: SpoolFile;
  /** By name: 1 for a path that a package requires. */
  readonly #requiredPaths = new Column(Uint8Array);
  /** Those that supplement others. */
  readonly supplementing: Row[] = [];

  /** `file`: a path for the records in a temporary folder; it needs the size of the expanded primary files. */
  constructor(file: string) {
    this.#records = new SpoolFile(file);
  }

  /** Adds the records of a primary; earlier repositories are preferred. */
  async add(batches: AsyncIterable<readonly Buffer[]>, origin: string): Promise<void> {
    const index = this.#origins.push(origin) - 1;
    refuseMany(this.#origins.length, MAX_INDEXES, 'repositories', origin);
    for await (const batch of batches) for (const record of batch) this.#addPackage(record, { index, origin });
  }

  /** Whether a package requires the file of this name. */
  isRequiredPath(name: NameId): boolean {
    return this.#requiredPaths.get(name) === 1;
  }

  isProvided(name: NameId): boolean {
    return this.#provides.of(name).next().done !== true;
  }

  provideFile(row: Row, path: NameId): void {
    this.#provides.add(path, row, undefined);
  }

  name(row: Row): string {
    return this.names.get(this.nameId(row));
  }

  nameId(row: Row): NameId {
    return this.#name.get(row);
  }

  /** `epoch:version-release`, without an epoch of 0. */
  version(row: Row): string {
    return this.#versions.get(this.#version.get(row));
  }

  architecture(row: Row): string {
    return this.#architectures[this.#architecture.get(row)] as string;
  }

  sourceId(row: Row): NameId {
    return this.#source.get(row);
  }

  /** Which repository it came from, in the order of `add`. */
  index(row: Row): number {
    return this.#index.get(row);
  }

  origin(index: number): string {
    return this.#origins[index] as string;
  }

  /** Of which module stream it is, as its catalogue numbers them from 1; 0 for none. */
  stream(row: Row): number {
    return this.#stream.get(row);
  }

  setStream(row: Row, stream: number): void {
    this.#stream.set(row, stream);
  }

  /** NEVRA, for messages. */
  describe(row: Row): string {
    return `${this.name(row)}-${this.version(row)}.${this.architecture(row)}`;
  }

  /** Reads it back from disk. */
  record(row: Row): Buffer {
    return this.#records.read(this.#place.get(row), this.#length.get(row));
  }

  /** Reads it back from disk. */
  facts(row: Row): PrimaryPackage {
    return primaryPackage(this.record(row), this.describe(row));
  }

  /** In no particular order. */
  *rowsOf(name: NameId): Generator<Row> {
    for (let row = this.#byName.first(name); row >= 0; row = this.#byName.next(row)) yield row;
  }

  rowsOfName(name: string): Row[] {
    const id = this.names.find(name);
    return id < 0 ? [] : [...this.rowsOf(id)];
  }

  /** The rows of a NEVRA: several where repositories have it with other bytes. */
  rowsOfNevra(nevra: Nevra): Row[] {
    const evr = this.#versions.find(showEvr(nevra));
    const isMeant = (row: Row): boolean => this.#version.get(row) === evr && this.architecture(row) === nevra.arch;
    return evr < 0 ? [] : this.rowsOfName(nevra.name).filter(isMeant);
  }

  /** The row of a package by its checksum, as filelists and other name it. */
  rowOfPkgid(pkgid: string): Row | undefined {
    const digest = Number.parseInt(pkgid.slice(0, 8), 16);
    for (let row = this.#byDigest.first(digest & DIGEST_MASK); row >= 0; row = this.#byDigest.next(row))
      if (this.#digest.get(row) === digest && this.record(row).includes(pkgid)) return row;
    return undefined;
  }

  /** Who provides a capability or file, in no particular order and perhaps twice. */
  *providersOf(wanted: Capability): Generator<Row> {
    const name = this.names.find(wanted.name);
    if (name < 0) return;
    for (const { row, version } of this.#provides.of(name))
      if (version === undefined || rangesOverlap(rangeOf(this.#ranges.get(version)), wanted)) yield row;
  }

  /** rpm's order of the versions of two rows. */
  compareVersions(a: Row, b: Row): number {
    const [x, y] = [this.#version.get(a), this.#version.get(b)];
    return x === y ? 0 : compareEvr(parseEvr(this.#versions.get(x)), parseEvr(this.#versions.get(y)));
  }

  /**
   * The order of publication: by the bytes of the name, then newest version first, architecture, preferred repository,
   * checksum. It does not depend on the order within a primary.
   */
  compare(a: Row, b: Row): number {
    return (
      this.names.compare(this.nameId(a), this.nameId(b)) ||
      this.compareVersions(b, a) ||
      this.#versions.compare(this.#version.get(a), this.#version.get(b)) ||
      compareTexts(this.architecture(a), this.architecture(b)) ||
      this.index(a) - this.index(b) ||
      this.#digest.get(a) - this.#digest.get(b)
    );
  }

  /** What a repository can hold once. */
  sameNevra(a: Row, b: Row): boolean {
    return (
      this.nameId(a) === this.nameId(b) &&
      this.#version.get(a) === this.#version.get(b) &&
      this.#architecture.get(a) === this.#architecture.get(b)
    );
  }

  /** Gives the disk space back. */
  close(): void {
    this.#records.close();
  }

  #addPackage(record: Buffer, { index, origin }: { readonly index: number; readonly origin: string }): void {
    const facts = primaryPackage(record, origin);
    const name = this.names.intern(facts.name);
    const version = this.#versions.intern(showEvr(facts));
    const architecture = this.#internArchitecture(facts.arch, origin);
    const digest = Number.parseInt(facts.pkgid.slice(0, 8), 16);
    for (const row of this.rowsOf(name))
      if (
        this.#version.get(row) === version &&
        this.#architecture.get(row) === architecture &&
        this.#digest.get(row) === digest
      )
        return;
    const row = this.count++;
    this.#name.set(row, name);
    this.#version.set(row, version);
    this.#architecture.set(row, architecture);
    this.#digest.set(row, digest);
    this.#source.set(row, this.names.intern(sourceName(facts)));
    this.#index.set(row, index);
    this.#place.set(row, this.#records.append(record));
    this.#length.set(row, record.length);
    this.#byName.add(name, row);
    this.#byDigest.add(digest & DIGEST_MASK, row);
    const { provides = [], requires = [], recommends = [], supplements = [] } = facts.capabilities;
    for (const each of provides) this.#provide(row, each);
    for (const { path } of facts.files) this.#provide(row, { name: path });
    for (const each of [...requires, ...recommends])
      for (const path of pathsIn(each.name)) this.#requiredPaths.set(this.names.intern(path), 1);
    if (supplements.length > 0) this.supplementing.push(row);
  }

  #provide(row: Row, { name, ...range }: Capability): void {
    const text = range.flags === undefined ? undefined : this.#ranges.intern(rangeText(range));
    this.#provides.add(this.names.intern(name), row, text);
  }

  #internArchitecture(architecture: string, origin: string): number {
    const known = this.#architectures.indexOf(architecture);
    if (known >= 0) return known;
    refuseMany(this.#architectures.length + 1, MAX_ARCHITECTURES, 'architectures', origin);
    return this.#architectures.push(architecture) - 1;
  }
}

const compareTexts = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
