/** Real apt against the closure: whatever apt would install from what we selected from, we selected. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { CurateRule } from '../../../../src/spec/apt-curate-spec.ts';
import { type IndexPackage, packageIndex } from '../../../support/package-index.ts';
import { emptyTable, select, selectedNames, tableOf } from '../../../support/package-table.ts';

/** A root for apt with nothing installed and these indexes as its only source. Returns a way to simulate. */
function aptWith(packages: Buffer): (names: readonly string[], recommends: boolean) => string[] | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'apt-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ['repo', 'lists/partial', 'cache/archives/partial', 'etc'])
    mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, 'status'), '');
  writeFileSync(join(dir, 'repo/Packages'), packages);
  writeFileSync(join(dir, 'sources.list'), `deb [trusted=yes] file:${dir}/repo ./\n`);
  const options = [
    `Dir::State::status=${dir}/status`,
    `Dir::State::Lists=${dir}/lists`,
    `Dir::Cache=${dir}/cache`,
    `Dir::Etc=${dir}/etc`,
    `Dir::Etc::SourceList=${dir}/sources.list`,
    'APT::Architecture=amd64',
    'APT::Architectures::=amd64',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' };
  execFileSync('apt-get', [...options, 'update'], { env, stdio: 'pipe' });
  return (names, recommends) => {
    const argv = [...options, '-o', `APT::Install-Recommends=${recommends}`, 'install', '-s', '-q', ...names];
    const { status, stdout } = spawnSync('apt-get', argv, { env, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) return undefined;
    return [...stdout.matchAll(/^Inst ([^ ]+)/gm)].map((match) => match[1] as string);
  };
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const group = fc
  .array(fc.constantFrom(...NAMES, 'virtual', 'gone'), { minLength: 1, maxLength: 3 })
  .map((names) => [...new Set(names)].join(' | '));
const field = fc.array(group, { maxLength: 2 }).map((groups) => groups.join(', '));
/** Of providers that are alike apt takes the one that its cache met first; so here no two are alike. */
const PRIORITIES: Partial<Record<string, string>> = { a: 'extra', d: 'optional', f: 'important', h: 'standard' };
const archive = fc.tuple(
  ...NAMES.map((name) =>
    fc
      .record({ depends: field, recommends: field, provides: fc.boolean() })
      .map(({ depends, recommends, provides }): IndexPackage => {
        const priority = PRIORITIES[name];
        const Provides = provides && priority !== undefined ? 'virtual' : '';
        return {
          name,
          fields: { Depends: depends, Recommends: recommends, Provides, Priority: priority ?? 'optional' },
        };
      }),
  ),
);

test('of generated archives: we have what apt would install, and apt installs from what we have', async () => {
  let installs = 0;
  await fc.assert(
    fc.asyncProperty(archive, async (packages) => {
      const simulate = aptWith(packageIndex(packages));
      const table = await tableOf(packages);
      for (const roots of [['a'], ['b', 'c']]) {
        for (const recommends of [false, true]) {
          const installed = simulate(roots, recommends);
          if (installed === undefined) continue;
          installs += installed.length;
          const rules = roots.map((name): CurateRule => ({ name }));
          const selection = select(table, { rules, closure: recommends ? 'recommends' : 'depends' });
          expect(selection.unresolved).toEqual([]);
          expect(selectedNames(table, selection)).toEqual(expect.arrayContaining(installed));
          if (recommends) continue;
          const ours = [...selection.rows].flatMap((row) => [table.stanza(row).raw, Buffer.from('\n')]);
          expect(aptWith(Buffer.concat(ours))(roots, false)).toBeDefined();
        }
      }
    }),
    { numRuns: 6 },
  );
  expect(installs).toBeGreaterThan(0);
}, 60_000);

const LISTS = '/var/lib/apt/lists';
const mainLists = existsSync(LISTS)
  ? readdirSync(LISTS).filter((name) => /_dists_[^_]+_main_binary-amd64_Packages/.test(name))
  : [];

test.skipIf(mainLists.length === 0)(
  "of this machine's own archive: minbase, kernel, systemd, sshd",
  async () => {
    const indexes = mainLists.map((name) =>
      execFileSync('/usr/lib/apt/apt-helper', ['cat-file', join(LISTS, name)], { maxBuffer: 1 << 30 }),
    );
    const table = emptyTable();
    for (const [at, index] of indexes.entries()) await table.add([index], `index ${at}`);
    const rules: CurateRule[] = [
      { essential: true },
      { priority: 'required' },
      ...['apt', 'linux-image-amd64', 'systemd-sysv', 'openssh-server'].map((name) => ({ name })),
    ];
    const required = select(table, { rules: rules.slice(0, 2), closure: 'none' });
    const names = [...selectedNames(table, required), 'apt', 'linux-image-amd64', 'systemd-sysv', 'openssh-server'];
    const simulate = aptWith(Buffer.concat(indexes.flatMap((index) => [index, Buffer.from('\n')])));
    for (const closure of ['depends', 'recommends'] as const) {
      const selection = select(table, { rules, closure });
      expect(selection.unresolved).toEqual([]);
      const installed = simulate(names, closure === 'recommends');
      expect(installed?.length).toBeGreaterThan(100);
      const ours = new Set(selectedNames(table, selection));
      expect(installed?.filter((name) => !ours.has(name))).toEqual([]);
      // And it is lean: what apt would leave out is a small part.
      expect(ours.size).toBeLessThan((installed?.length ?? 0) * 1.25);
    }
  },
  120_000,
);
