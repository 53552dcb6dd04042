/** Advisories against a table: which of its packages they name. */
import type { Update } from '../../../formats/rpm/updateinfo.ts';
import type { Row } from '../../curate/columns.ts';
import type { RpmTable } from './rpm-table.ts';

export interface KnownAdvisory {
  readonly id: string;
  readonly type: string;
  readonly rows: readonly Row[];
}

export class Advisories {
  readonly all: KnownAdvisory[] = [];
  readonly #kinds: ReadonlySet<string> | undefined;
  /** By row: 1 named by an advisory, 2 by one of the kinds that are wanted. */
  readonly #marks = new Map<Row, number>();

  /** `kinds`: updates of these alone are wanted; `undefined`: of any. */
  constructor(kinds: readonly string[] | undefined) {
    this.#kinds = kinds && new Set(kinds);
  }

  async add(updates: AsyncIterable<Update>, table: RpmTable): Promise<void> {
    for await (const { id, type, collections } of updates) {
      const rows = collections.flatMap(({ packages }) => packages.flatMap((each) => table.rowsOfNevra(each)));
      this.all.push({ id, type, rows });
      const mark = this.#kinds?.has(type) === false ? 1 : 2;
      for (const row of rows) this.#marks.set(row, Math.max(mark, this.#marks.get(row) ?? 0));
    }
  }

  /** Named by none, or by one of a wanted kind. */
  allows(row: Row): boolean {
    return this.#marks.get(row) !== 1;
  }
}
