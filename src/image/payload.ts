/** What travels along in an image, beside its system: mirrors of the snapshot, and files. */
import { dirname, join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { FoundRecipe, RecipeChain } from './recipe-chain.ts';

export type PayloadEntry = {
  /** Absolute, in the finished system: the folder of the mirror, or the path of the file. */
  readonly at: string;
  /** The recipe that names it. */
  readonly level: FoundRecipe;
} & (
  | { readonly mirror: string; readonly file?: undefined }
  /** Where it lies now. */
  | { readonly mirror?: undefined; readonly file: string }
);

/** Of all recipes of the chain, the base first. `spec.invalid` for two in one place. */
export function payloadOf({ levels }: Pick<RecipeChain, 'levels'>): readonly PayloadEntry[] {
  const entries = new Map<string, PayloadEntry>();
  for (const level of levels)
    for (const { at, mirror, source } of level.recipe.payload) {
      if (entries.has(at)) throw new KubedosError('spec.invalid', `${level.file}: payload: ${at} is there twice`);
      const file = join(dirname(level.file), source ?? '');
      entries.set(at, mirror === undefined ? { at, level, file } : { at, level, mirror });
    }
  return [...entries.values()];
}
