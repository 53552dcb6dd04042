import { expect, test } from 'vitest';
import { packageStanza } from '../../../support/package-index.ts';
import { emptyTable, tableOf } from '../../../support/package-table.ts';

test('keeps the facts of a package and reads its stanza back to the byte', async () => {
  const given = {
    name: 'bash',
    version: '5.2-1',
    fields: {
      Source: 'bash-src (5.2)',
      Essential: 'yes',
      'Multi-Arch': 'foreign',
      Section: 'shells',
      Priority: 'required',
      Provides: 'sh (= 5), shell',
      Task: 'minimal, standard',
      'X-Unknown': 'kept',
    },
  };
  const table = await tableOf([{ name: 'other' }, given]);
  expect(table.count).toBe(2);
  expect(table.describe(1)).toBe('bash 5.2-1 amd64');
  expect(table.names.get(table.sourceId(1))).toBe('bash-src');
  expect(table.section(1)).toBe('shells');
  expect([table.essential(1), table.essential(0)]).toEqual([true, false]);
  expect([table.multiArch(1), table.multiArch(0)]).toEqual(['foreign', 'no']);
  expect([table.priorityRank(1), table.priorityRank(0)]).toEqual([0, 7]);
  expect(table.rowsOfTask('standard')).toEqual([1]);
  expect([...table.providersOf(table.names.find('sh'))]).toEqual([{ row: 1, version: '5' }]);
  expect([...table.providersOf(table.names.find('shell'))]).toEqual([{ row: 1, version: undefined }]);
  expect(table.stanza(1).raw.toString()).toBe(packageStanza(given).raw.toString());
  expect(table.entry(0).path).toBe('pool/main/other/other_1.0_amd64.deb');
});

test('takes the same package of two indexes once, and another of the same version as its own', async () => {
  const table = await tableOf(
    [{ name: 'a' }, { name: 'b' }],
    [{ name: 'a' }, { name: 'b', content: 'rebuilt' }, { name: 'a', version: '2' }],
  );
  const rows = (name: string) =>
    [...table.rowsOf(table.names.find(name))].map(
      (row) => `${table.version(row)} of ${table.origin(table.index(row))}`,
    );
  expect(rows('a').sort()).toEqual(['1.0 of index 0', '2 of index 1']);
  expect(rows('b').sort()).toEqual(['1.0 of index 0', '1.0 of index 1']);
});

test('sorts for publication: name by bytes, newest first, architecture, preferred index', async () => {
  const table = await tableOf(
    [
      { name: 'b' },
      { name: 'a', version: '1~rc1' },
      { name: 'a', version: '1:0', architecture: 'all' },
      { name: 'a', version: '1' },
      { name: 'a-b' },
      { name: 'a', version: '1:0' },
    ],
    [{ name: 'a', version: '1', content: 'other' }],
  );
  const rows = Array.from({ length: table.count }, (_, row) => row).sort((a, b) => table.compare(a, b));
  expect(rows.map((row) => `${table.describe(row)} ${table.index(row)}`)).toEqual([
    'a 1:0 all 0',
    'a 1:0 amd64 0',
    'a 1 amd64 0',
    'a 1 amd64 1',
    'a 1~rc1 amd64 0',
    'a-b 1.0 amd64 0',
    'b 1.0 amd64 0',
  ]);
});

test('names the place of a stanza that is no package', async () => {
  const table = emptyTable();
  await expect(table.add([Buffer.from('Package: a\nVersion: 1\n')], 'main/Packages')).rejects.toMatchObject({
    code: 'format.syntax',
    message: expect.stringContaining('main/Packages:1'),
  });
});
