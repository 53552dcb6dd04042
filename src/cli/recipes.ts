/** Where recipes are found: shipped ones by name, others by their path, or beside the one that names them. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { FoundRecipe } from '../image/recipe-chain.ts';
import { INSTALLATION } from '../wiring.ts';
import { specNames } from './specs.ts';

const SHIPPED = join(INSTALLATION, 'recipes');

/** A path has a slash or ends in .yaml; `from`: paths are beside this one. */
export async function findRecipe(reference: string, from?: FoundRecipe): Promise<FoundRecipe> {
  if (reference.includes('/') || /\.ya?ml$/.test(reference))
    return readRecipe(from === undefined ? reference : join(dirname(from.file), reference));
  const shipped = await specNames(SHIPPED);
  if (shipped.includes(reference)) return readRecipe(join(SHIPPED, `${reference}.yaml`));
  throw new KubedosError('spec.unknown', `find recipe ${reference}: there is none of that name`, {
    hint: `shipped are: ${shipped.join(', ')}; or give the path of a file`,
  });
}

async function readRecipe(file: string): Promise<FoundRecipe> {
  const [{ parseRecipe }, { textsBelow }] = await Promise.all([
    import('../spec/recipe-spec.ts'),
    import('../spec/yaml-spec.ts'),
  ]);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KubedosError('spec.unknown', `read recipe ${file}: it cannot be read`, { cause });
  }
  const read = async (name: string): Promise<Buffer> => {
    const path = join(dirname(file), name);
    try {
      return await readFile(path);
    } catch (cause) {
      const line = textsBelow(text, 'files').find(({ value }) => value === name)?.line;
      throw new KubedosError('spec.invalid', `${file}:${line}: source: ${path} cannot be read`, { cause });
    }
  };
  return { recipe: parseRecipe(text, file), file, text, read };
}
