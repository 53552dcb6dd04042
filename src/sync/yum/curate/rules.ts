/** The rules of a `curate:` section against a table: what each one chooses by itself. */
import { KubedosError } from '../../../errors.ts';
import { type Comps, packagesOfEnvironment, packagesOfGroup } from '../../../formats/rpm/comps.ts';
import { isRich, parseDependency, rangesOverlap } from '../../../formats/rpm/dependency.ts';
import type { Capability } from '../../../formats/rpm/package.ts';
import { parseRpmList, type RpmReading, readingsOf } from '../../../formats/rpm/package-list.ts';
import { parseEvr } from '../../../formats/rpm/version.ts';
import { YUM_SELECTORS, type YumCurateRule } from '../../../spec/yum-curate-spec.ts';
import type { Row } from '../../curate/columns.ts';
import { matchesGlob } from '../../curate/glob.ts';
import type { Advisories } from './advisories.ts';
import { isNative, isSource } from './architectures.ts';
import { RequiresChooser } from './chooser.ts';
import type { Eligible } from './eligible.ts';
import type { ModuleStreams } from './module-streams.ts';
import type { NameId, RpmTable } from './rpm-table.ts';

export interface RuleContext {
  readonly table: RpmTable;
  readonly eligible: Eligible;
  readonly basearch: string;
  /** So many of each name, architecture and stream. */
  readonly versions: number;
  readonly comps: Comps;
  readonly modules: ModuleStreams;
  readonly advisories: Advisories;
  /** Text of each file that a `seed:` names. */
  readonly seeds: ReadonlyMap<string, string>;
}

/** What a rule names by itself and is not there. */
export interface MissingWish {
  readonly wanted: string;
  readonly reason: string;
}

export type Choose = (row: Row) => void;

/** As people write it: `group: core, optional: true`. */
export function ruleText(rule: YumCurateRule): string {
  const parts = [...YUM_SELECTORS, 'arch' as const, 'version' as const].flatMap((key) =>
    rule[key] === undefined ? [] : [`${key}: ${String(rule[key])}`],
  );
  return [...parts, ...(rule.optional ? ['optional: true'] : [])].join(', ');
}

const KINDS: ReadonlySet<string> = new Set(['security', 'bugfix', 'enhancement', 'newpackage']);

/** Chooses the newest versions of what a rule matches. Rows come in no order and may repeat. */
export function matchRule(rule: YumCurateRule, context: RuleContext, choose: Choose): MissingWish[] {
  const { table } = context;
  const matcher = new RuleMatcher(rule, context, choose);
  if (rule.name !== undefined) return matcher.names([{ name: rule.name }]);
  if (rule.seed !== undefined) return matcher.names(seedOf(rule.seed, context));
  if (rule.glob !== undefined) return matcher.every((name) => matchesGlob(rule.glob ?? '', table.names.get(name)));
  if (rule.source !== undefined) {
    const source = table.names.find(rule.source);
    return matcher.every(undefined, (row) => table.sourceId(row) === source);
  }
  if (rule.query !== undefined) return matcher.query(rule.query);
  if (rule.module !== undefined) return matcher.module(rule.module);
  if (rule.advisory !== undefined) return matcher.advisory(rule.advisory);
  return matcher.group();
}

class RuleMatcher {
  readonly #rule: YumCurateRule;
  readonly #context: RuleContext;
  readonly #choose: Choose;
  readonly #version: Capability | undefined;

  constructor(rule: YumCurateRule, context: RuleContext, choose: Choose) {
    this.#rule = rule;
    this.#context = context;
    this.#choose = choose;
    this.#version = rule.version === undefined ? undefined : requirementOf(rule.version);
  }

  names(wanted: Iterable<RpmReading>): MissingWish[] {
    const missing: MissingWish[] = [];
    for (const { name, arch } of wanted)
      if (this.#named(name, arch) === 0) missing.push({ wanted: name, reason: this.#reasonFor(name, arch) });
    return missing;
  }

  /** Names of which any row passes the test; of these, the newest that do: that an older one did does not bring it back. */
  every(isName?: (name: NameId) => boolean, test: (row: Row) => boolean = () => true): MissingWish[] {
    const { table } = this.#context;
    for (let name = 0; name < table.names.count; name++)
      if (isName?.(name) ?? true) for (const row of this.#newest(table.rowsOf(name))) if (test(row)) this.#choose(row);
    return [];
  }

  /** Every alternative that is there, and every provider: a query searches, it does not decide. */
  query(text: string): MissingWish[] {
    const { table, basearch, versions } = this.#context;
    const dependency = fromSpec(`query: ${text}`, () => parseDependency(text, 'query'));
    const known = { isRoot: () => false, isBroken: () => false };
    const chooser = new RequiresChooser({ ...known, table, basearch, versions, allowed: (row) => this.#fits(row) });
    const parts = isRich(dependency) && dependency.op === 'and' ? dependency.parts : [dependency];
    return parts.flatMap((part) => {
      const rows = chooser.candidates(part);
      for (const row of this.#newestOfEach(rows)) this.#choose(row);
      return rows.length > 0 ? [] : [{ wanted: text, reason: 'nothing here provides it' }];
    });
  }

  module(text: string): MissingWish[] {
    const { modules, table } = this.#context;
    const [key = '', profile] = text.split('/');
    const found = modules.find(key);
    if (found === undefined) {
      const there = modules.streamsOf(key.split(':')[0] ?? '');
      const reason = there.length > 0 ? `there are ${there.join(', ')}` : 'there is no module of that name';
      return [{ wanted: `module ${key}`, reason: key.includes(':') ? reason : `it has no default stream; ${reason}` }];
    }
    const wanted = new Set(found.builds.flatMap(({ profiles }) => profiles.get(profile ?? '') ?? []));
    if (profile !== undefined && wanted.size === 0)
      return [{ wanted: `module ${text}`, reason: `its stream has no profile ${profile} with packages` }];
    const rows = found.rows.filter((row) => profile === undefined || wanted.has(table.name(row)));
    for (const row of this.#newestOfEach(rows)) this.#choose(row);
    return [];
  }

  advisory(kind: string): MissingWish[] {
    const found = this.#context.advisories.all.filter(({ id, type }) => id === kind || type === kind);
    for (const row of this.#newestOfEach(found.flatMap(({ rows }) => rows))) this.#choose(row);
    return found.length > 0 || KINDS.has(kind)
      ? []
      : [{ wanted: `advisory ${kind}`, reason: 'there is none of that id' }];
  }

  /** As dnf, it passes over what a group names and no repository has. */
  group(): MissingWish[] {
    const { group, environment = '', optional } = this.#rule;
    const { comps } = this.#context;
    const packages =
      group === undefined
        ? packagesOfEnvironment(comps, environment, { optional })
        : packagesOfGroup(comps, group, { optional });
    for (const { name } of packages ?? []) this.#named(name);
    const wanted = group === undefined ? `environment ${environment}` : `group ${group}`;
    return packages === undefined ? [{ wanted, reason: 'no comps here has it' }] : [];
  }

  /** How many were chosen. */
  #named(name: string, arch?: string): number {
    const { table } = this.#context;
    const id = table.names.find(name);
    const rows = id < 0 ? [] : this.#newest(table.rowsOf(id), arch);
    for (const row of rows) this.#choose(row);
    return rows.length;
  }

  #newestOfEach(rows: readonly Row[]): Row[] {
    const { table } = this.#context;
    const byName = new Map<NameId, Row[]>();
    for (const row of new Set(rows)) {
      const own = byName.get(table.nameId(row));
      if (own === undefined) byName.set(table.nameId(row), [row]);
      else own.push(row);
    }
    return [...byName.values()].flatMap((own) => this.#newest(own));
  }

  /** Of rows of one name: the newest versions of each stream. */
  #newest(rows: Iterable<Row>, arch?: string): Row[] {
    const { table, versions } = this.#context;
    const fitting = [...rows].filter((row) => this.#fits(row, arch)).sort((a, b) => table.compare(a, b));
    const seen = new Map<number, Set<string>>();
    return fitting.filter((row) => {
      const own = seen.get(table.stream(row)) ?? new Set();
      seen.set(table.stream(row), own);
      if (own.size >= versions && !own.has(table.version(row))) return false;
      own.add(table.version(row));
      return true;
    });
  }

  #fits(row: Row, arch = this.#rule.arch): boolean {
    const { table, eligible, basearch } = this.#context;
    const own = table.architecture(row);
    if (isSource(own) || !eligible.has(row)) return false;
    if (arch === undefined ? !isNative(basearch, own) : own !== arch) return false;
    if (this.#version === undefined) return true;
    const evr = parseEvr(table.version(row));
    // A plain version is meant of any epoch; a relation is as in Requires.
    const epoch = /^(?:[<=>]|\d+:)/.test(this.#rule.version ?? '') ? evr.epoch : '0';
    return rangesOverlap({ flags: 'EQ', ...evr, epoch }, this.#version);
  }

  #reasonFor(name: string, arch = this.#rule.arch): string {
    const { table, eligible } = this.#context;
    const id = table.names.find(name);
    const rows = id < 0 ? [] : [...table.rowsOf(id)].sort((a, b) => table.compare(a, b));
    const [newest] = rows;
    if (newest === undefined) {
      const provider = table.providersOf({ name }).next();
      return provider.done
        ? `no package ${name} here`
        : `${table.describe(provider.value)} provides it; ask for it by \`query:\``;
    }
    const refused = rows.every((row) => !eligible.has(row)) ? eligible.reason(newest) : '';
    const wanted = arch === undefined ? '' : ` for ${arch}`;
    return refused === '' ? `none fits${wanted}; newest here is ${table.describe(newest)}` : refused;
  }
}

/** Of each line the first reading that names a package here, or else the first. */
function* seedOf(file: string, { seeds, table }: RuleContext): Generator<RpmReading> {
  const text = seeds.get(file);
  if (text === undefined) throw new KubedosError('internal.bug', `match seed ${file}: its text was not given`);
  for (const { text: line } of parseRpmList(text, file)) {
    const readings = readingsOf(line);
    const isHere = ({ name }: RpmReading): boolean => {
      const id = table.names.find(name);
      return id >= 0 && table.rowsOf(id).next().done !== true;
    };
    yield readings.find(isHere) ?? { name: line };
  }
}

/** `1.22`, `1.22-3` or `>= 1.22`. */
function requirementOf(version: string): Capability {
  const text = /^[<=>]/.test(version) ? `x ${version}` : `x = ${version}`;
  return fromSpec(`version: ${version}`, () => parseDependency(text, 'version')) as Capability;
}

function fromSpec<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KubedosError('spec.invalid', `read rule ${what}: ${reason}`, { cause });
  }
}
