import { expect, test } from 'vitest';
import { packageSources } from '../../src/image/package-sources.ts';
import { payloadOf } from '../../src/image/payload.ts';
import { type RecipeChain, recipeChain } from '../../src/image/recipe-chain.ts';
import { parseRecipe } from '../../src/spec/recipe-spec.ts';
import { overrideBuild } from '../../src/spec/site-spec.ts';
import type { SnapshotMirror } from '../../src/store/types.ts';

const BASE = 'base: { distribution: debian, suite: bookworm, architecture: amd64 }\nmirrors: [debian-12, own]\n';

/** `base`, and `top` on it, of two folders. */
function chainOf(base: string, top: string): Promise<RecipeChain> {
  const texts = { base: `name: base\n${BASE}${base}`, top: `name: top\nextends: base\n${top}` };
  return recipeChain(async (reference) => {
    const text = texts[reference as keyof typeof texts];
    const file = `/${reference}/${reference}.yaml`;
    return { recipe: parseRecipe(text, file), file, text, read: async () => Buffer.alloc(0) };
  }, 'top');
}

async function sourcesOf(chain: RecipeChain) {
  const mirrors = chain.mirrors.map((name) => ({ name })) as SnapshotMirror[];
  const sources = async ({ name }: SnapshotMirror, url: string) => `${name} at ${url}`;
  return packageSources({ sources }, { chain, mirrors, payload: payloadOf(chain) });
}

const SERVED = 'build: { type: darksite, url: http://depot.example/c/stable }\n';

test('without a type there are no sources', async () => {
  expect(await sourcesOf(await chainOf('', ''))).toEqual([]);
});

test('what travels along is found there, the rest where it is served', async () => {
  const chain = await chainOf(SERVED, 'payload: [{ mirror: own, at: /srv/own }]\n');
  expect(await sourcesOf(chain)).toEqual([
    {
      path: '/etc/apt/sources.list.d/debian-12.sources',
      text: 'debian-12 at http://depot.example/c/stable/debian-12/',
    },
    { path: '/etc/apt/sources.list.d/own.sources', text: 'own at file:///srv/own/' },
  ]);
});

test('the last of the chain counts, as a whole', async () => {
  const chain = await chainOf(SERVED, 'build: { type: darksite }\npayload: [{ mirror: own, at: /srv/own }]\n');
  await expect(sourcesOf(chain)).rejects.toMatchObject({
    code: 'spec.invalid',
    message: '/top/top.yaml: build: darksite: machines would not find the mirror debian-12',
    hint: expect.stringContaining('payload: [{ mirror: debian-12, at: /srv/darksite/debian-12 }]'),
  });
});

test('files of the payload lie beside the recipe that names them', async () => {
  const chain = await chainOf(
    'payload: [{ source: a.bin, at: /opt/a }]\n',
    'payload: [{ source: b.bin, at: /opt/b }]\n',
  );
  expect(payloadOf(chain).map(({ at, file }) => [at, file])).toEqual([
    ['/opt/a', '/base/a.bin'],
    ['/opt/b', '/top/b.bin'],
  ]);
  const twice = await chainOf('payload: [{ source: a.bin, at: /opt/a }]\n', 'payload: [{ mirror: own, at: /opt/a }]\n');
  expect(() => payloadOf(twice)).toThrow('/top/top.yaml: payload: /opt/a is there twice');
});

test('a command line counts before the recipe', () => {
  const build = { type: 'darksite', url: 'http://a/' } as const;
  expect(overrideBuild(build, { type: 'connected' })).toEqual({ type: 'connected' });
  expect(overrideBuild(build, { url: 'http://b/c/lab' })).toEqual({ type: 'darksite', url: 'http://b/c/lab/' });
  expect(overrideBuild(build, { type: 'darksite' })).toEqual(build);
  expect(overrideBuild(undefined, { url: 'http://b' })).toEqual({ type: 'darksite', url: 'http://b/' });
  expect(() => overrideBuild(undefined, { url: 'depot' })).toThrow('--url: must be the URL of a channel');
  expect(() => overrideBuild({ type: 'connected' }, { url: 'http://b' })).toThrow('--url: is for darksite alone');
  expect(() => overrideBuild(undefined, { type: 'dark' })).toThrow(/--build: Invalid option/);
});
