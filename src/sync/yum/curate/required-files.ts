/** Files that packages require and no primary names: they are looked for in filelists. */
import { filesOf, recordPkgid } from '../../../formats/rpm/filelists.ts';
import type { RpmTable } from './rpm-table.ts';

/** Looking for more of them in a record takes as long as reading it. */
const MAX_ENDS = 100;
const EMPTY = Buffer.alloc(0);

/** As marks on names of the table: a distribution may require hundreds of thousands. */
export class RequiredFiles {
  readonly #table: RpmTable;
  readonly #wanted: Uint8Array;
  /** Few records have any of these: the others are not taken apart. */
  readonly #parts: readonly Buffer[];

  /** Of all primaries, which must have been added. */
  constructor(table: RpmTable) {
    this.#table = table;
    this.#wanted = new Uint8Array(table.names.count);
    const ends = new Set<string>();
    for (let name = 0; name < table.names.count; name++) {
      if (!table.isRequiredPath(name) || table.isProvided(name)) continue;
      this.#wanted[name] = 1;
      if (ends.size > MAX_ENDS) continue;
      const path = table.names.get(name);
      ends.add(path.slice(path.lastIndexOf('/')));
    }
    this.#parts = ends.size > MAX_ENDS ? [EMPTY] : [...ends].map((end) => Buffer.from(end));
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** Tells the table who has them, by the records of a filelists. */
  async find(batches: AsyncIterable<readonly Buffer[]>, origin: string): Promise<void> {
    const table = this.#table;
    for await (const batch of batches) {
      for (const record of batch) {
        if (!this.#parts.some((part) => record.includes(part))) continue;
        const row = table.rowOfPkgid(recordPkgid(record, origin));
        if (row === undefined) continue;
        for (const { path } of filesOf(record, origin)) {
          const name = table.names.find(path);
          if (this.#wanted[name] === 1) table.provideFile(row, name);
        }
      }
    }
  }
}
