import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDependencies } from '../../../../src/formats/apt/dependency.ts';
import type { CurateRule } from '../../../../src/spec/apt-curate-spec.ts';
import { candidatesFor } from '../../../../src/sync/apt/curate/candidates.ts';
import type { PackageTable } from '../../../../src/sync/apt/curate/package-table.ts';
import { type SelectInput, type Selection, selectPackages } from '../../../../src/sync/apt/curate/select.ts';
import { whyFile } from '../../../../src/sync/curate/why.ts';
import type { IndexPackage } from '../../../support/package-index.ts';
import { selected, tableOf } from '../../../support/package-table.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const name = fc.constantFrom(...NAMES, 'virtual');
const version = fc.constantFrom('1', '2', '3');
const relation = fc
  .tuple(name, fc.option(fc.tuple(fc.constantFrom('>=', '<<', '='), version), { nil: undefined, freq: 2 }))
  .map(([to, limit]) => (limit === undefined ? to : `${to} (${limit[0]} ${limit[1]})`));
const group = fc.array(relation, { minLength: 1, maxLength: 3 }).map((alternatives) => alternatives.join(' | '));
const field = fc.array(group, { maxLength: 3 }).map((groups) => groups.join(', '));
const aPackage: fc.Arbitrary<IndexPackage> = fc
  .record({
    name: fc.constantFrom(...NAMES),
    version,
    architecture: fc.constantFrom('amd64', 'amd64', 'arm64', 'all'),
    depends: field,
    preDepends: fc.oneof(fc.constant(''), field),
    recommends: fc.oneof(fc.constant(''), field),
    provides: fc.constantFrom('', '', 'virtual', 'virtual (= 2)'),
    priority: fc.constantFrom('required', 'optional'),
  })
  .map(({ depends, preDepends, recommends, provides, priority, ...rest }) => ({
    ...rest,
    content: depends,
    fields: {
      Depends: depends,
      'Pre-Depends': preDepends,
      Recommends: recommends,
      Provides: provides,
      Priority: priority,
    },
  }));
const archive = fc.uniqueArray(aPackage, {
  maxLength: 14,
  selector: (one) => `${one.name} ${one.version} ${one.architecture}`,
});
const rule: fc.Arbitrary<CurateRule> = fc.oneof(
  fc.constantFrom(...NAMES).map((one): CurateRule => ({ name: one })),
  fc.constantFrom('a', 'virtual').map((one): CurateRule => ({ query: one })),
  fc.constant<CurateRule>({ priority: 'required' }),
);
const input = fc.record({
  packages: archive,
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  closure: fc.constantFrom('depends' as const, 'recommends' as const),
  versions: fc.constantFrom('newest' as const, 'all' as const),
  exclude: fc.constantFrom<string[]>([], ['f'], ['d', 'e']),
});

const ARCHITECTURES = ['amd64', 'arm64'];

function run(table: PackageTable, given: Pick<SelectInput, 'rules' | 'closure' | 'versions' | 'exclude'>): Selection {
  return selectPackages({ ...given, table, architectures: ARCHITECTURES, seeds: new Map() });
}

test('closed: what a selected package demands is in the selection, or is reported', async () => {
  await fc.assert(
    fc.asyncProperty(input, async ({ packages, ...given }) => {
      const table = await tableOf(packages);
      const selection = run(table, given);
      const rows = new Set(selection.rows);
      const reported = new Set(selection.unresolved.map((one) => `${one.wantedBy}|${one.wanted}`));
      const finder = { table, allowed: (row: number) => rows.has(row) };
      for (const row of rows) {
        const stanza = table.stanza(row);
        const text = ['Pre-Depends', 'Depends'].map((one) => stanza.get(one) ?? '').join(', ');
        for (const group of text.split(',').filter((one) => one.trim() !== '')) {
          if (reported.has(`${table.describe(row)}|${group.trim()}`)) continue;
          const architecture = table.architecture(row);
          // An arch:all package need be whole on one of the architectures only: the one that brought it in.
          const hosts = architecture === 'all' ? ARCHITECTURES : [architecture];
          const met = hosts.some((host) =>
            (parseDependencies(group, '')[0] ?? []).some((alternative) => {
              const { real, providers } = candidatesFor(finder, alternative, host);
              return real.length + providers.length > 0;
            }),
          );
          expect(met, `${table.describe(row)}: ${group}`).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('reports only what really cannot be met: with everything allowed there is no candidate, or a broken one alone', async () => {
  await fc.assert(
    fc.asyncProperty(input, async ({ packages, ...given }) => {
      const table = await tableOf(packages);
      for (const one of run(table, given).unresolved) {
        if (one.field === 'rule') continue;
        const finder = { table, allowed: (row: number) => !given.exclude.some((name) => name === table.name(row)) };
        for (const alternative of parseDependencies(one.wanted, '')[0] ?? []) {
          const { real, providers } = candidatesFor(finder, alternative, one.architecture ?? '');
          expect(real.length + providers.length, one.message).toBe(0);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('minimal: each package is of a rule, or has a chain of dependencies from one that is', async () => {
  await fc.assert(
    fc.asyncProperty(input, async ({ packages, ...given }) => {
      const table = await tableOf(packages);
      const selection = run(table, given);
      const followed =
        given.closure === 'recommends' ? ['Pre-Depends', 'Depends', 'Recommends'] : ['Pre-Depends', 'Depends'];
      const all = new Set(selected(table, selection));
      const explained = NAMES.flatMap((name) => selection.why(name));
      expect(explained.length).toBe(all.size);
      for (const { steps } of explained) {
        for (const [at, step] of steps.entries()) {
          const identity = `${step.package} ${step.version} ${step.architecture}`;
          expect(all.has(identity)).toBe(true);
          if (step.because === null) {
            expect(at).toBe(0);
            continue;
          }
          const parent = steps[at - 1];
          const row = [...selection.rows].find(
            (one) => table.describe(one) === `${parent?.package} ${parent?.version} ${parent?.architecture}`,
          );
          expect(followed).toContain(step.because.field);
          expect(table.stanza(row as number).get(step.because.field)).toContain(step.because.dependency);
          const own = [...selection.rows].find((one) => table.describe(one) === identity) as number;
          const finder = { table, allowed: (one: number) => one === own };
          const brought = (parseDependencies(step.because.dependency, '')[0] ?? []).some((alternative) =>
            ARCHITECTURES.some((host) => {
              const { real, providers } = candidatesFor(finder, alternative, host);
              return real.length + providers.length > 0;
            }),
          );
          expect(brought).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('deterministic: the order of an index and the order of rules are of no effect on what is selected', async () => {
  const shuffled = input.chain((given) =>
    fc.record({
      given: fc.constant(given),
      packages: fc.shuffledSubarray(given.packages, { minLength: given.packages.length }),
      rules: fc.shuffledSubarray(given.rules, { minLength: given.rules.length }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(shuffled, async ({ given, packages, rules }) => {
      const [first, second, third] = [await tableOf(given.packages), await tableOf(packages), await tableOf(packages)];
      const before = run(first, given);
      const after = run(second, given);
      expect(Buffer.concat([...whyFile([after.explained], after.rules)]).toString()).toBe(
        Buffer.concat([...whyFile([before.explained], before.rules)]).toString(),
      );
      expect(after.unresolved).toEqual(before.unresolved);
      expect(selected(third, run(third, { ...given, rules }))).toEqual(selected(first, before));
    }),
    { numRuns: 200 },
  );
});
