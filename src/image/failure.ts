/** What is told when the tools of a build fail. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { textsBelow } from '../spec/yaml-spec.ts';
import type { FoundRecipe } from './recipe-chain.ts';

/** First word of a step → the fields of a recipe that it works through. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  install: ['packages'],
  add: ['users'],
  copy: ['files'],
  enable: ['enable', 'mask'],
  hook: ['hooks'],
  find: ['disk'],
  write: ['disk'],
};

/** `bake.failed` with the recipe and the line that is to blame, where the words name it, the step that the script wrote down, and the last words of the tool; anything else as it is. */
export async function buildFailure(
  error: unknown,
  of: { readonly level: FoundRecipe; readonly folder: string },
): Promise<unknown> {
  if (!(error instanceof KubedosError) || error.code !== 'exec.failed') return error;
  const step = await readFile(join(of.folder, 'step'), 'utf8').catch(() => 'begin\n');
  // The command line that failed is our own script.
  const said = error.message.replace(/^[^:]*: ended with \w+:?\s*/s, '');
  // apt says what it is about to do, too.
  const words = said.replaceAll(/^(?:.*\.\.\.|Get:.*|Ign:.*)(?: Done)?\n/gm, '');
  const full = /Could not allocate|No space left|too small/.test(words);
  return new KubedosError('bake.failed', `build ${placeOf(of.level, step, words)}: ${step.trim()}: ${words}`, {
    hint: full
      ? 'give the disk of the recipe more room: `disk: { size: 4GiB }`; or make room where the data folder lies'
      : 'what the recipe asks for is checked by the tools of the system itself: these are their last words',
    cause: error,
  });
}

/** `file:line`, or the file alone. */
function placeOf({ file, text }: FoundRecipe, step: string, words: string): string {
  const fields = FIELDS[step.split(/\s/)[0] as string] ?? [];
  const said = `${step}\n${words}`;
  const blamed = fields.flatMap((field) => textsBelow(text, field)).find(({ value }) => mentions(said, value));
  return blamed === undefined ? file : `${file}:${blamed.line}`;
}

/** As a whole word: `libc6` is not meant where `libc6-dev` stands. */
function mentions(said: string, value: string): boolean {
  const word = value.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\w+.-])${word}(?![\w+-]|\.\w)`).test(said);
}
