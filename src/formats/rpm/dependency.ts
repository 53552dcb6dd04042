/** Dependencies of rpm packages: capabilities with versions, and rich ones (rpm-dependencies(7); lib/rpmds.c of rpm). */
import { KubedosError } from '../../errors.ts';
import type { Capability, Comparison } from './package.ts';
import { compareEpochs, compareVersionPart } from './version.ts';

export type Dependency = Capability | RichDependency;

export interface RichDependency {
  readonly op: RichOperator;
  /** Two or more of `and`, `or` and `with`; two of the others; three of `if` and `unless` with an `else`. */
  readonly parts: readonly Dependency[];
}

const OPERATORS = ['and', 'or', 'with', 'without', 'if', 'unless'] as const;
export type RichOperator = (typeof OPERATORS)[number];

/** rpm itself has no limit; real ones are two or three deep. */
const MAX_DEPTH = 32;

export function isRich(dependency: Dependency): dependency is RichDependency {
  return 'op' in dependency;
}

const SIGNS: Readonly<Record<Comparison, string>> = { EQ: '=', LT: '<', GT: '>', LE: '<=', GE: '>=' };
const COMPARISONS: ReadonlyMap<string, Comparison> = new Map(
  (Object.entries(SIGNS) as [Comparison, string][]).map(([comparison, sign]) => [sign, comparison]),
);

/** As rpm shows it: `libfoo >= 1:2.0-1`. */
export function capabilityText({ name, flags, epoch = '0', version = '', release }: Capability): string {
  if (flags === undefined) return name;
  return `${name} ${SIGNS[flags]} ${epoch === '0' ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`;
}

/** Of `name`, `name >= 1.0` or `(a or b)`. `format.syntax` for anything else, `format.limit` for one nested too deep. */
export function parseDependency(text: string, origin: string): Dependency {
  const parser = new DependencyParser(text, origin);
  const dependency = parser.dependency(0);
  parser.end();
  return dependency;
}

class DependencyParser {
  readonly #text: string;
  readonly #origin: string;
  #at = 0;

  constructor(text: string, origin: string) {
    this.#text = text;
    this.#origin = origin;
  }

  dependency(depth: number): Dependency {
    this.#skipSpace();
    return this.#text[this.#at] === '(' ? this.#rich(depth) : this.#capability();
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#refusal('text follows it');
  }

  #rich(depth: number): Dependency {
    if (depth >= MAX_DEPTH)
      throw new KubedosError('format.limit', `parse ${this.#origin}: a dependency nested deeper than ${MAX_DEPTH}`);
    this.#at += 1;
    const parts = [this.dependency(depth + 1)];
    let op: RichOperator | undefined;
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] === ')') break;
      const word = this.#word();
      const chained = (op === 'if' || op === 'unless') && word === 'else' && parts.length === 2;
      if (!chained) {
        const found = OPERATORS.find((each) => each === word);
        if (found === undefined) throw this.#refusal(`an operator was expected, not ${JSON.stringify(word)}`);
        if (op !== undefined && (op !== found || !REPEATED.has(op)))
          throw this.#refusal(`${found} follows ${op} without brackets`);
        op = found;
      }
      parts.push(this.dependency(depth + 1));
    }
    this.#at += 1;
    const [only] = parts;
    return op === undefined && only !== undefined ? only : { op: op ?? 'and', parts };
  }

  #capability(): Capability {
    const name = this.#word();
    if (name === '') throw this.#refusal('a name was expected');
    this.#skipSpace();
    const sign = /^[<=>]+/.exec(this.#text.slice(this.#at, this.#at + 4))?.[0];
    if (sign === undefined) return { name };
    const flags = COMPARISONS.get(sign === '=>' ? '>=' : sign === '=<' ? '<=' : sign === '==' ? '=' : sign);
    if (flags === undefined) throw this.#refusal(`${sign} is no comparison`);
    this.#at += sign.length;
    this.#skipSpace();
    // As createrepo_c splits it: a release may hold hyphens, a version not.
    const match = /^(?:(\d+):)?([^-:]+)(?:-(.+))?$/.exec(this.#word());
    if (match === null) throw this.#refusal('a version was expected');
    const [, epoch = '0', version = '', release] = match;
    return { name, flags, epoch, version, ...(release !== undefined && { release }) };
  }

  /** Up to a space or the bracket that closes what is around it: names have brackets of their own. */
  #word(): string {
    const start = this.#at;
    for (let open = 0; this.#at < this.#text.length; this.#at++) {
      const sign = this.#text[this.#at] as string;
      if (SPACE.test(sign) || (sign === ')' && open-- <= 0)) break;
      if (sign === '(') open += 1;
    }
    return this.#text.slice(start, this.#at);
  }

  #skipSpace(): void {
    while (SPACE.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #refusal(why: string): KubedosError {
    return new KubedosError(
      'format.syntax',
      `parse ${this.#origin}: dependency ${JSON.stringify(this.#text.slice(0, 200))}: ${why}`,
    );
  }
}

const REPEATED: ReadonlySet<RichOperator> = new Set(['and', 'or', 'with']);
const SPACE = /^[\s,]$/;

type Range = Pick<Capability, 'flags' | 'epoch' | 'version' | 'release'>;

/**
 * Whether something provided is something asked for, their names aside: the ranges overlap (rpmdsCompare). Either side
 * without a version fits any; a release counts where both have one.
 */
export function rangesOverlap(a: Range, b: Range): boolean {
  if (a.flags === undefined || b.flags === undefined) return true;
  const order = compareRanges(a, b);
  if (order < 0) return upwards(a.flags) || downwards(b.flags);
  if (order > 0) return downwards(a.flags) || upwards(b.flags);
  return (
    (hasEqual(a.flags) && hasEqual(b.flags)) ||
    (upwards(a.flags) && upwards(b.flags)) ||
    (downwards(a.flags) && downwards(b.flags))
  );
}

function compareRanges(a: Range, b: Range): number {
  return (
    compareEpochs(a.epoch ?? '0', b.epoch ?? '0') ||
    compareVersionPart(a.version ?? '', b.version ?? '') ||
    (a.release && b.release ? compareVersionPart(a.release, b.release) : 0)
  );
}

const upwards = (flags: Comparison): boolean => flags === 'GT' || flags === 'GE';
const downwards = (flags: Comparison): boolean => flags === 'LT' || flags === 'LE';
const hasEqual = (flags: Comparison): boolean => flags !== 'LT' && flags !== 'GT';

/** As rpm shows it. */
export function dependencyText(dependency: Dependency): string {
  if (!isRich(dependency)) return capabilityText(dependency);
  const [first = '', second = '', ...rest] = dependency.parts.map(dependencyText);
  const { op } = dependency;
  const word = REPEATED.has(op) ? op : 'else';
  return `(${first} ${op} ${second}${rest.map((text) => ` ${word} ${text}`).join('')})`;
}
