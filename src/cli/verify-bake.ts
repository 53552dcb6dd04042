/** `bake --verify`: an image is made again and compared. */
import { KubedosError } from '../errors.ts';
import type { RebuildReport } from '../image/rebuild.ts';
import { bakeDeps } from './baking.ts';
import type { Context, Input, Outcome } from './command.ts';
import { verifyDeps } from './commands/artifact.ts';
import { findRecipe } from './recipes.ts';
import { formatCount } from './render/units.ts';

export async function verifyBake(context: Context, input: Input, reference: string): Promise<Outcome> {
  const [{ findArtifact, listImages }, { trustedProvenance }, { recipeChain }, { rebuild }] = await Promise.all([
    import('../image/image-list.ts'),
    import('../image/verify-image.ts'),
    import('../image/recipe-chain.ts'),
    import('../image/rebuild.ts'),
  ]);
  const [recipe, second] = input.rest(0);
  if (second !== undefined) throw new KubedosError('usage.argument', `--verify: one recipe, not ${second} as well`);
  const store = await context.house.store();
  const given = input.string('snapshot');
  const images = await listImages(store, given === undefined ? undefined : await store.snapshots.resolve(given));
  const { image } = findArtifact(images, reference);
  const { provenance } = await trustedProvenance(await verifyDeps(context), image);
  const snapshot = await store.snapshots.resolve(provenance.snapshot);
  const chain = await recipeChain(findRecipe, recipe ?? provenance.recipe);
  const deps = await bakeDeps(context.house, snapshot);
  const report = await rebuild(deps, { provenance, chain, snapshot }, context);
  return {
    data: { image: image.name, ...report },
    text: rebuildText(image.name, report),
    exit: report.identical ? 0 : 8,
  };
}

function rebuildText(image: string, { snapshot, identical, artifacts, tools }: RebuildReport): string {
  const lines: string[] = [];
  for (const { path, expected, got, difference } of artifacts) {
    if (expected === got) lines.push(`${got}  ${path}`);
    else lines.push(`${path} differs: it was ${expected ?? 'not there'}, made again it is ${got ?? 'not there'}`);
    for (const file of difference?.files ?? []) lines.push(`  ${file.side} ${file.path}  ${file.facts}`);
    if (difference) lines.push(difference.text);
  }
  if (!identical)
    for (const { tool, was, is } of tools)
      lines.push(`made with ${tool} ${was ?? '(none)'}, now with ${is ?? '(none)'}`);
  const differing = artifacts.filter(({ expected, got }) => expected !== got).length;
  lines.push(
    identical
      ? `${image} is the same, made again of snapshot ${snapshot}`
      : `${image}: ${formatCount(differing, 'artifact')} of ${artifacts.length} not the same, made again of snapshot ${snapshot}`,
  );
  return lines.join('\n');
}
