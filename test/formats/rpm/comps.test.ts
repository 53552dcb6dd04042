import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  compsCategories,
  compsEnvironments,
  compsGroups,
  compsText,
  packagesOfEnvironment,
  packagesOfGroup,
  parseComps,
  pruneComps,
} from '../../../src/formats/rpm/comps.ts';

const TEXT = `<?xml version="1.0"?>
<comps>
  <group>
    <id>core</id><name>Core</name><name xml:lang="de">Kern &amp; mehr</name><description>Least</description>
    <default>true</default><uservisible>false</uservisible>
    <packagelist>
      <packagereq type="mandatory">bash</packagereq>
      <packagereq type="default" basearchonly="true">vim</packagereq>
      <packagereq type="optional">emacs</packagereq>
      <packagereq type="conditional" requires="kde">kde-l10n</packagereq>
      <packagereq>plain</packagereq>
    </packagelist>
    <vendor:extra xmlns:vendor="urn:x">kept</vendor:extra>
  </group>
  <group><id>tools</id><name>Tools</name><description>D</description><packagelist><packagereq type="mandatory">make</packagereq></packagelist></group>
  <group><id>core</id><name>Core</name><description>D</description><packagelist><packagereq type="mandatory">sed</packagereq></packagelist></group>
  <environment>
    <id>server</id><name>Server</name><description>D</description>
    <grouplist><groupid>core</groupid><groupid>nowhere</groupid></grouplist>
    <optionlist><groupid default="true">tools</groupid><groupid>games</groupid></optionlist>
  </environment>
  <category><id>apps</id><name>Apps</name><description>D</description><grouplist><groupid>tools</groupid></grouplist></category>
  <langpacks><match name="x" install="x-%s"/></langpacks>
</comps>`;
const comps = await parseComps(Buffer.from(TEXT), 'comps');
const names = (packages: readonly { readonly name: string }[] | undefined) => packages?.map(({ name }) => name);

test('reads groups, environments and categories, with translations', () => {
  const [core] = compsGroups(comps);
  expect(core).toMatchObject({ id: 'core', isDefault: true, userVisible: false, name: { text: 'Core' } });
  expect(core?.name.translations.get('de')).toBe('Kern & mehr');
  expect(core?.packages.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'bash mandatory',
    'vim default',
    'emacs optional',
    'kde-l10n conditional',
    'plain mandatory',
  ]);
  expect(core?.packages[1]?.baseArchOnly).toBe(true);
  expect(core?.packages[3]?.requires).toBe('kde');
  expect(compsEnvironments(comps)).toMatchObject([
    { groups: ['core', 'nowhere'], options: [{ id: 'tools', isDefault: true }, { id: 'games' }] },
  ]);
  expect(compsCategories(comps)).toMatchObject([{ id: 'apps', groups: ['tools'] }]);
});

test('what is written is read as the same, with what is unknown', async () => {
  const again = await parseComps(Buffer.from(compsText(comps)), 'comps');
  expect(compsText(again)).toBe(compsText(comps));
  expect(compsGroups(again).map(({ element: _, ...each }) => each)).toEqual(
    compsGroups(comps).map(({ element: _, ...each }) => each),
  );
  expect(compsText(comps)).toContain('<vendor:extra');
});

describe('what a group brings', () => {
  test('of all groups of the id, without optional ones', () =>
    expect(names(packagesOfGroup(comps, 'core', { optional: false }))).toEqual([
      'bash',
      'vim',
      'kde-l10n',
      'plain',
      'sed',
    ]));
  test('and with them', () => expect(names(packagesOfGroup(comps, 'core', { optional: true }))).toContain('emacs'));
  test('an environment brings its groups and those options that are ticked', () =>
    expect(names(packagesOfEnvironment(comps, 'server', { optional: false }))).toEqual([
      'bash',
      'vim',
      'kde-l10n',
      'plain',
      'sed',
      'make',
    ]));
  test('none of that id', () => {
    expect(packagesOfGroup(comps, 'server', { optional: false })).toBeUndefined();
    expect(packagesOfEnvironment(comps, 'core', { optional: false })).toBeUndefined();
  });
});

describe('pruning', () => {
  const left = (has: readonly string[], more = {}) =>
    pruneComps(comps, { hasPackage: (name) => has.includes(name), ...more });

  test('leaves no package that is not there, no empty group, and no id of one', () => {
    const pruned = left(['make']);
    expect(compsGroups(pruned).map(({ id }) => id)).toEqual(['tools']);
    expect(compsEnvironments(pruned)).toMatchObject([{ groups: [], options: [{ id: 'tools' }] }]);
    expect(compsCategories(pruned)).toHaveLength(1);
    expect(compsText(pruned)).toContain('<langpacks>');
  });
  test('leaves no environment or category without a group', () => {
    const pruned = left(['sed']);
    expect(compsCategories(pruned)).toEqual([]);
    expect(compsEnvironments(left([]))).toEqual([]);
  });
  test('leaves no list without an item, as libcomps writes none', () => {
    expect(compsText(left(['make']))).not.toContain('<grouplist/>');
    expect(compsText(left(['make']))).toContain('<optionlist>');
    expect(compsText(left(['sed']))).not.toContain('optionlist');
    expect(compsText(left(['bash']))).toContain('<vendor:extra');
  });
  test('groups may be chosen, and may lie elsewhere', () => {
    expect(compsGroups(left(['make', 'sed'], { groups: new Set(['tools']) })).map(({ id }) => id)).toEqual(['tools']);
    expect(compsEnvironments(left(['sed'], { groupsElsewhere: new Set(['nowhere']) }))).toMatchObject([
      { groups: ['core', 'nowhere'] },
    ]);
  });
});

test.each([
  ['no comps', '<metadata/>', 'format.syntax'],
  ['a group without an id', '<comps><group><name>x</name></group></comps>', 'format.syntax'],
  ['an end that is missing', '<comps><group>', 'format.syntax'],
  ['too many entries', `<comps>${'<a/>'.repeat(20_001)}</comps>`, 'format.limit'],
])('refused: %s', async (_, text, code) => {
  await expect(parseComps(Buffer.from(text), 'comps')).rejects.toMatchObject({ code });
});

/** What libcomps says of each text, a line each. */
function libcomps(expression: string, ...texts: readonly string[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'comps-'));
  const files = texts.map((text, i) => {
    writeFileSync(join(dir, `${i}.xml`), text);
    return join(dir, `${i}.xml`);
  });
  const script = `import libcomps, sys
for name in sys.argv[1:]:
  c = libcomps.Comps(); c.fromxml_f(name); assert not c.get_last_errors(), c.get_last_errors()
  print(${expression})`;
  const out = execFileSync('/usr/bin/python3', ['-c', script, ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
  rmSync(dir, { recursive: true });
  return out.toString().trim().split('\n');
}

const plain = (text: string): string => text.replace(/ *<vendor.*\n/, '');
const ALL =
  '[(g.id, g.name, [(p.name, p.type) for p in g.packages]) for g in c.groups], [(e.id, [x.name for x in e.group_ids]) for e in c.environments], [x.id for x in c.categories]';

test('libcomps reads what is written as it reads the original', () => {
  const [first, again] = libcomps(ALL, plain(TEXT), plain(compsText(comps)));
  expect(first).toContain('kde-l10n');
  expect(again).toBe(first);
});

test('libcomps would write what is pruned with the same lists', () => {
  const pruned = compsText(pruneComps(comps, { hasPackage: (name) => name === 'make' }));
  const [lists] = libcomps('[c.xml_str().count("<" + x) for x in ("packagelist", "grouplist", "optionlist")]', pruned);
  const count = (name: string): number => pruned.split(`<${name}`).length - 1;
  expect(lists).toBe(`[${['packagelist', 'grouplist', 'optionlist'].map(count).join(', ')}]`);
});

test('flags that are neither true nor false are as libcomps takes them', async () => {
  const values = ['true', 'false', 'maybe', 'True', 'FALSE', '1', '0', 'yes', '\ntrue\n'];
  const texts = values.map(
    (value) => `<comps><group><id>g</id><name>G</name><description>D</description>
<default>${value}</default><uservisible>${value}</uservisible>
<packagelist><packagereq type="default" basearchonly="${value}">p</packagereq></packagelist></group>
<environment><id>e</id><name>E</name><description>D</description><grouplist><groupid>g</groupid></grouplist>
<optionlist><groupid default="${value}">g</groupid></optionlist></environment></comps>`,
  );
  const flags = await Promise.all(
    texts.map(async (text) => {
      const all = await parseComps(Buffer.from(text), 'comps');
      const [group] = compsGroups(all);
      const [environment] = compsEnvironments(all);
      const own = [group?.isDefault, group?.userVisible, group?.packages[0]?.baseArchOnly];
      return [...own, environment?.options[0]?.isDefault].map((flag) => (flag ? 1 : 0)).join('');
    }),
  );
  const said = libcomps(
    '"".join(str(int(bool(x))) for x in (c.groups[0].default, c.groups[0].uservisible, c.groups[0].packages[0].basearchonly, c.environments[0].option_ids[0].default))',
    ...texts,
  );
  expect(Object.fromEntries(values.map((value, i) => [value, flags[i]]))).toEqual(
    Object.fromEntries(values.map((value, i) => [value, said[i]])),
  );
});
