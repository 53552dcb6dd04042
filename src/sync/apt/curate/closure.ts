import { type ChoiceFacts, Chooser, groupsOf } from './choice.ts';
import { Column } from './columns.ts';
import type { PackageTable, Row } from './package-table.ts';
import type { Reasons } from './reasons.ts';

/** The fields that are followed, in this order; their places in this list are what Reasons keeps. */
export const FOLLOWED = ['Pre-Depends', 'Depends', 'Recommends'] as const;
export type Followed = (typeof FOLLOWED)[number];

export interface ClosureInput extends Pick<ChoiceFacts, 'table' | 'allowed' | 'versions' | 'architectures'> {
  /** What rules chose, for each architecture, in the order of publication. */
  readonly roots: readonly Uint32Array[];
  readonly fields: readonly Followed[];
  readonly reasons: Reasons;
  readonly signal?: AbortSignal | undefined;
}

/** A demand that nothing meets. */
export interface Unmet {
  readonly row: Row;
  readonly field: Followed;
  readonly group: string;
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

class ClosurePass {
  readonly #input: ClosureInput;
  readonly #table: PackageTable;
  /** For each architecture: bits by row. */
  readonly #marks: Uint8Array[];
  /** Row and architecture as one number. */
  readonly #queue = new Column(Float64Array);
  #queued = 0;
  #chooser: Chooser;
  #newlyBroken: { readonly marks: Uint8Array; readonly row: Row }[] = [];

  constructor(input: ClosureInput) {
    this.#input = input;
    this.#table = input.table;
    this.#marks = input.architectures.map(() => new Uint8Array(input.table.count));
    for (const [at, roots] of input.roots.entries()) for (const row of roots) this.#mark(at, row, ROOT);
    this.#chooser = this.#newChooser();
  }

  run(): Unmet[] {
    this.#newlyBroken = [];
    this.#chooser = this.#newChooser();
    this.#queued = 0;
    for (const marks of this.#marks)
      for (let row = 0; row < marks.length; row++) marks[row] = (marks[row] ?? 0) & ~(SELECTED | CHOSEN);
    this.#input.reasons.forgetDependencies();
    for (const [at, roots] of this.#input.roots.entries()) for (const row of roots) this.#select(row, at);
    const unmet: Unmet[] = [];
    const { architectures, signal } = this.#input;
    for (let at = 0; at < this.#queued; at++) {
      if (at % ABORT_STEP === 0) signal?.throwIfAborted();
      const item = this.#queue.get(at);
      this.#follow(Math.floor(item / architectures.length), item % architectures.length, unmet);
    }
    return unmet;
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
    return new Chooser({ ...this.#input, isRoot: has(ROOT), isBroken: has(BROKEN) });
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

  #follow(row: Row, at: number, unmet: Unmet[]): void {
    const { fields, architectures, reasons } = this.#input;
    const architecture = architectures[at] as string;
    const stanza = this.#table.stanza(row);
    const origin = this.#table.describe(row);
    let broken = false;
    for (const field of fields) {
      for (const [place, group] of groupsOf(stanza.get(field)).entries()) {
        const choice = this.#chooser.choose(group, architecture, origin);
        const failed = choice === undefined || choice.broken;
        if (failed && field === 'Recommends') continue;
        broken ||= failed;
        if (choice === undefined) unmet.push({ row, field, group, architecture });
        const target = choice === undefined ? -1 : architectures.indexOf(choice.architecture);
        for (const chosen of choice?.rows ?? []) {
          this.#mark(target, chosen, CHOSEN);
          if (this.#select(chosen, target)) reasons.dependency(chosen, row, FOLLOWED.indexOf(field), place);
        }
      }
    }
    const marks = this.#marks[at] as Uint8Array;
    if (broken && ((marks[row] as number) & BROKEN) === 0) {
      this.#mark(at, row, BROKEN);
      this.#newlyBroken.push({ marks, row });
    }
  }
}
