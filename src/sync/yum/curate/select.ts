/** What the repository of one architecture of a curated mirror holds: what its rules choose, and all that this needs. */
import type { Comps } from '../../../formats/rpm/comps.ts';
import type { YumCurateSpec } from '../../../spec/yum-curate-spec.ts';
import { selectClosure, type Unmet } from '../../curate/closure.ts';
import type { Row } from '../../curate/columns.ts';
import { Reasons } from '../../curate/reasons.ts';
import { sortedRows } from '../../curate/sorted-rows.ts';
import type { Unresolved } from '../../curate/unresolved.ts';
import type { Explained } from '../../curate/why.ts';
import type { Advisories } from './advisories.ts';
import { isSource } from './architectures.ts';
import { RequiresChooser } from './chooser.ts';
import { addCompanions } from './companions.ts';
import { demandsOf, demandWords, FOLLOWED, invitedRows } from './demands.ts';
import { eligibleRows } from './eligible.ts';
import type { ModuleStreams } from './module-streams.ts';
import type { RpmTable } from './rpm-table.ts';
import { matchRule, type RuleContext, ruleText } from './rules.ts';

export interface RpmSelectInput {
  readonly curate: YumCurateSpec;
  /** Earlier repositories are preferred where two have the same version. */
  readonly table: RpmTable;
  /** Empty where the spec tells none: all architectures then. */
  readonly basearch: string;
  readonly comps: Comps;
  readonly modules: ModuleStreams;
  readonly advisories: Advisories;
  readonly seeds: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal | undefined;
}

export interface RpmSelection {
  /** In the order of publication: see RpmTable.compare. */
  readonly rows: Uint32Array;
  /** What is missing; the selection is whole but for these. */
  readonly unresolved: readonly Unresolved[];
  /** Worth a line each. */
  readonly notes: readonly string[];
  readonly explained: Explained;
}

/** The same for the same packages and rules, in whatever order a primary has them. */
export function selectRpms(input: RpmSelectInput): RpmSelection {
  const { table, curate, basearch, modules, signal } = input;
  for (const { module } of curate.rules) if (module !== undefined) modules.activate(module.split('/')[0] ?? '');
  const eligible = eligibleRows({ ...input, exclude: curate.exclude });
  const versions = typeof curate.versions === 'number' ? curate.versions : curate.versions === 'all' ? Infinity : 1;
  const context: RuleContext = { ...input, eligible, versions };
  const reasons = new Reasons(table.count);
  const matched = matchRules(context, curate, reasons);
  const allowed = (row: Row): boolean => eligible.has(row) && !isSource(table.architecture(row));
  const weak = curate.closure === 'weak';
  const { selected, unmet } = selectClosure({
    architectures: [basearch],
    signal,
    count: table.count,
    roots: [sortedRows(table, (row) => matched.chosen[row] === 1)],
    reasons,
    demands: (row) => (curate.closure === 'none' ? [] : demandsOf(table, row, { weak })),
    describe: (row) => table.describe(row),
    chooser: (known) => new RequiresChooser({ ...known, table, basearch, versions, allowed }),
    invited: weak ? invitedRows(table, allowed) : [],
  });
  const marks = new Uint8Array(table.count);
  for (let row = 0; row < table.count; row++) marks[row] = Number(selected(row));
  addCompanions({ table, eligible, curate, marks, reasons });
  const rows = sortedRows(table, (row) => marks[row] === 1);
  return {
    rows,
    unresolved: [...matched.unresolved, ...unmet.map((each) => unresolvedDemand(each, input))],
    notes: [...eligible.notes, ...matched.notes],
    explained: { table, rows, reasons, because: wordsOf(table) },
  };
}

/** Made outside of the selection, or it would keep all that the selection took to be made. */
function wordsOf(table: RpmTable): Explained['because'] {
  return ({ parent, field, place }, row) => {
    const name = FOLLOWED[field] ?? 'source';
    if (name === 'source') return { field: name, dependency: table.names.get(table.sourceId(row)) };
    return { field: name, dependency: demandWords(table, name === 'supplements' ? row : parent, field, place) };
  };
}

interface MatchedRules {
  readonly chosen: Uint8Array;
  readonly unresolved: readonly Unresolved[];
  readonly notes: readonly string[];
}

function matchRules(context: RuleContext, { rules }: YumCurateSpec, reasons: Reasons): MatchedRules {
  const chosen = new Uint8Array(context.table.count);
  const unresolved: Unresolved[] = [];
  const notes: string[] = [];
  for (const [number, rule] of rules.entries()) {
    let matches = false;
    const missing = matchRule(rule, context, (row) => {
      matches = true;
      chosen[row] = 1;
      reasons.rule(row, number);
    });
    const wantedBy = ruleText(rule);
    for (const { wanted, reason } of missing) {
      const message = `rule (${wantedBy}) names ${wanted}: ${reason}`;
      unresolved.push({ wantedBy, field: 'rule', wanted, architecture: context.basearch || null, reason, message });
    }
    if (!matches && missing.length === 0) notes.push(`rule ${number + 1} (${wantedBy}) matches no package`);
  }
  return { chosen, unresolved, notes };
}

function unresolvedDemand({ row, field, text }: Unmet, { table, basearch }: RpmSelectInput): Unresolved {
  const wantedBy = table.describe(row);
  const name = FOLLOWED[field] ?? 'requires';
  const reason = `nothing here${basearch === '' ? '' : ` for ${basearch}`} provides it`;
  return {
    wantedBy,
    field: name,
    wanted: text,
    architecture: basearch || null,
    reason,
    message: `${wantedBy} ${name} ${text}: ${reason}`,
  };
}
