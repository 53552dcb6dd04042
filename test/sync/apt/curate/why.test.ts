import { expect, test } from 'vitest';
import { explainPackage, renderChain, whyFile } from '../../../../src/sync/curate/why.ts';
import { select, tableOf } from '../../../support/package-table.ts';

const archive = () =>
  tableOf([
    { name: 'openssh-server', version: '1:9.2', fields: { Depends: 'libc6 (>= 2.36), openssh-client' } },
    { name: 'openssh-client', version: '1:9.2', fields: { Depends: 'libedit2', Recommends: 'xauth' } },
    { name: 'libedit2', fields: { 'Pre-Depends': 'libbsd0 | libbsd1' } },
    { name: 'libbsd0' },
    { name: 'xauth' },
    { name: 'libc6', version: '2.36' },
    { name: 'libc6', version: '2.35' },
  ]);

test('tells the rule and the chain, from the file alone', async () => {
  const table = await archive();
  const selection = select(table, { rules: [{ essential: true }, { name: 'openssh-server' }], closure: 'recommends' });
  const content = Buffer.concat([...whyFile([selection.explained], selection.rules)]);
  const chain = (name: string) => explainPackage(content, name).map(renderChain).join('\n');
  expect(chain('libbsd0')).toBe(
    [
      'rule name: openssh-server',
      '  chooses openssh-server 1:9.2 amd64',
      '    Depends: openssh-client brings openssh-client 1:9.2 amd64',
      '      Depends: libedit2 brings libedit2 1.0 amd64',
      '        Pre-Depends: libbsd0 | libbsd1 brings libbsd0 1.0 amd64',
    ].join('\n'),
  );
  expect(explainPackage(content, 'xauth')[0]?.steps.at(-1)?.because).toEqual({
    field: 'Recommends',
    dependency: 'xauth',
  });
  expect(explainPackage(content, 'libbsd')).toEqual([]);
  expect(selection.why('openssh-server')).toEqual([
    {
      rule: 'name: openssh-server',
      steps: [{ package: 'openssh-server', version: '1:9.2', architecture: 'amd64', because: null }],
    },
  ]);
});

test('tells all versions that are in', async () => {
  const table = await archive();
  const selection = select(table, { rules: [{ glob: 'libc*' }], versions: 'all' });
  expect(selection.why('libc6').map(({ steps }) => steps[0]?.version)).toEqual(['2.36', '2.35']);
});

test.each([
  ['an empty file', ''],
  ['another format', '{"format":"kubedos-why/2","rules":[]}\n'],
  ['no JSON', '{"format":"kubedos-why/1","rules":[]}\n{"package":"a",\n'],
  [
    'a missing line',
    '{"format":"kubedos-why/1","rules":[]}\n{"package":"a","version":"1","architecture":"all","of":7}\n',
  ],
  ['a circle', '{"format":"kubedos-why/1","rules":[]}\n{"package":"a","version":"1","architecture":"all","of":1}\n'],
])('refuses %s', (_, text) => {
  expect(() => explainPackage(Buffer.from(text), 'a')).toThrow(expect.objectContaining({ code: 'store.corrupt' }));
});
