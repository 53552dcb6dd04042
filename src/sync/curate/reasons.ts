import type { Row } from './columns.ts';

export type Reason = { readonly rule: number } | ByDependency;

/** `field` and `place` as of the Demand. */
export interface ByDependency {
  readonly parent: Row;
  readonly field: number;
  readonly place: number;
}

const [NONE, BY_RULE, BY_DEPENDENCY] = [0, 1, 2];
/** Places beyond are kept as this one; no field of a package has as many. */
const MAX_PLACE = 65_535;

/** Why each row is in: one reason a row, the first one found. Seven bytes a row. */
export class Reasons {
  readonly #kinds: Uint8Array;
  /** Number of a rule, or the row that depends on it. */
  readonly #causes: Uint32Array;
  readonly #places: Uint16Array;

  constructor(rows: number) {
    this.#kinds = new Uint8Array(rows);
    this.#causes = new Uint32Array(rows);
    this.#places = new Uint16Array(rows);
  }

  /** The first rule counts. */
  rule(row: Row, rule: number): void {
    if (this.#kinds[row] !== NONE) return;
    this.#kinds[row] = BY_RULE;
    this.#causes[row] = rule;
  }

  dependency(row: Row, parent: Row, field: number, place: number): void {
    if (this.#kinds[row] !== NONE) return;
    this.#kinds[row] = BY_DEPENDENCY + field;
    this.#causes[row] = parent;
    this.#places[row] = Math.min(place, MAX_PLACE);
  }

  /** Keeps what rules chose. */
  forgetDependencies(): void {
    for (let row = 0; row < this.#kinds.length; row++)
      if ((this.#kinds[row] as number) >= BY_DEPENDENCY) this.#kinds[row] = NONE;
  }

  of(row: Row): Reason | undefined {
    const kind = this.#kinds[row] as number;
    const cause = this.#causes[row] as number;
    if (kind === NONE) return undefined;
    if (kind === BY_RULE) return { rule: cause };
    return { parent: cause, field: kind - BY_DEPENDENCY, place: this.#places[row] as number };
  }
}
