/** Tables of packages whose files go away with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { PackageTable } from '../../src/sync/apt/curate/package-table.ts';
import { type SelectInput, type Selection, selectPackages } from '../../src/sync/apt/curate/select.ts';
import { type IndexPackage, packageIndex } from './package-index.ts';

/** Each list is an index of its own, the first preferred. */
export async function tableOf(...indexes: readonly (readonly IndexPackage[])[]): Promise<PackageTable> {
  const table = emptyTable();
  for (const [at, packages] of indexes.entries()) await table.add([packageIndex(packages)], `index ${at}`);
  return table;
}

export function emptyTable(): PackageTable {
  const dir = mkdtempSync(join(tmpdir(), 'table-'));
  const table = new PackageTable(join(dir, 'stanzas'));
  onTestFinished(() => {
    table.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return table;
}

/** Defaults: amd64, closure of Depends, newest versions, nothing excluded. */
export function select(table: PackageTable, options: Pick<SelectInput, 'rules'> & Partial<SelectInput>): Selection {
  return selectPackages({
    table,
    architectures: ['amd64'],
    closure: 'depends',
    exclude: [],
    versions: 'newest',
    seeds: new Map(),
    ...options,
  });
}

/** `name version architecture` of each selected package. */
export function selected(table: PackageTable, selection: Selection): string[] {
  return [...selection.rows].map((row) => table.describe(row));
}

/** Names alone. */
export function selectedNames(table: PackageTable, selection: Selection): string[] {
  return [...selection.rows].map((row) => table.name(row));
}
