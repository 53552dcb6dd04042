import { expect, test } from 'vitest';
import { type FindRecipe, recipeChain } from '../../src/image/recipe-chain.ts';
import { parseRecipe } from '../../src/spec/recipe-spec.ts';

const BASE = 'base: { distribution: debian, suite: bookworm, architecture: amd64 }\nmirrors: [debian-12]\n';

function finder(texts: Readonly<Record<string, string>>): FindRecipe {
  return async (reference) => {
    const text = `name: ${reference}\n${texts[reference]}`;
    const file = `${reference}.yaml`;
    return { recipe: parseRecipe(text, file), file, text, read: async () => Buffer.alloc(0) };
  };
}

test('levels are from the base upwards, and the upper ones decide', async () => {
  const find = finder({
    base: `${BASE}cmdline: quiet\noutputs: [raw]\n`,
    node: 'extends: base\nmirrors: [debian-12, own]\ndisk: { size: 3GiB }\n',
    web: 'extends: node\noutputs: [qcow2]\n',
  });
  const chain = await recipeChain(find, 'web');
  expect(chain.levels.map(({ recipe }) => recipe.name)).toEqual(['base', 'node', 'web']);
  expect(chain).toMatchObject({
    name: 'web',
    mirrors: ['debian-12', 'own'],
    cmdline: 'quiet',
    diskBytes: 3 * 1024 ** 3,
    outputs: ['qcow2'],
  });
});

test.each([
  ['a circle', { a: 'extends: b\n', b: 'extends: a\n' }, /b\.yaml: extends a\.yaml, which extends it in turn/],
  ['no base', { a: 'mirrors: [own]\n' }, /a\.yaml: has neither base: nor extends:/],
  ['two bases', { a: `extends: b\n${BASE}`, b: BASE }, /a\.yaml: has a base: though it extends another/],
  [
    'a disk without room for its root',
    {
      a: 'extends: b\ndisk: { size: 2GiB, partitions: [{ name: var, size: 1600MiB, mount: /var }] }\n',
      b: BASE,
    },
    /a\.yaml: disk: size: of 2048 MiB too few are left for the root: 381 MiB, at least 440/,
  ],
  ['no mirrors', { a: BASE.replace(/mirrors.*/, '') }, /a\.yaml: names no mirrors/],
])('%s is refused', async (_, texts, words) => {
  await expect(recipeChain(finder(texts as Record<string, string>), 'a')).rejects.toMatchObject({
    code: 'spec.invalid',
    message: expect.stringMatching(words),
  });
});
