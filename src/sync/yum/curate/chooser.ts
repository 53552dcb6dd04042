/** Which packages meet a dependency of rpm, and which of them is taken. */
import { type Dependency, isRich, parseDependency } from '../../../formats/rpm/dependency.ts';
import type { Choice, Chooser, KnownRows } from '../../curate/closure.ts';
import type { Row } from '../../curate/columns.ts';
import { isNative } from './architectures.ts';
import type { RpmTable } from './rpm-table.ts';

export interface ChoiceFacts extends KnownRows {
  readonly table: RpmTable;
  readonly basearch: string;
  /** May be chosen at all, and is no source package. */
  readonly allowed: (row: Row) => boolean;
  /** So many versions of what is chosen. */
  readonly versions: number;
}

/** Choices of one generation: a large distribution has some 200,000 different demands, and the frequent ones come back. */
const MAX_KEPT = 8000;

/**
 * Of what meets a dependency it takes what a rule chose by itself, else the best by `compareCandidates`; what cannot be
 * met in turn comes last. What else the closure brought in does not count: so the choice depends on no order.
 */
export class RequiresChooser implements Chooser {
  readonly #facts: ChoiceFacts;
  /** What was asked for lately; once that is much, it is the generation before, and what is not asked for again goes. */
  #kept = new Map<string, Choice | null>();
  #keptBefore: ReadonlyMap<string, Choice | null> = new Map();

  constructor(facts: ChoiceFacts) {
    this.#facts = facts;
  }

  choose(text: string, architecture: string, origin: string): Choice | undefined {
    const kept = this.#kept.get(text);
    if (kept !== undefined) return kept ?? undefined;
    const choice = this.#keptBefore.get(text) ?? this.#decide(parseDependency(text, origin), architecture) ?? null;
    if (this.#kept.size >= MAX_KEPT) {
      this.#keptBefore = this.#kept;
      this.#kept = new Map();
    }
    // A copy: a part of a record's text would keep all of it.
    this.#kept.set(Buffer.from(text).toString(), choice);
    return choice ?? undefined;
  }

  meeting(condition: string, isSelected: (row: Row) => boolean): Row | undefined {
    return this.#meeting(parseDependency(condition, 'condition'), isSelected);
  }

  #meeting(condition: Dependency, isSelected: (row: Row) => boolean): Row | undefined {
    if (isRich(condition) && condition.op === 'and') {
      const found = condition.parts.map((part) => this.#meeting(part, isSelected));
      return found.includes(undefined) ? undefined : found[0];
    }
    return this.candidates(condition).find(isSelected);
  }

  #decide(dependency: Dependency, architecture: string): Choice | undefined {
    const { isRoot, isBroken } = this.#facts;
    const tests = [
      (row: Row) => isRoot(row, architecture) && !isBroken(row, architecture),
      (row: Row) => !isBroken(row, architecture),
      () => true,
    ];
    for (const [tier, test] of tests.entries()) {
      const rows = this.#pick(dependency, test);
      if (rows !== undefined) return { rows, architecture, broken: tier === 2 };
    }
    return undefined;
  }

  /** Alternatives in their order; of `and` within them, all; of a condition within them, what it is for. */
  #pick(dependency: Dependency, test: (row: Row) => boolean): readonly Row[] | undefined {
    if (isRich(dependency)) {
      const { op, parts } = dependency;
      if (op === 'or') {
        for (const part of parts) {
          const rows = this.#pick(part, test);
          if (rows !== undefined) return rows;
        }
        return undefined;
      }
      if (op === 'and') {
        const all = parts.map((part) => this.#pick(part, test));
        return all.includes(undefined) ? undefined : all.flatMap((rows) => rows ?? []);
      }
      if (op === 'if' || op === 'unless') return parts[0] && this.#pick(parts[0], test);
    }
    return this.#versionsOf(this.candidates(dependency).filter(test));
  }

  /** All that meets it, best first. */
  candidates(dependency: Dependency): Row[] {
    const { table, allowed } = this.#facts;
    if (!isRich(dependency)) {
      const rows = new Set<Row>();
      for (const row of table.providersOf(dependency)) if (allowed(row)) rows.add(row);
      return [...rows].sort((a, b) => this.#compareCandidates(dependency.name, a, b));
    }
    const [first, ...others] = dependency.parts.map((part) => this.candidates(part));
    if (first === undefined) return [];
    if (dependency.op === 'with') return first.filter((row) => others.every((rows) => rows.includes(row)));
    if (dependency.op === 'without') return first.filter((row) => !others.some((rows) => rows.includes(row)));
    return dependency.op === 'or' ? [...new Set([first, ...others].flat())] : first;
  }

  /** The own architecture first, then packages of the name itself, then the order of publication: the newest of each. */
  #compareCandidates(name: string, a: Row, b: Row): number {
    const { table, basearch } = this.#facts;
    const native = (row: Row): number => Number(!isNative(basearch, table.architecture(row)));
    const named = (row: Row): number => Number(table.name(row) !== name);
    return native(a) - native(b) || named(a) - named(b) || table.compare(a, b);
  }

  /** The best one, or the newest versions of its name. */
  #versionsOf(rows: readonly Row[]): readonly Row[] | undefined {
    const [best] = rows;
    if (best === undefined) return undefined;
    const { table, versions } = this.#facts;
    if (versions === 1) return [best];
    const alike = (row: Row): boolean =>
      table.nameId(row) === table.nameId(best) && table.architecture(row) === table.architecture(best);
    return rows.filter(alike).slice(0, versions);
  }
}
