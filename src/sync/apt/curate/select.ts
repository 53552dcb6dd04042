/** What a curated mirror holds: the packages that its rules choose, and all that these need. */
import type { CurateSpec } from '../../../spec/apt-curate-spec.ts';
import { selectClosure } from '../../curate/closure.ts';
import { type ByDependency, Reasons } from '../../curate/reasons.ts';
import { sortedRows } from '../../curate/sorted-rows.ts';
import type { Unresolved } from '../../curate/unresolved.ts';
import { type Chain, type Explained, explainPackage, whyFile } from '../../curate/why.ts';
import { DependsChooser, groupsOf } from './choice.ts';
import { demandsOf, FOLLOWED, type Followed } from './demands.ts';
import { type Eligible, eligibleRows } from './eligible.ts';
import { unmetDependency, unmetRule } from './missing.ts';
import type { PackageTable } from './package-table.ts';
import { matchRule, type RuleContext, ruleText } from './rules.ts';

export interface SelectInput extends Pick<CurateSpec, 'rules' | 'closure' | 'exclude' | 'versions'> {
  /** Earlier indexes are preferred where two have the same version. */
  readonly table: PackageTable;
  /** Of the mirror, without `all`. Each gets a selection that is whole in itself. */
  readonly architectures: readonly string[];
  /** Text of each file that a rule names as `seed`. */
  readonly seeds: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal | undefined;
}

export interface Selection {
  /** In the order of publication: name by its bytes, newest version first, architecture. Read them by the table. */
  readonly rows: Uint32Array;
  /** What is missing; the caller refuses (`unresolvedError`) or notes it. The selection is whole but for these. */
  readonly unresolved: readonly Unresolved[];
  /** Worth a line each: rules that match nothing, packages with different bytes in two upstreams. */
  readonly notes: readonly string[];
  /** What `whyFile` writes. */
  readonly explained: Explained;
  /** As people write them. */
  readonly rules: readonly string[];
  /** The chain for each selected version and architecture of a package. */
  why(name: string): Chain[];
}

const FIELDS: Readonly<Record<CurateSpec['closure'], readonly Followed[]>> = {
  none: [],
  depends: ['Pre-Depends', 'Depends'],
  recommends: ['Pre-Depends', 'Depends', 'Recommends'],
};

/** The same for the same packages and rules, in whatever order the stanzas of an index come. */
export function selectPackages(input: SelectInput): Selection {
  const { table } = input;
  const eligible = eligibleRows(table, input.exclude);
  const reasons = new Reasons(table.count);
  const matched = matchRules(input, eligible, reasons);
  const { architectures, signal } = input;
  const { selected, unmet } = selectClosure({
    architectures,
    signal,
    count: table.count,
    roots: matched.roots,
    reasons,
    demands: (row) => demandsOf(table, row, FIELDS[input.closure]),
    describe: (row) => table.describe(row),
    chooser: (known) => new DependsChooser({ ...input, ...known, allowed: (row) => eligible.has(row) }),
  });
  const rows = sortedRows(table, selected);
  const texts = input.rules.map(ruleText);
  const because = ({ parent, field, place }: ByDependency) => {
    const name = FOLLOWED[field] as string;
    return { field: name, dependency: groupsOf(table.stanza(parent).get(name))[place] ?? '' };
  };
  const explained: Explained = { table, rows, reasons, because };
  return {
    rows,
    unresolved: [...matched.unresolved, ...unmet.map((one) => unmetDependency(one, { ...input, eligible }))],
    notes: [...eligible.notes, ...matched.notes],
    explained,
    rules: texts,
    why: (name) => explainPackage(Buffer.concat([...whyFile([explained], texts)]), name),
  };
}

interface MatchedRules {
  /** For each architecture: rows once each, in the order of publication. */
  readonly roots: readonly Uint32Array[];
  readonly unresolved: readonly Unresolved[];
  readonly notes: readonly string[];
}

function matchRules(input: SelectInput, eligible: Eligible, reasons: Reasons): MatchedRules {
  const { table, architectures } = input;
  const context: RuleContext = { ...input, eligible };
  const chosen = architectures.map(() => new Uint8Array(table.count));
  const unresolved: Unresolved[] = [];
  const notes: string[] = [];
  for (const [number, rule] of input.rules.entries()) {
    let matches = false;
    const missing = matchRule(rule, context, (row, architecture) => {
      matches = true;
      (chosen[architecture] as Uint8Array)[row] = 1;
      reasons.rule(row, number);
    });
    const text = ruleText(rule);
    for (const wanted of missing) unresolved.push(unmetRule(text, wanted, context));
    if (!matches && missing.length === 0) notes.push(`rule ${number + 1} (${text}) matches no package`);
  }
  return { roots: chosen.map((marks) => sortedRows(table, (row) => marks[row] === 1)), unresolved, notes };
}
