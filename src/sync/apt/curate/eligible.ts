import { matchesGlob } from '../../curate/glob.ts';
import type { PackageTable, Row } from './package-table.ts';

/** Which rows may be chosen at all, and why others may not. */
export interface Eligible {
  has(row: Row): boolean;
  /** Whether the spec excludes the packages of that name. */
  excludes(name: string): boolean;
  /** One line for each package that several upstreams have with different bytes. */
  readonly notes: readonly string[];
}

/**
 * Leaves out what `exclude` names, and of packages with one name, version and architecture but different bytes all but
 * that of the preferred index.
 */
export function eligibleRows(table: PackageTable, exclude: readonly string[]): Eligible {
  const excludes = (name: string) => exclude.some((pattern) => matchesGlob(pattern, name));
  const refused = new Uint8Array(table.count);
  const notes: string[] = [];
  const names = table.names;
  for (let name = 0; name < names.count; name++) {
    const rows = [...table.rowsOf(name)];
    if (rows.length === 0) continue;
    if (exclude.length > 0 && excludes(names.get(name))) {
      for (const row of rows) refused[row] = 1;
      continue;
    }
    if (rows.length === 1) continue;
    rows.sort((a, b) => table.compare(a, b));
    let kept = rows[0] as Row;
    for (const row of rows.slice(1)) {
      if (!table.sameIdentity(kept, row)) {
        kept = row;
        continue;
      }
      refused[row] = 1;
      notes.push(
        `${table.describe(row)} of ${table.origin(table.index(row))} has other bytes than that of ${table.origin(table.index(kept))}, which is taken`,
      );
    }
  }
  return { has: (row) => refused[row] === 0, excludes, notes };
}
