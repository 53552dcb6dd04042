import { ERROR_KINDS, KubedosError } from '../../errors.ts';

export interface RenderedError {
  readonly text: string;
  readonly data: unknown;
  readonly exit: number;
}

/** What the user sees of whatever was thrown, and the exit status. An unexpected error is a bug and says so. */
export function renderError(error: unknown, debug: boolean): RenderedError {
  const known =
    error instanceof KubedosError
      ? error
      : new KubedosError('internal.bug', error instanceof Error ? error.message : String(error), {
          hint: 'this is a bug in kubedos: please report it with the output of --debug',
          cause: error,
        });
  const lines = [`kubedos: ${known.message} [${known.code}]`];
  if (known.hint) lines.push(`  ${known.hint}`);
  if (debug) lines.push(...causes(known));
  return {
    text: lines.join('\n'),
    data: { error: { code: known.code, message: known.message, hint: known.hint ?? null, details: known.details } },
    exit: ERROR_KINDS[known.kind].exit,
  };
}

function causes(error: unknown): string[] {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < 10; depth++) {
    lines.push(current instanceof Error ? (current.stack ?? current.message) : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return lines;
}
