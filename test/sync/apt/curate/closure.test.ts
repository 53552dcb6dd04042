import { expect, test } from 'vitest';
import type { SelectInput } from '../../../../src/sync/apt/curate/select.ts';
import type { IndexPackage } from '../../../support/package-index.ts';
import { select, selected, selectedNames, tableOf } from '../../../support/package-table.ts';

const needs = (name: string, depends: string, further: Partial<IndexPackage> = {}): IndexPackage => ({
  name,
  ...further,
  fields: { Depends: depends, ...further.fields },
});

async function closureOf(packages: readonly IndexPackage[], options: Partial<SelectInput> = {}) {
  const table = await tableOf(packages);
  const selection = select(table, { rules: [{ name: 'root' }], ...options });
  return { table, selection, packages: selected(table, selection), names: selectedNames(table, selection) };
}

test('follows Pre-Depends, Depends, and Recommends where asked and as far as they can be met', async () => {
  const packages = [
    needs('root', 'a', { fields: { 'Pre-Depends': 'b', Recommends: 'c, gone, broken', Suggests: 'd' } }),
    needs('a', 'root'),
    { name: 'b' },
    { name: 'c' },
    { name: 'd' },
    needs('broken', 'gone'),
  ];
  expect((await closureOf(packages)).names).toEqual(['a', 'b', 'root']);
  const withRecommends = await closureOf(packages, { closure: 'recommends' });
  expect(withRecommends.names).toEqual(['a', 'b', 'c', 'root']);
  expect(withRecommends.selection.unresolved).toEqual([]);
  expect((await closureOf(packages, { closure: 'none' })).names).toEqual(['root']);
});

test.each<[string, IndexPackage[], string[]]>([
  ['the first alternative', [needs('root', 'x | y'), { name: 'x' }, { name: 'y' }], ['root', 'x']],
  ['the first that exists', [needs('root', 'x | y'), { name: 'y' }], ['root', 'y']],
  ['the first whose version is right', [needs('root', 'x (>= 2) | y'), { name: 'x' }, { name: 'y' }], ['root', 'y']],
  [
    'the first that can be met in turn, at any depth',
    [needs('root', 'x | y'), needs('x', 'x2'), needs('x2', 'x3'), needs('x3', 'gone'), { name: 'y' }],
    ['root', 'y'],
  ],
  [
    'an older version where a newer is too new',
    [
      needs('root', 'x (<< 2)'),
      { name: 'x', version: '1.9' },
      { name: 'x', version: '1.8' },
      { name: 'x', version: '2' },
    ],
    ['root', 'x'],
  ],
  [
    'the package before its providers',
    [needs('root', 'v'), { name: 'v' }, { name: 'a', fields: { Provides: 'v', Priority: 'required' } }],
    ['root', 'v'],
  ],
  [
    'the provider of highest priority, then the first name',
    [
      needs('root', 'v'),
      { name: 'a', fields: { Provides: 'v', Priority: 'optional' } },
      { name: 'c', fields: { Provides: 'v', Priority: 'standard' } },
      { name: 'b', fields: { Provides: 'v', Priority: 'standard' } },
    ],
    ['b', 'root'],
  ],
  [
    'a provider of the right version',
    [
      needs('root', 'v (>= 2)'),
      { name: 'a', fields: { Provides: 'v' } },
      { name: 'b', fields: { Provides: 'v (= 1)' } },
      { name: 'c', fields: { Provides: 'v (= 2)' } },
    ],
    ['c', 'root'],
  ],
])('chooses %s', async (_, packages, names) => {
  const { selection, names: got } = await closureOf(packages);
  expect(got).toEqual(names);
  expect(selection.unresolved).toEqual([]);
});

test('prefers what a rule chose by itself, in whatever order', async () => {
  const packages = [
    needs('root', 'mta-default | mta, x'),
    { name: 'mta-default' },
    { name: 'postfix', fields: { Provides: 'mta' } },
    { name: 'x', version: '2' },
    { name: 'x', version: '1' },
  ];
  const rules = [{ name: 'root' }, { name: 'postfix' }, { name: 'x', version: '1' }];
  for (const order of [rules, rules.toReversed()])
    expect((await closureOf(packages, { rules: order })).packages).toEqual([
      'postfix 1.0 amd64',
      'root 1.0 amd64',
      'x 1 amd64',
    ]);
});

test('what the closure alone brought in does not displace a first alternative', async () => {
  const packages = [needs('root', 'a, z'), needs('a', 'y'), needs('z', 'x | y'), { name: 'x' }, { name: 'y' }];
  expect((await closureOf(packages)).names).toEqual(['a', 'root', 'x', 'y', 'z']);
});

test('with all versions, takes all that meet a dependency', async () => {
  const versions = ['1', '2', '3'].map((version) => ({ name: 'x', version }));
  const { packages } = await closureOf([needs('root', 'x (>= 2)'), ...versions], { versions: 'all' });
  expect(packages).toEqual(['root 1.0 amd64', 'x 3 amd64', 'x 2 amd64']);
});

test('keeps architectures apart: each selection is whole in itself', async () => {
  const packages: IndexPackage[] = [
    needs('root', 'lib, data, tool:any, other:i386'),
    { name: 'lib' },
    { name: 'lib', architecture: 'i386', fields: { 'Multi-Arch': 'foreign' } },
    { name: 'lib', architecture: 'arm64' },
    needs('data', 'lib', { architecture: 'all' }),
    { name: 'tool', fields: { 'Multi-Arch': 'allowed' } },
    needs('other', 'lib', { architecture: 'i386' }),
  ];
  const both = await closureOf(packages, {
    architectures: ['amd64', 'i386'],
    rules: [{ name: 'root', arch: 'amd64' }],
  });
  expect(both.packages).toEqual([
    'data 1.0 all',
    'lib 1.0 amd64',
    'lib 1.0 i386',
    'other 1.0 i386',
    'root 1.0 amd64',
    'tool 1.0 amd64',
  ]);
  const one = await closureOf(packages);
  expect(one.selection.unresolved.map(({ message }) => message)).toEqual([
    'root 1.0 amd64 depends on other:i386: i386 is no architecture of this mirror',
  ]);
});

test('arch:all packages are followed for each architecture that needs them', async () => {
  const packages: IndexPackage[] = [
    needs('root', 'data'),
    needs('root', 'data', { architecture: 'arm64' }),
    needs('data', 'lib', { architecture: 'all' }),
    { name: 'lib' },
    { name: 'lib', architecture: 'arm64' },
  ];
  const { packages: got } = await closureOf(packages, { architectures: ['amd64', 'arm64'] });
  expect(got).toEqual(['data 1.0 all', 'lib 1.0 amd64', 'lib 1.0 arm64', 'root 1.0 amd64', 'root 1.0 arm64']);
});

test('names each missing piece once and what is here instead', async () => {
  const packages: IndexPackage[] = [
    needs('root', 'a, lib (>= 2), v (>= 1), excluded, only-arm, strict:any'),
    needs('a', 'gone | gone2', { fields: { 'Pre-Depends': 'lib (= 0)' } }),
    { name: 'lib', version: '1.9' },
    { name: 'lib', version: '1.8' },
    { name: 'p', fields: { Provides: 'v' } },
    { name: 'excluded' },
    { name: 'only-arm', architecture: 'arm64' },
    { name: 'strict' },
  ];
  const { selection } = await closureOf(packages, { exclude: ['excluded'] });
  expect(selection.unresolved.map(({ message }) => message)).toEqual([
    'root 1.0 amd64 depends on lib (>= 2): newest lib here is 1.9',
    'root 1.0 amd64 depends on v (>= 1): p 1.0 provides v without a version',
    'root 1.0 amd64 depends on excluded: excluded is excluded',
    'root 1.0 amd64 depends on only-arm: only-arm is here for arm64 only',
    'root 1.0 amd64 depends on strict:any: strict here is not Multi-Arch: allowed',
    'a 1.0 amd64 pre-depends on lib (= 0): newest lib here is 1.9',
    'a 1.0 amd64 depends on gone | gone2: no package gone here; no package gone2 here',
  ]);
});

test('stops when it is told to', async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(closureOf([needs('root', 'a'), { name: 'a' }], { signal: controller.signal })).rejects.toThrow();
});
