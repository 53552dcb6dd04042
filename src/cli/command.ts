/**
 * A command as data: the commander tree, the help, the shell completions and docs/cli.md all come from it.
 * `run` returns data and its text; only main touches the exit status.
 */
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { House } from '../wiring.ts';
import { parseBytes } from './render/units.ts';

export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  readonly variadic?: boolean;
}

export interface OptionSpec {
  /** As commander writes them: `--to <dir>`, `-n, --dry-run`, `--allow <what...>`. */
  readonly flags: string;
  readonly summary: string;
  readonly default?: string;
  readonly required?: boolean;
}

export interface Outcome {
  /** What --json prints. */
  readonly data: unknown;
  /** What a person reads; without a trailing newline. */
  readonly text: string;
  /** Exit status if not 0: findings of a check, say. */
  readonly exit?: number;
}

export interface Context extends Run {
  readonly house: House;
  readonly signal: AbortSignal;
  readonly json: boolean;
  /** Prints a line for people at once (never with --json): for commands that go on running. */
  readonly say: (line: string) => void;
  /** Reads a passphrase or other secret without showing it; undefined without a terminal. */
  readonly askSecret: (prompt: string) => Promise<string | undefined>;
}

export interface CommandSpec {
  /** `snapshot create`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples: readonly string[];
  readonly run: (context: Context, input: Input) => Promise<Outcome>;
}

/** Arguments and options of one call, with typed access. */
export class Input {
  readonly #positional: readonly (string | readonly string[] | undefined)[];
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(
    positional: readonly (string | readonly string[] | undefined)[],
    options: Readonly<Record<string, unknown>>,
  ) {
    this.#positional = positional;
    this.#options = options;
  }

  argument(index: number): string {
    const value = this.#positional[index];
    if (typeof value !== 'string') throw new KubedosError('usage.argument', `argument ${index + 1} is missing`);
    return value;
  }

  optionalArgument(index: number): string | undefined {
    const value = this.#positional[index];
    return typeof value === 'string' ? value : undefined;
  }

  /** The values of a variadic argument. */
  rest(index: number): readonly string[] {
    const value = this.#positional[index];
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }

  string(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === 'string' ? value : undefined;
  }

  required(name: string): string {
    const value = this.string(name);
    if (value === undefined) throw new KubedosError('usage.argument', `option --${name} is missing`);
    return value;
  }

  strings(name: string): readonly string[] {
    const value = this.#options[name];
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }

  /** A size such as `10MB` in bytes, more than none. `example` is for the message. */
  bytes(name: string, example: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const bytes = parseBytes(text);
    if (bytes) return bytes;
    throw new KubedosError('usage.argument', `--${name} ${text}: expected a size such as ${example}`);
  }

  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  /** True where `--no-NAME` was given. */
  isFalse(name: string): boolean {
    return this.#options[name] === false;
  }

  /** A whole number at least `least`. */
  integer(name: string, least = 0): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new KubedosError('usage.argument', `--${name} ${text}: expected a whole number of at least ${least}`);
    }
    return value;
  }
}

/** Destructive acts show first and need --yes. */
export function confirm(input: Input, act: string): void {
  if (input.flag('yes')) return;
  throw new KubedosError('usage.confirm', `${act}: this cannot be undone`, { hint: 'add --yes to do it' });
}

export const YES: OptionSpec = { flags: '-y, --yes', summary: 'do it; without this it is refused' };
