import { Column, EntryLists } from './columns.ts';

/** Who provides which name as which version, as numbers: of names, rows and versions. */
export class Provides {
  readonly #byName = new EntryLists();
  readonly #rows = new Column(Uint32Array);
  /** Version + 1, or 0. */
  readonly #versions = new Column(Uint32Array);
  #count = 0;

  add(name: number, row: number, version: number | undefined): void {
    const entry = this.#count++;
    this.#rows.set(entry, row);
    this.#versions.set(entry, version === undefined ? 0 : version + 1);
    this.#byName.add(name, entry);
  }

  /** In no particular order. */
  *of(name: number): Generator<{ readonly row: number; readonly version: number | undefined }> {
    for (let at = this.#byName.first(name); at >= 0; at = this.#byName.next(at)) {
      const version = this.#versions.get(at);
      yield { row: this.#rows.get(at), version: version === 0 ? undefined : version - 1 };
    }
  }
}
