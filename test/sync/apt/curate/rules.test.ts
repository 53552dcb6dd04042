import { expect, test } from 'vitest';
import type { CurateRule } from '../../../../src/spec/apt-curate-spec.ts';
import type { SelectInput } from '../../../../src/sync/apt/curate/select.ts';
import type { IndexPackage } from '../../../support/package-index.ts';
import { select, selected, tableOf } from '../../../support/package-table.ts';

const PACKAGES: readonly IndexPackage[] = [
  { name: 'nginx', version: '1.22', fields: { Section: 'httpd', Provides: 'httpd', Source: 'nginx-src' } },
  { name: 'nginx', version: '1.26', fields: { Section: 'web', Provides: 'httpd', Source: 'nginx-src' } },
  { name: 'nginx-doc', architecture: 'all', fields: { Section: 'non-free/doc', Source: 'nginx-src' } },
  { name: 'apache2', version: '2.4', fields: { Section: 'httpd', Provides: 'httpd (= 2.4)', Task: 'web-server' } },
  { name: 'bash', fields: { Essential: 'yes', Priority: 'required' } },
  { name: 'bash', architecture: 'arm64', fields: { Essential: 'yes', Priority: 'required' } },
  { name: 'adduser', architecture: 'all', fields: { Priority: 'important' } },
  { name: 'grub-pc' },
];

async function chosen(rule: CurateRule, options: Partial<SelectInput> = {}): Promise<string[]> {
  const table = await tableOf(PACKAGES);
  return selected(table, select(table, { rules: [rule], ...options }));
}

test.each<[string, CurateRule, Partial<SelectInput>, string[]]>([
  ['name', { name: 'nginx' }, {}, ['nginx 1.26 amd64']],
  ['all versions of a name', { name: 'nginx' }, { versions: 'all' }, ['nginx 1.26 amd64', 'nginx 1.22 amd64']],
  ['name and version', { name: 'nginx', version: '1.22' }, {}, ['nginx 1.22 amd64']],
  ['name and relation', { name: 'nginx', version: '<< 1.26' }, {}, ['nginx 1.22 amd64']],
  ['glob', { glob: 'nginx*' }, {}, ['nginx 1.26 amd64', 'nginx-doc 1.0 all']],
  ['glob and arch all', { glob: 'nginx*', arch: 'all' }, {}, ['nginx-doc 1.0 all']],
  ['priority', { priority: 'required' }, {}, ['bash 1.0 amd64']],
  ['essential', { essential: true }, {}, ['bash 1.0 amd64']],
  ['section by the newest version', { section: 'httpd' }, {}, ['apache2 2.4 amd64']],
  ['section of all versions', { section: 'httpd' }, { versions: 'all' }, ['apache2 2.4 amd64', 'nginx 1.22 amd64']],
  ['section in any component', { section: 'doc' }, {}, ['nginx-doc 1.0 all']],
  ['section of a component', { section: 'non-free/doc' }, {}, ['nginx-doc 1.0 all']],
  ['section of another component', { section: 'contrib/doc' }, {}, []],
  ['source', { source: 'nginx-src' }, {}, ['nginx 1.26 amd64', 'nginx-doc 1.0 all']],
  ['task', { task: 'web-server' }, {}, ['apache2 2.4 amd64']],
  ['query by a virtual name', { query: 'httpd' }, {}, ['apache2 2.4 amd64', 'nginx 1.26 amd64']],
  ['query by a provided version', { query: 'httpd (>= 2)' }, {}, ['apache2 2.4 amd64']],
  ['query of alternatives', { query: 'nginx (<< 1.26) | bash' }, {}, ['bash 1.0 amd64', 'nginx 1.22 amd64']],
  ['exclude', { glob: '*' }, { exclude: ['nginx*', 'b?sh', 'apache2'] }, ['adduser 1.0 all', 'grub-pc 1.0 amd64']],
  ['each architecture', { glob: '[a-z]*' }, { architectures: ['amd64', 'arm64'] }, []],
  [
    'each architecture by priority',
    { priority: 'required' },
    { architectures: ['amd64', 'arm64'] },
    ['bash 1.0 amd64', 'bash 1.0 arm64'],
  ],
  [
    'one architecture of two',
    { name: 'bash', arch: 'arm64' },
    { architectures: ['amd64', 'arm64'] },
    ['bash 1.0 arm64'],
  ],
])('%s', async (_, rule, options, expected) => {
  expect(await chosen(rule, options)).toEqual(expected);
});

test('seed: names, versions where demanded, architectures; excluded ones are passed over', async () => {
  const seeds = new Map([['hosts/web.txt', 'ii  nginx  0.9  amd64  web\napache2=2.4\nbash:arm64\ngrub-pc # boot\n']]);
  const options = { seeds, architectures: ['amd64', 'arm64'], exclude: ['grub-*'] };
  expect(await chosen({ seed: 'hosts/web.txt' }, options)).toEqual([
    'apache2 2.4 amd64',
    'bash 1.0 arm64',
    'nginx 1.26 amd64',
  ]);
});

test('says what a rule names and is not there, and what is there instead', async () => {
  const table = await tableOf(PACKAGES);
  const seeds = new Map([['list', 'nginx=9\nbash:s390x\n']]);
  const rules: CurateRule[] = [
    { name: 'nginxx' },
    { name: 'httpd' },
    { name: 'nginx', version: '>= 2' },
    { query: 'bash, httpd (>= 3) | gone' },
    { seed: 'list' },
    { name: 'bash', arch: 'arm64' },
    { glob: 'zz*' },
    { name: 'grub-pc', arch: 'all' },
  ];
  const { unresolved, notes } = select(table, { rules, seeds });
  expect(unresolved.map(({ message }) => message)).toEqual([
    'rule (name: nginxx) names nginxx: no package nginxx here',
    'rule (name: httpd) names httpd: httpd is virtual (provided by apache2 2.4); ask for it by `query:`',
    'rule (name: nginx, version: >= 2) names nginx (>= 2): newest nginx here is 1.26',
    'rule (query: bash, httpd (>= 3) | gone) names httpd (>= 3) | gone: apache2 2.4 provides httpd as 2.4; no package gone here',
    'rule (seed: list) names nginx (= 9): newest nginx here is 1.26',
    'rule (seed: list) names bash:s390x: s390x is no architecture of this mirror',
    'rule (name: bash, arch: arm64) names bash:arm64: arm64 is no architecture of this mirror',
    'rule (name: grub-pc, arch: all) names grub-pc:all: grub-pc is here for amd64 only',
  ]);
  expect(notes).toEqual(['rule 7 (glob: zz*) matches no package']);
});

test('refuses a version or query that is none', async () => {
  await expect(chosen({ name: 'nginx', version: '>= ' })).rejects.toMatchObject({ code: 'spec.invalid' });
  await expect(chosen({ query: 'nginx (' })).rejects.toMatchObject({ code: 'spec.invalid' });
});

test.each([
  ['ours', 'theirs'],
  ['theirs', 'ours'],
])(
  'takes one of two packages with other bytes: that of the first upstream (%s), with a note',
  async (first, second) => {
    const table = await tableOf([{ name: 'a', content: first }], [{ name: 'a', content: second }]);
    const selection = select(table, { rules: [{ name: 'a' }], versions: 'all' });
    expect([...selection.rows].map((row) => table.index(row))).toEqual([0]);
    expect(selection.notes).toEqual(['a 1.0 amd64 of index 1 has other bytes than that of index 0, which is taken']);
  },
);
