import { KubedosError } from '../../errors.ts';
import type { BakeReport } from '../../image/artifacts.ts';
import type { FoundRecipe } from '../../image/recipe-chain.ts';
import type { Media } from '../../spec/media-spec.ts';
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
  summary: 'make disk images of a snapshot and a recipe, without a network',
  description:
    'The same snapshot and recipe give the same bytes. What was built stays in the cache, so that a change of a recipe costs no more than that. The images are files of the mirror image-RECIPE, which the next snapshot holds. Needs root, for mounts and namespaces of its own; but not for a recipe with `media:`, which puts answers and a payload on an installer of a vendor. With --verify nothing is stored: the image is made again without the cache, of the snapshot and the recipe that its provenance names, and compared; exit status 8 where it differs.',
  arguments: [{ name: 'recipe', summary: 'a shipped recipe, or the path of one', optional: true }],
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
    'kubedos bake roles/web.yaml --snapshot 12 --output qcow2',
    'kubedos bake --verify node',
    'kubedos bake roles/web.yaml --verify web',
  ],
  run: async (context, input) => {
    const image = input.string('verify');
    if (image !== undefined) return verifyBake(context, input, image);
    const found = await findRecipe(input.argument(0));
    const store = await context.house.store();
    const snapshot = await store.snapshots.resolve(input.string('snapshot') ?? input.string('channel') ?? 'stable');
    const report = await (found.recipe.media ? bakeMedium : bakeSystem)(context, input, { found, snapshot });
    const lines = report.artifacts.map(
      ({ path, sizeBytes, sha256 }) => `${sha256}  ${path}  ${formatBytes(sizeBytes)}`,
    );
    const end = report.changed ? `${report.image} is new; the next snapshot holds it` : `${report.image} is as it was`;
    return { data: report, text: [...lines, end].join('\n') };
  },
};

interface Order {
  readonly found: FoundRecipe;
  readonly snapshot: Snapshot;
}

async function bakeSystem(context: Context, input: Input, { snapshot }: Order): Promise<BakeReport> {
  const [{ recipeChain }, { bake }] = await Promise.all([
    import('../../image/recipe-chain.ts'),
    import('../../image/bake.ts'),
  ]);
  const wanted = input.strings('output').map(outputName);
  const found = await recipeChain(findRecipe, input.argument(0));
  const site = { type: input.string('build'), url: input.string('url') };
  const overridden = site.type !== undefined || site.url !== undefined;
  const chain = overridden ? { ...found, build: overrideBuild(found.build, site) } : found;
  const outputs = wanted.length > 0 ? [...new Set(wanted)] : chain.outputs;
  return bake(await bakeDeps(context.house, snapshot), { chain, snapshot, outputs }, context);
}

async function bakeMedium(context: Context, input: Input, { found, snapshot }: Order): Promise<BakeReport> {
  if (input.strings('output').length > 0)
    throw new KubedosError('usage.argument', `--output: ${found.file} is of a vendor's medium, which is an ISO again`);
  const { bakeMedia } = await import('../../image/media/bake-media.ts');
  const media = found.recipe.media as Media;
  return bakeMedia(await mediaDeps(context.house), { found, media, snapshot }, context);
}

function outputName(name: string): OutputName {
  const known = OUTPUTS.find((each) => each === name);
  if (known !== undefined) return known;
  throw new KubedosError('usage.argument', `--output ${name}: expected ${OUTPUTS.join(', ')}`);
}
