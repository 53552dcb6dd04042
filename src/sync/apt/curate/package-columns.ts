import { Column } from '../../curate/columns.ts';

/** What tells packages apart, as numbers. */
export interface Identity {
  readonly name: number;
  readonly version: number;
  readonly architecture: number;
  /** 32 bits of the strongest digest: enough to tell packages of one name, version and architecture apart. */
  readonly digest: number;
}

export interface ColumnValues extends Identity {
  readonly source: number;
  readonly section: number;
  readonly flags: number;
  readonly index: number;
  /** Byte in the stanza file: beyond 4 GiB for the largest. */
  readonly place: number;
  readonly length: number;
}

/** The columns of the package table: 34 bytes a row. */
export class PackageColumns {
  count = 0;
  readonly name = new Column(Uint32Array);
  readonly version = new Column(Uint32Array);
  readonly architecture = new Column(Uint8Array);
  readonly digest = new Column(Uint32Array);
  readonly source = new Column(Uint32Array);
  readonly section = new Column(Uint16Array);
  readonly flags = new Column(Uint8Array);
  readonly index = new Column(Uint16Array);
  readonly place = new Column(Float64Array);
  readonly length = new Column(Uint32Array);

  add(values: ColumnValues): number {
    const row = this.count++;
    this.name.set(row, values.name);
    this.version.set(row, values.version);
    this.architecture.set(row, values.architecture);
    this.digest.set(row, values.digest);
    this.source.set(row, values.source);
    this.section.set(row, values.section);
    this.flags.set(row, values.flags);
    this.index.set(row, values.index);
    this.place.set(row, values.place);
    this.length.set(row, values.length);
    return row;
  }

  holds(row: number, { name, version, architecture, digest }: Identity): boolean {
    return (
      this.version.get(row) === version &&
      this.digest.get(row) === digest &&
      this.architecture.get(row) === architecture &&
      this.name.get(row) === name
    );
  }
}
