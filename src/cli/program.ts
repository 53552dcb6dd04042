/** The commander tree, built from the command specs. */
import { Command, Option } from 'commander';
import { type CommandSpec, Input } from './command.ts';

/** What stands before the first sub-command on the help page. */
export const SUMMARY =
  'Manufactures platforms that need no internet: mirrors apt repositories into a signed, content-addressed store, freezes snapshots, carries them across an air gap and serves them there.';

/** One line for each noun, shown in the top help and in docs/cli.md. */
export const NOUNS: Readonly<Record<string, string>> = {
  mirror: 'mirrors of upstream repositories',
  spec: 'mirror specs',
  key: 'signing keys and trusted keys',
  snapshot: 'frozen states of all mirrors together',
  channel: 'mutable names for snapshots',
  repo: 'repositories of your own packages',
  bundle: 'snapshots on their way across the air gap',
  darksite: 'questions about hosts behind the gap',
  artifact: 'images that were baked',
  store: 'care of the store itself',
  token: 'tokens for uploads over HTTP',
};

export const GLOBAL_OPTIONS = [
  {
    flags: '--data <dir>',
    summary: 'the data folder (KUBEDOS_DATA; /var/lib/kubedos for root, else ~/.local/share/kubedos)',
  },
  { flags: '--json', summary: 'print one JSON document; progress goes to standard error as JSON lines' },
  { flags: '-q, --quiet', summary: 'no progress' },
  { flags: '--debug', summary: 'show stacks and causes of errors' },
] as const;

export type Invoke = (spec: CommandSpec, input: Input, globals: Readonly<Record<string, unknown>>) => Promise<void>;

export function buildProgram(specs: readonly CommandSpec[], version: string, invoke: Invoke): Command {
  const program = new Command('kubedos');
  program.description(SUMMARY).version(version).showHelpAfterError('(kubedos --help lists the commands)');
  program.configureHelp({ sortSubcommands: false, showGlobalOptions: false });
  program.addHelpText(
    'after',
    '\nExamples:\n  kubedos start\n  kubedos mirror sync debian-12\n  kubedos bundle export --channel stable --to /media/usb',
  );
  const nouns = new Map<string, Command>();
  for (const spec of specs) {
    const [first = '', second] = spec.path.split(' ');
    let parent = program;
    if (second !== undefined) {
      let noun = nouns.get(first);
      if (!noun) {
        noun = program.command(first).description(NOUNS[first] ?? '');
        nouns.set(first, noun);
      }
      parent = noun;
    }
    addCommand(parent.command(second ?? first), spec, invoke);
  }
  return program;
}

function addCommand(command: Command, spec: CommandSpec, invoke: Invoke): void {
  command.summary(spec.summary).description(spec.description ? `${spec.summary}\n\n${spec.description}` : spec.summary);
  for (const argument of spec.arguments ?? []) {
    const dots = argument.variadic ? '...' : '';
    const name = argument.optional ? `[${argument.name}${dots}]` : `<${argument.name}${dots}>`;
    command.argument(name, argument.summary);
  }
  for (const option of spec.options ?? []) {
    const made = new Option(option.flags, option.summary);
    if (option.default !== undefined) made.default(option.default);
    if (option.required) made.makeOptionMandatory();
    command.addOption(made);
  }
  for (const option of GLOBAL_OPTIONS) command.addOption(new Option(option.flags, option.summary));
  command.addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  ${line}`).join('\n')}`);
  command.action(async (...all: unknown[]) => {
    const positional = all.slice(0, -2) as (string | string[] | undefined)[];
    const options = all.at(-2) as Record<string, unknown>;
    await invoke(spec, new Input(positional, kebab(options)), options);
  });
}

/** commander camel-cases option names; the specs and messages speak of `--dry-run`. */
function kebab(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value,
    ]),
  );
}
