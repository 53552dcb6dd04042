/** docs/cli.md and docs/errors.md as text, from the commands and the catalogue of errors. */
import { ERROR_CODES, ERROR_KINDS, type ErrorKind } from '../errors.ts';
import type { CommandSpec } from './command.ts';
import { GLOBAL_OPTIONS, NOUNS, SUMMARY } from './program.ts';

export function cliMarkdown(commands: readonly CommandSpec[]): string {
  const lines = [
    '# kubedos on the command line',
    '',
    '<!-- Made from the commands by `npm run docs`; a test holds it against them. -->',
    '',
    SUMMARY,
    '',
    '## Options of every command',
    '',
    ...optionTable(GLOBAL_OPTIONS),
    '',
    '## Exit statuses',
    '',
    '| status | meaning |',
    '|---|---|',
    '| 0 | done |',
    ...Object.entries(KIND_MEANINGS).map(([kind, text]) => `| ${ERROR_KINDS[kind as ErrorKind].exit} | ${text} |`),
    '',
  ];
  let noun = '';
  for (const spec of commands) {
    const [first = '', second] = spec.path.split(' ');
    if (second !== undefined && first !== noun) lines.push(`## ${first}: ${NOUNS[first] ?? ''}`, '');
    noun = first;
    lines.push(...commandSection(spec));
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

const KIND_MEANINGS: Readonly<Record<ErrorKind, string>> = {
  internal: 'an internal failure: a bug, or an outside tool that failed',
  usage: 'the call or a spec is wrong',
  trust: 'a signature, key or date is refused',
  missing: 'what is named is not there',
  conflict: 'it contradicts what is there',
  upstream: 'an upstream failed or sent what is wrong',
  storage: 'the disk is full or failed',
  damage: 'a check found damage, or hosts would not resolve',
  busy: 'another process writes to the store',
  cancelled: 'stopped by its user',
};

function optionTable(
  options: readonly { readonly flags: string; readonly summary: string; readonly default?: string }[],
): string[] {
  const rows = options.map((option) => {
    const preset = option.default === undefined ? '' : ` (default: ${option.default})`;
    return `| \`${option.flags}\` | ${option.summary}${preset} |`;
  });
  return ['| option | meaning |', '|---|---|', ...rows];
}

function commandSection(spec: CommandSpec): string[] {
  const words = (spec.arguments ?? []).map((argument) => {
    const dots = argument.variadic ? '...' : '';
    return argument.optional ? `[${argument.name}${dots}]` : `<${argument.name}${dots}>`;
  });
  const lines = [`### kubedos ${[spec.path, ...words].join(' ')}`, '', sentence(spec.summary), ''];
  if (spec.description) lines.push(spec.description, '');
  if (spec.arguments?.length) {
    lines.push(
      '| argument | meaning |',
      '|---|---|',
      ...spec.arguments.map((one) => `| \`${one.name}\` | ${one.summary} |`),
      '',
    );
  }
  if (spec.options?.length) lines.push(...optionTable(spec.options), '');
  lines.push('```', ...spec.examples, '```', '');
  return lines;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(first) ? first : `${first}.`;
}

export function errorsMarkdown(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, [kind, text]]) => {
    const { exit, http } = ERROR_KINDS[kind];
    return `| \`${code}\` | ${text} | ${exit} | ${http} |`;
  });
  return [
    '# Errors',
    '',
    '<!-- Made from src/errors.ts by `npm run docs`; a test holds it against that. -->',
    '',
    'Every error has a code that stays the same, a message that says action, object, expected and got, and where there is one, the way out. `--json` prints them as one object on standard error.',
    '',
    '| code | meaning | exit status | HTTP status |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
