import { parseDependencies, type Relation } from '../../../formats/apt/dependency.ts';
import type { Choice, Chooser, KnownRows } from '../../curate/closure.ts';
import { architectureFor, type CandidateFinder, candidatesFor } from './candidates.ts';
import type { NameId, Row } from './package-table.ts';

/** What is known of rows when an alternative is chosen. */
export interface ChoiceFacts extends CandidateFinder, KnownRows {
  readonly versions: 'newest' | 'all';
  /** Of the mirror: `libc6:i386` cannot be met where i386 is not one of them. */
  readonly architectures: readonly string[];
}

/** Choices kept: a large archive has some 100,000 different demands, and the frequent ones come back at once. */
const MAX_KEPT = 20_000;

/**
 * Meets the demands of Depends fields, one group of alternatives at a time.
 *
 * Of the alternatives it takes one that a rule chose by itself, else the first that is here, as apt does on a machine
 * with nothing installed. What else the closure brought in does not count: so the choice depends on no order, and
 * whatever subset of the selection a host installs, apt finds its first choice here. An alternative that cannot be met
 * in turn gives way to the next. Packages of the name go before providers.
 */
export class DependsChooser implements Chooser {
  readonly #facts: ChoiceFacts;
  readonly #kept = new Map<string, Choice | undefined>();

  constructor(facts: ChoiceFacts) {
    this.#facts = facts;
  }

  choose(group: string, architecture: string, origin: string): Choice | undefined {
    const key = `${architecture} ${group}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined || this.#kept.has(key)) return kept;
    const choice = this.#decide(parseGroup(group, origin), architecture);
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, choice);
    return choice;
  }

  #decide(alternatives: readonly Relation[], own: string): Choice | undefined {
    const options = alternatives.flatMap((relation) => {
      const architecture = architectureFor(relation, own);
      if (!this.#facts.architectures.includes(architecture)) return [];
      return [{ architecture, ...candidatesFor(this.#facts, relation, own) }];
    });
    const tests = [
      (row: Row, architecture: string) =>
        this.#facts.isRoot(row, architecture) && !this.#facts.isBroken(row, architecture),
      (row: Row, architecture: string) => !this.#facts.isBroken(row, architecture),
      () => true,
    ];
    for (const [tier, test] of tests.entries()) {
      for (const { architecture, real, providers } of options) {
        const fit = (row: Row) => test(row, architecture);
        const rows = this.#pick(real.filter(fit)) ?? this.#pick(providers.filter(fit));
        if (rows !== undefined) return { rows, architecture, broken: tier === 2 };
      }
    }
    return undefined;
  }

  /** The best one, or all versions of the best one's name. */
  #pick(rows: readonly Row[]): readonly Row[] | undefined {
    const [best] = rows;
    if (best === undefined) return undefined;
    const { table, versions } = this.#facts;
    if (versions === 'newest') return [best];
    const name: NameId = table.nameId(best);
    return rows.filter((row) => table.nameId(row) === name);
  }
}

/** The groups of a Depends field, as text: most are known already and need not be parsed. */
export function groupsOf(field: string | undefined): string[] {
  if (field === undefined) return [];
  return field
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '');
}

export function parseGroup(group: string, origin: string): readonly Relation[] {
  return parseDependencies(group, origin)[0] ?? [];
}
