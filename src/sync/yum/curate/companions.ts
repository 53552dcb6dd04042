/** Source and debug packages that come along with what was chosen. */
import type { YumCurateSpec } from '../../../spec/yum-curate-spec.ts';
import type { Row } from '../../curate/columns.ts';
import type { Reasons } from '../../curate/reasons.ts';
import { isSource } from './architectures.ts';
import { FOLLOWED } from './demands.ts';
import type { Eligible } from './eligible.ts';
import type { RpmTable } from './rpm-table.ts';

export interface CompanionInput {
  readonly table: RpmTable;
  readonly eligible: Eligible;
  readonly curate: Pick<YumCurateSpec, 'sources' | 'debuginfo'>;
  /** 1 for what is chosen; companions are marked, too. */
  readonly marks: Uint8Array;
  readonly reasons: Reasons;
}

/** Behind the last of FOLLOWED: brought in as a companion. */
const COMPANION = FOLLOWED.length;

export function addCompanions({ table, eligible, curate, marks, reasons }: CompanionInput): void {
  if (!curate.sources && !curate.debuginfo) return;
  const found: { readonly row: Row; readonly of: Row }[] = [];
  for (let of = 0; of < marks.length; of++) {
    if (marks[of] !== 1) continue;
    const source = table.names.get(table.sourceId(of));
    const wanted = (row: Row): boolean => marks[row] !== 1 && eligible.has(row);
    if (curate.sources) {
      const file = table.facts(of).sourceRpm;
      for (const row of rowsNamed(table, source))
        if (wanted(row) && isSource(table.architecture(row)) && sourceFile(table, row) === file)
          found.push({ row, of });
    }
    if (!curate.debuginfo) continue;
    for (const name of [`${table.name(of)}-debuginfo`, `${source}-debuginfo`, `${source}-debugsource`])
      for (const row of rowsNamed(table, name))
        if (wanted(row) && table.architecture(row) === table.architecture(of) && table.compareVersions(row, of) === 0)
          found.push({ row, of });
  }
  for (const { row, of } of found) {
    marks[row] = 1;
    reasons.dependency(row, of, COMPANION, 0);
  }
}

function rowsNamed(table: RpmTable, name: string): Row[] {
  const id = table.names.find(name);
  return id < 0 ? [] : [...table.rowsOf(id)];
}

/** `hello-1.0-1.src.rpm`, as the packages that were built of it name it. */
function sourceFile(table: RpmTable, row: Row): string {
  const evr = table.version(row).replace(/^\d+:/, '');
  return `${table.name(row)}-${evr}.${table.architecture(row)}.rpm`;
}
