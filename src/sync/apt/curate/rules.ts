/** The rules of a `curate:` section against a table: what each one chooses by itself. */
import { KubedosError } from '../../../errors.ts';
import {
  formatRelation,
  parseDependencies,
  type Relation,
  type VersionRequirement,
  versionSatisfies,
} from '../../../formats/apt/dependency.ts';
import { type ListedPackage, parsePackageList } from '../../../formats/apt/package-list.ts';
import { type CurateRule, SELECTORS } from '../../../spec/apt-curate-spec.ts';
import { matchesGlob } from '../../curate/glob.ts';
import { candidatesFor } from './candidates.ts';
import type { Eligible } from './eligible.ts';
import { PRIORITIES } from './package-flags.ts';
import type { NameId, PackageTable, Row } from './package-table.ts';

export interface RuleContext {
  readonly table: PackageTable;
  readonly eligible: Eligible;
  readonly versions: 'newest' | 'all';
  /** Of the mirror. */
  readonly architectures: readonly string[];
  /** Text of each file that a `seed:` names. */
  readonly seeds: ReadonlyMap<string, string>;
}

/** What a rule names by itself (`name`, `query`, `seed`) and is not there: alternatives. The other selectors may match nothing. */
export type MissingPackage = readonly Relation[];

/** Takes a chosen row, for an architecture of the mirror by its place. Rows come in no order and may repeat. */
export type Choose = (row: Row, architecture: number) => void;

/** As people write it: `name: openssh-server, arch: amd64`. */
export function ruleText(rule: CurateRule): string {
  const parts = [...SELECTORS, 'arch' as const, 'version' as const].flatMap((key) =>
    rule[key] === undefined ? [] : [`${key}: ${String(rule[key])}`],
  );
  return parts.join(', ');
}

/** Chooses the newest (or all) versions of what a rule matches, separately for each architecture. */
export function matchRule(rule: CurateRule, context: RuleContext, choose: Choose): MissingPackage[] {
  const { table } = context;
  const version = requirementOf(rule);
  if (rule.name !== undefined)
    return chooseNamed([{ name: rule.name, version, architecture: undefined }], rule, context, choose);
  if (rule.seed !== undefined) return chooseNamed(seedOf(rule.seed, context), rule, context, choose);
  if (rule.query !== undefined) return chooseQueried(rule.query, rule, context, choose);
  const test = rowTest(rule, table);
  for (const name of rule.glob === undefined ? namesOfRows(table, test) : namesLike(table, rule.glob))
    for (const [at, architecture] of context.architectures.entries())
      for (const row of versionsOf({ name, architecture, version }, rule, context)) if (test(row)) choose(row, at);
  return [];
}

interface Wanted {
  readonly name: string;
  readonly version: VersionRequirement | undefined;
  readonly architecture: string | undefined;
}

function chooseNamed(
  wanted: Iterable<Wanted>,
  rule: CurateRule,
  context: RuleContext,
  choose: Choose,
): MissingPackage[] {
  const missing = new Map<string, Relation>();
  for (const { name, version, architecture = rule.arch } of wanted) {
    if (context.eligible.excludes(name)) continue;
    const id = context.table.names.find(name);
    let found = false;
    for (const [at, own] of context.architectures.entries()) {
      if (id < 0 || (architecture !== undefined && architecture !== 'all' && architecture !== own)) continue;
      for (const row of versionsOf({ name: id, architecture: own, version }, rule, context)) {
        choose(row, at);
        found = true;
      }
    }
    if (found) continue;
    const relation: Relation = {
      name,
      ...(architecture !== undefined && { archQualifier: architecture }),
      ...(version !== undefined && { version }),
    };
    missing.set(formatRelation(relation), relation);
  }
  return [...missing.values()].map((relation) => [relation]);
}

function* seedOf(file: string, { seeds }: RuleContext): Generator<Wanted> {
  const text = seeds.get(file);
  if (text === undefined) throw new KubedosError('internal.bug', `match seed ${file}: its text was not given`);
  for (const listed of parsePackageList(text, file)) yield wantedOf(listed);
}

/** Only `name=version` demands a version: the versions of a running machine are often those of yesterday. */
function wantedOf({ name, version, exact, architecture }: ListedPackage): Wanted {
  return { name, architecture, version: exact && version !== undefined ? { relation: '=', version } : undefined };
}

/** Every alternative that is there, and every provider: a query searches, it does not decide. */
function chooseQueried(query: string, rule: CurateRule, context: RuleContext, choose: Choose): MissingPackage[] {
  const { table, eligible } = context;
  const finder = { table, allowed: (row: Row) => eligible.has(row) && fitsRule(row, rule, table) };
  const missing: MissingPackage[] = [];
  for (const alternatives of specDependencies(query, `query: ${query}`)) {
    let found = false;
    for (const [at, architecture] of context.architectures.entries()) {
      if (!appliesTo(rule, architecture)) continue;
      for (const relation of alternatives) {
        const { real, providers } = candidatesFor(finder, relation, architecture);
        const matched = [...real, ...providers];
        for (const row of context.versions === 'all' ? matched : firstOfEachName(matched, table)) {
          choose(row, at);
          found = true;
        }
      }
    }
    if (!found) missing.push(alternatives);
  }
  return missing;
}

/** Versions come before the test of a rule: that an older one once was in the section does not bring it back. */
function versionsOf(
  wanted: {
    readonly name: NameId;
    readonly architecture: string;
    readonly version: VersionRequirement | undefined;
  },
  rule: CurateRule,
  { table, eligible, versions }: RuleContext,
): Row[] {
  if (!appliesTo(rule, wanted.architecture)) return [];
  const [own, all] = [table.architectureId(wanted.architecture), table.architectureId('all')];
  const { version } = wanted;
  const rows: Row[] = [];
  for (const row of table.rowsOf(wanted.name)) {
    const have = table.architectureIdOf(row);
    if ((have !== own && have !== all) || !eligible.has(row) || !fitsRule(row, rule, table)) continue;
    if (version !== undefined && !versionSatisfies(version.relation, table.version(row), version.version)) continue;
    rows.push(row);
  }
  if (rows.length > 1) rows.sort((a, b) => table.compare(a, b));
  return versions === 'all' ? rows : rows.slice(0, 1);
}

function appliesTo(rule: CurateRule, architecture: string): boolean {
  return rule.arch === undefined || rule.arch === 'all' || rule.arch === architecture;
}

/** `arch: all` alone narrows further than the architecture that is chosen for. */
function fitsRule(row: Row, rule: CurateRule, table: PackageTable): boolean {
  return rule.arch !== 'all' || table.architecture(row) === 'all';
}

/** What a rule asks of a package beside its name. */
function rowTest(rule: CurateRule, table: PackageTable): (row: Row) => boolean {
  if (rule.glob !== undefined) return () => true;
  if (rule.priority !== undefined) {
    const rank = PRIORITIES.indexOf(rule.priority);
    return (row) => table.priorityRank(row) === rank;
  }
  if (rule.essential === true) return (row) => table.essential(row);
  if (rule.source !== undefined) {
    const source = table.names.find(rule.source);
    return (row) => table.sourceId(row) === source;
  }
  if (rule.task !== undefined) {
    const rows = new Set(table.rowsOfTask(rule.task));
    return (row) => rows.has(row);
  }
  const { section = '' } = rule;
  return (row) => {
    const have = table.section(row);
    return have === section || (!section.includes('/') && have.slice(have.lastIndexOf('/') + 1) === section);
  };
}

function* namesOfRows(table: PackageTable, test: (row: Row) => boolean): Generator<NameId> {
  const seen = new Uint8Array(table.names.count);
  for (let row = 0; row < table.count; row++) if (test(row)) seen[table.nameId(row)] = 1;
  for (let name = 0; name < seen.length; name++) if (seen[name] === 1) yield name;
}

function* namesLike(table: PackageTable, pattern: string): Generator<NameId> {
  for (let name = 0; name < table.names.count; name++) if (matchesGlob(pattern, table.names.get(name))) yield name;
}

function firstOfEachName(rows: readonly Row[], table: PackageTable): Row[] {
  const seen = new Set<NameId>();
  return rows.filter((row) => !seen.has(table.nameId(row)) && seen.add(table.nameId(row)));
}

/** `1.22` or `>= 1.22`. */
function requirementOf(rule: CurateRule): VersionRequirement | undefined {
  if (rule.version === undefined) return undefined;
  return specDependencies(`package (${rule.version})`, `version: ${rule.version}`)[0]?.[0]?.version;
}

function specDependencies(text: string, origin: string): ReturnType<typeof parseDependencies> {
  try {
    return parseDependencies(text, origin);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KubedosError('spec.invalid', `read rule ${origin}: ${reason}`, { cause });
  }
}
