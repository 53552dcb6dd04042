import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestRecipes, makeProvenance, readProvenance } from '../../src/image/provenance.ts';
import { recipeChain } from '../../src/image/recipe-chain.ts';
import { checkSilence, SILENCE } from '../../src/image/silence.ts';
import { parseRecipe } from '../../src/spec/recipe-spec.ts';

const TEXT = `name: web
base: { distribution: debian, suite: bookworm, architecture: amd64 }
mirrors: [debian-12]
files: [{ path: /etc/site, source: site.conf }]
`;
const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];

async function statement() {
  const recipe = { recipe: parseRecipe(TEXT, 'web.yaml'), file: 'web.yaml', text: TEXT };
  const chain = await recipeChain(async () => ({ ...recipe, read: async (name) => Buffer.from(name) }), 'web');
  const manifest = { root: C, files: 1, bytes: 1 };
  const mirror = { name: 'debian-12', kind: 'apt', form: 'verbatim', manifest, evidence: [] } as const;
  const time = '2026-03-01T12:00:00Z';
  const document = {
    format: 'kubedos-snapshot/1',
    store: '',
    sequence: 1,
    time,
    parent: null,
    mirrors: [],
    note: null,
  };
  return makeProvenance({
    chain,
    recipes: await digestRecipes(chain),
    artifacts: [{ path: 'web.raw', sha256: A, sizeBytes: 1 }],
    byproducts: [{ path: 'web.cdx.json', sha256: B, sizeBytes: 1, mediaType: 'application/vnd.cyclonedx+json' }],
    mirrors: [mirror],
    outputs: ['raw', 'qcow2'],
    layers: [C],
    snapshot: { id: '1-0123456789abcdef', document: { ...document } as never, bytes: Buffer.from('{}'), signature: '' },
    epoch: 1_772_366_400,
    version: '0.1.0',
    tools: { mke2fs: '1.47.0' },
    network: SILENCE,
  });
}

test('provenance says what was made of what, and is read back', async () => {
  const bytes = await statement();
  expect(readProvenance(bytes, 'it')).toEqual({
    recipe: 'web',
    recipes: [
      {
        name: 'web',
        sha256: hash('sha256', TEXT),
        sources: [{ path: 'site.conf', sha256: hash('sha256', 'site.conf') }],
      },
    ],
    outputs: ['qcow2', 'raw'],
    snapshot: '1-0123456789abcdef',
    build: undefined,
    tools: { kubedos: '0.1.0', mke2fs: '1.47.0' },
    subjects: new Map([['web.raw', A]]),
    byproducts: new Map([['web.cdx.json', B]]),
  });
  expect(JSON.parse(bytes.toString())).toMatchObject({
    predicate: {
      buildDefinition: {
        internalParameters: { network: SILENCE, sourceDateEpoch: 1_772_366_400 },
        resolvedDependencies: [
          { uri: 'urn:kubedos:snapshot:1-0123456789abcdef', digest: { sha256: hash('sha256', '{}') } },
          { name: 'mirror debian-12', digest: { sha256: C } },
        ],
      },
    },
  });
});

test.each([
  ['no JSON', () => '{'],
  ['another type', (text: string) => text.replace('in-toto.io', 'example.org')],
  ['no digest', (text: string) => text.replace(A, 'none')],
])('%s is no provenance', async (_, change) => {
  const text = change((await statement()).toString());
  expect(() => readProvenance(Buffer.from(text), 'it')).toThrow(/read it: it is no provenance/);
});

const HEADINGS = 'Inter-|   Receive\n face |bytes\n';
const SILENT_LINE = `    lo:${' 0'.repeat(16)}\n`;

test.each([
  ['a packet', HEADINGS + SILENT_LINE.replace(' 0', ' 84').replace(' 0', ' 1')],
  ['another interface', `${HEADINGS}${SILENT_LINE}  eth0:${' 0'.repeat(16)}\n`],
  ['none at all', HEADINGS],
])('%s is no silence', (_, network) => {
  checkSilence(HEADINGS + SILENT_LINE);
  expect(() => checkSilence(network)).toThrow(/used the network/);
});
