/** All that chosen packages need, whatever kind of package they are. */
import { Column, type Row } from './columns.ts';
import type { Reasons } from './reasons.ts';

/** Something that a package asks for. */
export interface Demand {
  /** By which of its fields: a place in a list of the family. */
  readonly field: number;
  /** Which one of that field, from 0. */
  readonly place: number;
  /** As written: `libc6 (>= 2.36) | libc6-udeb`. */
  readonly text: string;
  /** It comes along where it can be met, and is no fault where it cannot. */
  readonly weak: boolean;
  /** Asked for only where the selection meets this, too. */
  readonly when?: string | undefined;
}

/** How a demand is met. */
export interface Choice {
  readonly rows: readonly Row[];
  readonly architecture: string;
  /** There is no better way, though the chosen packages cannot be met themselves. */
  readonly broken: boolean;
}

/** What is known of rows when one of several is chosen. `architecture`: the host's, for which a row is chosen. */
export interface KnownRows {
  /** Chosen by a rule itself. */
  readonly isRoot: (row: Row, architecture: string) => boolean;
  /** Known to depend on something that is not there. */
  readonly isBroken: (row: Row, architecture: string) => boolean;
}

export interface Chooser {
  /** `undefined` where nothing here meets the demand. */
  choose(text: string, architecture: string, origin: string): Choice | undefined;
  /** The first selected row that meets a condition. */
  meeting?(condition: string, isSelected: (row: Row) => boolean): Row | undefined;
}

/** A row that comes along, for the first architecture, as soon as the selection meets what it supplements. */
export interface Invited {
  readonly row: Row;
  readonly when: string;
  readonly field: number;
  readonly place: number;
}

export interface ClosureInput {
  /** Rows of the table. */
  readonly count: number;
  readonly architectures: readonly string[];
  /** What rules chose, for each architecture, in the order of publication. */
  readonly roots: readonly Uint32Array[];
  readonly reasons: Reasons;
  readonly demands: (row: Row) => Iterable<Demand>;
  readonly describe: (row: Row) => string;
  readonly chooser: (known: KnownRows) => Chooser;
  readonly invited?: readonly Invited[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A demand that nothing meets. */
export interface Unmet {
  readonly row: Row;
  readonly field: number;
  readonly text: string;
  readonly architecture: string;
}

export interface ClosureResult {
  readonly selected: (row: Row) => boolean;
  readonly unmet: readonly Unmet[];
}

/** Bits of a row for one architecture: of the rules; in the selection; met by a dependency of another; known as broken. */
const [ROOT, SELECTED, CHOSEN, BROKEN] = [1, 2, 4, 8];
/** Rows between two looks at the abort signal. */
const ABORT_STEP = 4096;

/**
 * Selects the roots and all that they need, breadth first, so that the reasons are shortest chains. A package whose
 * demands cannot be met is marked as broken, and all is chosen again without it where there is another way, until no
 * new one turns up; what is unmet then is unavoidable. The marks only grow, and they do not depend on order.
 */
export function selectClosure(input: ClosureInput): ClosureResult {
  const pass = new ClosurePass(input);
  let unmet = pass.run();
  while (pass.mustRepeat) unmet = pass.run();
  return { selected: (row) => pass.isSelected(row), unmet };
}

/** Something that waits until the selection meets its condition. */
interface Waiting {
  readonly when: string;
  readonly settle: (cause: Row) => void;
}

class ClosurePass {
  readonly #input: ClosureInput;
  /** For each architecture: bits by row. */
  readonly #marks: Uint8Array[];
  /** Row and architecture as one number. */
  readonly #queue = new Column(Float64Array);
  #queued = 0;
  #chooser: Chooser;
  #newlyBroken: { readonly marks: Uint8Array; readonly row: Row }[] = [];
  #unmet: Unmet[] = [];
  #waiting: Waiting[] = [];

  constructor(input: ClosureInput) {
    this.#input = input;
    this.#marks = input.architectures.map(() => new Uint8Array(input.count));
    for (const [at, roots] of input.roots.entries()) for (const row of roots) this.#mark(at, row, ROOT);
    this.#chooser = this.#newChooser();
  }

  run(): Unmet[] {
    this.#newlyBroken = [];
    this.#unmet = [];
    this.#chooser = this.#newChooser();
    this.#queued = 0;
    for (const marks of this.#marks)
      for (let row = 0; row < marks.length; row++) marks[row] = (marks[row] ?? 0) & ~(SELECTED | CHOSEN);
    const { reasons, roots, architectures, signal, invited = [] } = this.#input;
    reasons.forgetDependencies();
    this.#waiting = invited.map(({ row, when, field, place }) => ({
      when,
      settle: (cause) => {
        if (this.#select(row, 0)) reasons.dependency(row, cause, field, place);
      },
    }));
    for (const [at, rows] of roots.entries()) for (const row of rows) this.#select(row, at);
    for (let at = 0; at < this.#queued; ) {
      for (; at < this.#queued; at++) {
        if (at % ABORT_STEP === 0) signal?.throwIfAborted();
        const item = this.#queue.get(at);
        this.#follow(Math.floor(item / architectures.length), item % architectures.length);
      }
      this.#settleWaiting();
    }
    return this.#unmet;
  }

  /** Whether something that turned out as broken in this pass was chosen to meet a dependency. */
  get mustRepeat(): boolean {
    return this.#newlyBroken.some(({ marks, row }) => ((marks[row] ?? 0) & CHOSEN) !== 0);
  }

  isSelected(row: Row): boolean {
    return this.#marks.some((marks) => ((marks[row] ?? 0) & SELECTED) !== 0);
  }

  #newChooser(): Chooser {
    const has = (bit: number) => (row: Row, architecture: string) =>
      ((this.#marks[this.#input.architectures.indexOf(architecture)]?.[row] ?? 0) & bit) !== 0;
    return this.#input.chooser({ isRoot: has(ROOT), isBroken: has(BROKEN) });
  }

  #mark(architecture: number, row: Row, bit: number): void {
    const marks = this.#marks[architecture] as Uint8Array;
    marks[row] = (marks[row] as number) | bit;
  }

  /** Queues a row once for each architecture. True if it was not selected for that one before. */
  #select(row: Row, architecture: number): boolean {
    const marks = this.#marks[architecture] as Uint8Array;
    if (((marks[row] as number) & SELECTED) !== 0) return false;
    this.#mark(architecture, row, SELECTED);
    this.#queue.set(this.#queued++, row * this.#marks.length + architecture);
    return true;
  }

  #follow(row: Row, at: number): void {
    const origin = this.#input.describe(row);
    for (const demand of this.#input.demands(row)) {
      const { when } = demand;
      const settle = () => this.#meet(demand, { row, at, origin });
      if (when === undefined) settle();
      else this.#waiting.push({ when, settle });
    }
  }

  #meet(demand: Demand, of: { readonly row: Row; readonly at: number; readonly origin: string }): void {
    const { field, place, text, weak } = demand;
    const { row, at, origin } = of;
    const { architectures, reasons } = this.#input;
    const architecture = architectures[at] as string;
    const choice = this.#chooser.choose(text, architecture, origin);
    const failed = choice === undefined || choice.broken;
    if (failed && weak) return;
    if (choice === undefined) this.#unmet.push({ row, field, text, architecture });
    const target = choice === undefined ? -1 : architectures.indexOf(choice.architecture);
    for (const chosen of choice?.rows ?? []) {
      this.#mark(target, chosen, CHOSEN);
      if (this.#select(chosen, target)) reasons.dependency(chosen, row, field, place);
    }
    if (failed) this.#markBroken(row, at);
  }

  #markBroken(row: Row, at: number): void {
    const marks = this.#marks[at] as Uint8Array;
    if (((marks[row] as number) & BROKEN) !== 0) return;
    this.#mark(at, row, BROKEN);
    this.#newlyBroken.push({ marks, row });
  }

  #settleWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      const cause = this.#chooser.meeting?.(each.when, (row) => this.isSelected(row));
      if (cause === undefined) this.#waiting.push(each);
      else each.settle(cause);
    }
  }
}
