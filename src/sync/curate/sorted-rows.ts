import type { Row } from './columns.ts';

export interface SortableTable {
  readonly count: number;
  compare(a: Row, b: Row): number;
}

/** Those that are selected, in the order of publication. */
export function sortedRows(table: SortableTable, selected: (row: Row) => boolean): Uint32Array {
  const rows = new Uint32Array(table.count);
  let count = 0;
  for (let row = 0; row < table.count; row++) if (selected(row)) rows[count++] = row;
  return rows.slice(0, count).sort((a, b) => table.compare(a, b));
}
