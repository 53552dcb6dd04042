import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
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

test('libcomps reads what is written as it reads the original', () => {
  const dir = mkdtempSync(join(tmpdir(), 'comps-'));
  const script = `import libcomps, sys
for name in sys.argv[1:]:
  c = libcomps.Comps(); c.fromxml_f(name); assert not c.get_last_errors(), c.get_last_errors()
  print([(g.id, g.name, [(p.name, p.type) for p in g.packages]) for g in c.groups], [(e.id, [x.name for x in e.group_ids]) for e in c.environments], [x.id for x in c.categories])`;
  writeFileSync(join(dir, 'a.xml'), TEXT.replace(/ *<vendor.*\n/, ''));
  writeFileSync(join(dir, 'b.xml'), compsText(comps).replace(/ *<vendor.*\n/, ''));
  const out = execFileSync('/usr/bin/python3', ['-c', script, join(dir, 'a.xml'), join(dir, 'b.xml')])
    .toString()
    .trim()
    .split('\n');
  expect(out).toHaveLength(2);
  expect(out[1]).toBe(out[0]);
});
