/** What is told when the tools of a build fail. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { FoundRecipe } from './recipe-chain.ts';

/** `bake.failed` with the recipe, the step that the script wrote down, and the last words of the tool; anything else as it is. */
export async function buildFailure(
  error: unknown,
  of: { readonly level: FoundRecipe; readonly folder: string },
): Promise<unknown> {
  if (!(error instanceof KubedosError) || error.code !== 'exec.failed') return error;
  const step = await readFile(join(of.folder, 'step'), 'utf8').catch(() => 'begin\n');
  // The command line that failed is our own script.
  const words = error.message.replace(/^[^:]*: ended with \w+:?\s*/s, '');
  const full = /Could not allocate|No space left|too small/.test(words);
  return new KubedosError('bake.failed', `build ${of.level.file}: ${step.trim()}: ${words}`, {
    hint: full
      ? 'give the disk of the recipe more room: `disk: { size: 4GiB }`; or make room where the data folder lies'
      : 'what the recipe asks for is checked by the tools of the system itself: these are their last words',
    cause: error,
  });
}
