/** A recipe with those that it extends: levels from the base upwards, each of which becomes a layer. */
import { KubedosError } from '../errors.ts';
import type { Installer, OutputName, Recipe } from '../spec/recipe-spec.ts';
import type { BuildSpec } from '../spec/site-spec.ts';
import { type DiskLayout, diskLayout } from './disk-layout.ts';

export interface FoundRecipe {
  readonly recipe: Recipe;
  /** Its path, for messages; files that it names lie beside it. */
  readonly file: string;
  readonly text: string;
  /** Reads a file beside it. */
  readonly read: (name: string) => Promise<Buffer>;
}

/** `from`: the recipe that names it; undefined for the one that the user names. */
export type FindRecipe = (reference: string, from?: FoundRecipe) => Promise<FoundRecipe>;

export interface RecipeChain {
  readonly name: string;
  /** The base first. */
  readonly levels: readonly FoundRecipe[];
  readonly base: NonNullable<Recipe['base']>;
  /** Of all levels, without repeats, in order. */
  readonly mirrors: readonly string[];
  readonly cmdline: string;
  readonly diskBytes: number;
  readonly layout: DiskLayout;
  readonly container: Recipe['oci'];
  readonly outputs: readonly OutputName[];
  /** Undefined: machines have no sources of packages. */
  readonly build: BuildSpec | undefined;
  readonly installer: Installer;
}

const MAX_LEVELS = 8;
const DISK_BYTES = 2 * 1024 ** 3;
/** A serial line is all that many machines have, and what a log is read from. */
const CMDLINE = 'console=tty0 console=ttyS0,115200';

/** `spec.invalid` for a chain that goes in circles, is too long, or has not one base at its end. */
export async function recipeChain(find: FindRecipe, reference: string): Promise<RecipeChain> {
  const levels = [await find(reference)];
  for (let top = levels[0]; top?.recipe.extends !== undefined; top = levels[0]) {
    const next = await find(top.recipe.extends, top);
    if (levels.some(({ file }) => file === next.file))
      throw fault(top, `extends ${next.file}, which extends it in turn`);
    if (levels.length === MAX_LEVELS) throw fault(top, `is the ${MAX_LEVELS + 1}th of its chain; eight are enough`);
    levels.unshift(next);
  }
  const [bottom, ...above] = levels as [FoundRecipe, ...FoundRecipe[]];
  const { base } = bottom.recipe;
  if (base === undefined) throw fault(bottom, 'has neither base: nor extends:');
  for (const each of above)
    if (each.recipe.base !== undefined) throw fault(each, 'has a base: though it extends another');
  if (bottom.recipe.mirrors.length === 0) throw fault(bottom, 'names no mirrors: to take packages from');
  const mirrors = [...new Set(levels.flatMap(({ recipe }) => recipe.mirrors))];
  const last = <T>(of: (recipe: Recipe) => T | undefined): T | undefined =>
    levels.map(({ recipe }) => of(recipe)).findLast((value) => value !== undefined);
  const named = levels.findLast(({ recipe }) => recipe.disk !== undefined);
  const disk = named?.recipe.disk;
  const diskBytes = disk?.size ?? DISK_BYTES;
  return {
    name: (levels.at(-1) as FoundRecipe).recipe.name,
    levels,
    base,
    mirrors,
    cmdline: last(({ cmdline }) => cmdline) ?? CMDLINE,
    diskBytes,
    layout: diskLayout(diskBytes, disk?.partitions ?? [], (named ?? bottom).file),
    container: last(({ oci }) => oci),
    outputs: last(({ outputs }) => outputs) ?? ['raw'],
    build: last(({ build }) => build),
    installer: last(({ installer }) => installer) ?? { wipe: false, end: 'reboot', payload: [] },
  };
}

function fault({ file }: FoundRecipe, what: string): KubedosError {
  return new KubedosError('spec.invalid', `${file}: ${what}`);
}
