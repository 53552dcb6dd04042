/** Which packages may be chosen at all. */
import type { YumCurateSpec } from '../../../spec/yum-curate-spec.ts';
import type { Row } from '../../curate/columns.ts';
import { matchesGlob } from '../../curate/glob.ts';
import type { Advisories } from './advisories.ts';
import { isSource, runsOn } from './architectures.ts';
import type { ModuleStreams } from './module-streams.ts';
import type { RpmTable } from './rpm-table.ts';

export interface Eligible {
  has(row: Row): boolean;
  /** Why not, for messages. */
  reason(row: Row): string;
  /** One line for each package that several repositories have with different bytes. */
  readonly notes: readonly string[];
}

export interface EligibleInput extends Pick<YumCurateSpec, 'exclude'> {
  readonly table: RpmTable;
  readonly basearch: string;
  readonly modules: ModuleStreams;
  readonly advisories: Advisories;
}

const REASONS = [
  '',
  'it is excluded',
  'it is of another architecture',
  'its module stream is neither the default one nor chosen by a rule',
  'only advisories of other kinds name it',
  'another repository has it with other bytes',
] as const;
const [, EXCLUDED, FOREIGN, HIDDEN, UNWANTED, DUPLICATE] = REASONS.keys();

export function eligibleRows({ table, basearch, modules, advisories, exclude }: EligibleInput): Eligible {
  const refused = new Uint8Array(table.count);
  const notes: string[] = [];
  for (let name = 0; name < table.names.count; name++) {
    const rows = [...table.rowsOf(name)].sort((a, b) => table.compare(a, b));
    if (rows.length === 0) continue;
    const text = table.names.get(name);
    const isExcluded = exclude.some((pattern) => matchesGlob(pattern, text));
    let kept: Row | undefined;
    for (const row of rows) {
      if (isExcluded) refused[row] = EXCLUDED as number;
      else if (!isSource(table.architecture(row)) && !runsOn(basearch, table.architecture(row)))
        refused[row] = FOREIGN as number;
      else if (!modules.isVisible(table.stream(row), () => text)) refused[row] = HIDDEN as number;
      else if (!advisories.allows(row)) refused[row] = UNWANTED as number;
      else if (kept !== undefined && table.sameNevra(kept, row)) {
        refused[row] = DUPLICATE as number;
        notes.push(
          `${table.describe(row)} of ${table.origin(table.index(row))} has other bytes than that of ${table.origin(table.index(kept))}, which is taken`,
        );
      } else kept = row;
    }
  }
  return { has: (row) => refused[row] === 0, reason: (row) => REASONS[refused[row] ?? 0] ?? '', notes };
}
