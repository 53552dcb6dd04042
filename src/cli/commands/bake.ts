import { KubedosError } from '../../errors.ts';
import type { BakeReport } from '../../image/artifacts.ts';
import type { BakeDeps } from '../../image/bake.ts';
import type { Bake } from '../../image/bake-all.ts';
import type { MediaRequest } from '../../image/media/bake-media.ts';
import { OUTPUTS, type OutputName } from '../../spec/recipe-spec.ts';
import { BUILD_TYPES, overrideBuild } from '../../spec/site-spec.ts';
import type { Snapshot } from '../../store/types.ts';
import { bakeDeps, mediaDeps } from '../baking.ts';
import type { CommandSpec, Context, Input } from '../command.ts';
import { findRecipe } from '../recipes.ts';
import { formatBytes } from '../render/units.ts';
import { verifyBake } from '../verify-bake.ts';

export const bakeCommand: CommandSpec = {
  path: 'bake',
  summary: 'make disk images of a snapshot and recipes, without a network',
  description:
    'The same snapshot and recipe give the same bytes. What was built stays in the cache, so that a change of a recipe costs no more than that. The images are files of the mirror image-RECIPE, which the next snapshot holds. Of several recipes as many are baked at a time as there are CPUs, and what they have in common is built once; the first that fails ends the others. Needs root, for mounts and namespaces of its own; but not for a recipe with `media:`, which puts answers and a payload on an installer of a vendor. With --verify nothing is stored: the image is made again without the cache, of the snapshot and the recipe that its provenance names, and compared; exit status 8 where it differs.',
  arguments: [{ name: 'recipe', summary: 'shipped recipes, or the paths of some', optional: true, variadic: true }],
  options: [
    { flags: '--channel <name>', summary: 'of the snapshot that this channel names', default: 'stable' },
    { flags: '--snapshot <id>', summary: 'of this snapshot' },
    { flags: '--output <name...>', summary: `${OUTPUTS.join(', ')} (default: as the recipe says, or raw)` },
    {
      flags: '--build <type>',
      summary: `where machines get packages from later: ${BUILD_TYPES.join(', ')} (default: as the recipe says)`,
    },
    { flags: '--url <url>', summary: 'darksite: where its mirrors are served, as http://depot.example/c/stable/' },
    { flags: '--verify <image>', summary: 'make this image again and say whether, and in what, it differs' },
  ],
  examples: [
    'kubedos bake node',
    'kubedos bake master worker etcd lb --output qcow2',
    'kubedos bake roles/web.yaml --snapshot 12 --output qcow2',
    'kubedos bake --verify node',
    'kubedos bake roles/web.yaml --verify web',
  ],
  run: async (context, input) => {
    const image = input.string('verify');
    if (image !== undefined) return verifyBake(context, input, image);
    if (input.rest(0).length === 0) throw new KubedosError('usage.argument', 'recipe: name at least one');
    const store = await context.house.store();
    const snapshot = await store.snapshots.resolve(input.string('snapshot') ?? input.string('channel') ?? 'stable');
    const { bakeAll } = await import('../../image/bake-all.ts');
    const images = await bakeAll(await bakesOf(context, input, snapshot), context);
    return { data: { images }, text: images.map(imageText).join('\n') };
  },
};

function imageText({ image, artifacts, changed }: BakeReport): string {
  const lines = artifacts.map(({ path, sizeBytes, sha256 }) => `${sha256}  ${path}  ${formatBytes(sizeBytes)}`);
  return [...lines, changed ? `${image} is new; the next snapshot holds it` : `${image} is as it was`].join('\n');
}

/** All recipes are read before the first is baked. */
async function bakesOf(context: Context, input: Input, snapshot: Snapshot): Promise<Bake[]> {
  const references = input.rest(0);
  const bakes: Bake[] = [];
  // One for all systems, which share what they build.
  let deps: BakeDeps | undefined;
  for (const reference of references) {
    const found = await findRecipe(reference);
    const { name, media } = found.recipe;
    if (bakes.some((each) => each.name === name))
      throw new KubedosError('usage.argument', `${reference}: another recipe is of the name ${name}, too`);
    if (media !== undefined) bakes.push(await mediumBake(context, input, { found, media, snapshot }));
    else {
      deps ??= await bakeDeps(context.house, snapshot);
      bakes.push(await systemBake(deps, input, { reference, snapshot }));
    }
  }
  return bakes;
}

async function systemBake(
  deps: BakeDeps,
  input: Input,
  { reference, snapshot }: { readonly reference: string; readonly snapshot: Snapshot },
): Promise<Bake> {
  const [{ recipeChain }, { bake }] = await Promise.all([
    import('../../image/recipe-chain.ts'),
    import('../../image/bake.ts'),
  ]);
  const wanted = input.strings('output').map(outputName);
  const found = await recipeChain(findRecipe, reference);
  const site = { type: input.string('build'), url: input.string('url') };
  const overridden = site.type !== undefined || site.url !== undefined;
  const chain = overridden ? { ...found, build: overrideBuild(found.build, site) } : found;
  const outputs = wanted.length > 0 ? [...new Set(wanted)] : chain.outputs;
  return { name: chain.name, bake: (run) => bake(deps, { chain, snapshot, outputs }, run) };
}

async function mediumBake({ house }: Context, input: Input, request: MediaRequest): Promise<Bake> {
  const { recipe, file } = request.found;
  if (input.strings('output').length > 0)
    throw new KubedosError('usage.argument', `--output: ${file} is of a vendor's medium, which is an ISO again`);
  const { bakeMedia } = await import('../../image/media/bake-media.ts');
  return { name: recipe.name, bake: async (run) => bakeMedia(await mediaDeps(house), request, run) };
}

function outputName(name: string): OutputName {
  const known = OUTPUTS.find((each) => each === name);
  if (known !== undefined) return known;
  throw new KubedosError('usage.argument', `--output ${name}: expected ${OUTPUTS.join(', ')}`);
}
