import { expect, test } from 'vitest';
import {
  cvesOf,
  parseUpdateinfo,
  pruneUpdate,
  type Update,
  updateinfoChunks,
} from '../../../src/formats/rpm/updateinfo.ts';
import { chunked, joined } from '../support.ts';

const TEXT = `<?xml version="1.0"?>
<updates>
  <update from="x@example.org" status="final" type="security" version="1">
    <id>EX-1</id><title>Important &amp; urgent</title><severity>Important</severity>
    <issued date="2024-05-02 10:20:30"/><updated date="1714645230"/><rights>none</rights>
    <description>Two
lines.</description>
    <references>
      <reference href="https://x" id="CVE-2024-0001" type="cve" title="CVE-2024-0001 and cve-2024-0002"/>
      <reference href="https://y" id="77" type="bugzilla" title="CVE-2024-9999"/>
    </references>
    <pkglist>
      <collection short="a"><name>A</name>
        <module name="m" stream="2.10" version="1" context="c" arch="x86_64"/>
        <package name="lib" version="1" release="2" epoch="3" arch="x86_64" src="lib-1-2.src.rpm"><filename>lib.rpm</filename><sum type="sha256">ab</sum><reboot_suggested/></package>
        <package name="tool" version="1" release="2" arch="noarch"/>
      </collection>
      <collection short="b"><name>B</name><package name="other" version="1" release="1" epoch="0" arch="noarch"/></collection>
    </pkglist>
    <vendor>kept</vendor>
  </update>
  <update type="bugfix"><id>EX-2</id><issued date="soon"/></update>
</updates>`;

async function read(text: string, size = 7): Promise<Update[]> {
  const found: Update[] = [];
  for await (const update of parseUpdateinfo(chunked(Buffer.from(text), size), 'updateinfo')) found.push(update);
  return found;
}
const [first, second] = await read(TEXT);
if (first === undefined || second === undefined) throw new Error('no advisories');

test('reads advisories with packages, modules, times of both kinds, and CVEs', () => {
  const may2 = Date.UTC(2024, 4, 2, 10, 20, 30) / 1000;
  expect(first).toMatchObject({
    id: 'EX-1',
    type: 'security',
    status: 'final',
    severity: 'Important',
    title: 'Important & urgent',
  });
  expect([first.issued, first.updated, first.rebootSuggested]).toEqual([may2, may2, true]);
  expect(first.collections.map(({ packages }) => packages.map(({ name, epoch }) => `${name} ${epoch}`))).toEqual([
    ['lib 3', 'tool 0'],
    ['other 0'],
  ]);
  expect(first.collections[0]?.module).toMatchObject({ name: 'm', stream: '2.10' });
  expect(cvesOf(first)).toEqual(['CVE-2024-0001', 'CVE-2024-0002']);
  expect(second).toMatchObject({ id: 'EX-2', issued: undefined, collections: [], rebootSuggested: false });
});

test('what is written is read as the same, with what is unknown', async () => {
  const text = (await joined(updateinfoChunks([first, second]))).toString();
  expect(text).toContain('<vendor>kept</vendor>');
  expect((await read(text)).map(({ element: _, ...each }) => each)).toEqual(
    [first, second].map(({ element: _, ...each }) => each),
  );
});

test('pruned, it speaks of what is there alone', () => {
  const left = pruneUpdate(first, ({ name }) => name === 'tool');
  expect(left?.collections.map(({ packages }) => packages.map(({ name }) => name))).toEqual([['tool']]);
  expect(left?.rebootSuggested).toBe(false);
  expect(left?.references).toEqual(first.references);
  expect(pruneUpdate(first, ({ name, epoch }) => name === 'lib' && epoch === '0')).toBeUndefined();
  expect(pruneUpdate(second, () => true)).toBeUndefined();
});

test.each([
  ['2024-01-02 10:11:12', Date.UTC(2024, 0, 2, 10, 11, 12)],
  ['2024-01-02T10:11:12Z', Date.UTC(2024, 0, 2, 10, 11, 12)],
  ['2024-01-02 10:11:12 UTC', Date.UTC(2024, 0, 2, 10, 11, 12)],
  ['2024-01-02 10:11', Date.UTC(2024, 0, 2, 10, 11)],
  ['2024-01-02T10:11', Date.UTC(2024, 0, 2, 10, 11)],
  [' 2024-01-02 ', Date.UTC(2024, 0, 2)],
  ['2016-12-31 23:59:60', Date.UTC(2016, 11, 31, 23, 59, 59)],
  ['1704190272', 1704190272_000],
  ['0', 0],
  ['2024-13-02', undefined],
  ['2024-01-02 25:00:00', undefined],
  ['2024-01-023', undefined],
  ['02/01/2024', undefined],
  ['15mangled2', undefined],
  ['', undefined],
])('of a date %j the time is told, and it stays as it is written', async (date, ms) => {
  const text = `<updates><update><id>a</id><issued date="${date}"/><updated date="${date}"/></update></updates>`;
  const [update] = await read(text);
  const seconds = ms === undefined ? undefined : ms / 1000;
  expect([update?.issued, update?.updated]).toEqual([seconds, seconds]);
  expect((await joined(updateinfoChunks([update as Update]))).toString()).toContain(`<issued date="${date}"/>`);
});

test('a reboot is suggested by an empty mark, True or 1, of the advisory or of a package', async () => {
  const marks = [
    '<reboot_suggested/>',
    '<reboot_suggested>True</reboot_suggested>',
    '<reboot_suggested>1</reboot_suggested>',
  ];
  const list = (mark: string) =>
    `<pkglist><collection><package name="a" version="1" release="1" arch="x">${mark}</package></collection></pkglist>`;
  const update = (inner: string) => `<updates><update><id>a</id>${inner}</update></updates>`;
  const suggested = async (inner: string) => (await read(update(inner)))[0]?.rebootSuggested;
  for (const mark of marks) expect([await suggested(mark), await suggested(list(mark))]).toEqual([true, true]);
  const not = '<reboot_suggested>False</reboot_suggested>';
  expect([await suggested(not), await suggested(list(not)), await suggested(list(''))]).toEqual([false, false, false]);
});

test('what is not told is empty or absent', () => {
  const { element: _, ...told } = second;
  expect(told).toEqual({
    ...{
      id: 'EX-2',
      type: 'bugfix',
      status: '',
      title: '',
      severity: undefined,
      issued: undefined,
      updated: undefined,
    },
    ...{ rebootSuggested: false, references: [], collections: [] },
  });
});

test('an advisory may come twice, and other elements are passed over', async () => {
  const one = '<update><id>a</id></update>';
  expect((await read(`<updates><note>x</note>${one}${one}</updates>`)).map(({ id }) => id)).toEqual(['a', 'a']);
});

test('several lists of packages are one, and pruned they go each on its own', async () => {
  const list = (name: string) =>
    `<pkglist><collection short="${name}"><package name="${name}" version="1" release="1" arch="x"/></collection></pkglist>`;
  const [update] = await read(`<updates><update><id>a</id>${list('x')}${list('y')}</update></updates>`);
  expect(update?.collections.map(({ short }) => short)).toEqual(['x', 'y']);
  const left = pruneUpdate(update as Update, ({ name }) => name === 'y');
  expect(left?.element.children.map(({ name }) => name)).toEqual(['id', 'pkglist']);
  expect(left?.collections.map(({ short }) => short)).toEqual(['y']);
  expect(update?.collections).toHaveLength(2);
});

test.each([
  ['an advisory without an id', '<updates><update/></updates>', 'format.syntax'],
  [
    'a package without a version',
    '<updates><update><id>a</id><pkglist><collection><package name="a"/></collection></pkglist></update></updates>',
    'format.syntax',
  ],
  ['no updateinfo', '<comps/>', 'format.syntax'],
  ['an entity bomb', '<!DOCTYPE a [<!ENTITY b "bb">]><updates>&b;</updates>', 'format.syntax'],
])('refused: %s', async (_, text, code) => {
  await expect(read(text)).rejects.toMatchObject({ code });
});
