/** What an rpm package asks for. */
import {
  capabilityText,
  type Dependency,
  dependencyText,
  isRich,
  parseDependency,
  rangesOverlap,
} from '../../../formats/rpm/dependency.ts';
import type { Capability } from '../../../formats/rpm/package.ts';
import type { PrimaryPackage } from '../../../formats/rpm/primary.ts';
import type { Demand, Invited } from '../../curate/closure.ts';
import type { Row } from '../../curate/columns.ts';
import type { RpmTable } from './rpm-table.ts';

/** The kinds that are followed, in this order; their places in this list are what Reasons keeps. */
export const FOLLOWED = ['requires', 'recommends', 'supplements'] as const;
export type Followed = (typeof FOLLOWED)[number];
const [REQUIRES, RECOMMENDS, SUPPLEMENTS] = FOLLOWED.keys();

/** What rpm itself provides, and what asks a solver something. */
const NOT_PACKAGES = /^(?:rpmlib|solvable)\(/;

export function* demandsOf(table: RpmTable, row: Row, { weak }: { readonly weak: boolean }): Generator<Demand> {
  const facts = table.facts(row);
  const origin = table.describe(row);
  yield* demandsIn(facts, { field: REQUIRES as number, weak: false, origin });
  if (weak) yield* demandsIn(facts, { field: RECOMMENDS as number, weak: true, origin });
}

function* demandsIn(
  facts: PrimaryPackage,
  of: { readonly field: number; readonly weak: boolean; readonly origin: string },
): Generator<Demand> {
  const { field, weak, origin } = of;
  for (const [place, each] of (facts.capabilities[FOLLOWED[field] as Followed] ?? []).entries()) {
    if (NOT_PACKAGES.test(each.name)) continue;
    if (!each.name.startsWith('(')) {
      if (!providesItself(facts, each)) yield { field, place, weak, text: capabilityText(each) };
      continue;
    }
    for (const { wanted, when } of unconditional(parseDependency(each.name, origin)))
      yield { field, place, weak, text: dependencyText(wanted), ...(when && { when: dependencyText(when) }) };
  }
}

function providesItself({ capabilities, files }: PrimaryPackage, wanted: Capability): boolean {
  if (wanted.name.startsWith('/')) return files.some(({ path }) => path === wanted.name);
  return (capabilities.provides ?? []).some((own) => own.name === wanted.name && rangesOverlap(own, wanted));
}

/**
 * `and` is several demands, `if` one with a condition. A host may have what makes the other side of an `else` or `unless`
 * count or not: both sides are asked for.
 */
function* unconditional(
  dependency: Dependency,
): Generator<{ readonly wanted: Dependency; readonly when?: Dependency | undefined }> {
  if (!isRich(dependency)) return yield { wanted: dependency };
  const { op, parts } = dependency;
  const [first, second, otherwise] = parts;
  if (op === 'and') {
    for (const part of parts) yield* unconditional(part);
  } else if ((op === 'if' || op === 'unless') && first !== undefined && second !== undefined) {
    if (op === 'if') yield { wanted: first, when: second };
    else yield* unconditional(first);
    if (otherwise === undefined) return;
    if (op === 'if') yield* unconditional(otherwise);
    else yield { wanted: otherwise, when: second };
  } else yield { wanted: dependency };
}

/** Rows that come along with what they supplement. */
export function invitedRows(table: RpmTable, allowed: (row: Row) => boolean): Invited[] {
  return table.supplementing.filter(allowed).flatMap((row) =>
    (table.facts(row).capabilities.supplements ?? []).map((each, place) => ({
      row,
      when: each.name.startsWith('(') ? each.name : capabilityText(each),
      field: SUPPLEMENTS as number,
      place,
    })),
  );
}

/** The words of a demand, as they stand in the package that has it. */
export function demandWords(table: RpmTable, row: Row, field: number, place: number): string {
  const each = table.facts(row).capabilities[FOLLOWED[field] as Followed]?.[place];
  return each === undefined ? '' : capabilityText(each);
}
