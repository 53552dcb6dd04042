/** Says what is missing, and what is there instead. */
import { formatDependencies, type Relation } from '../../../formats/apt/dependency.ts';
import type { Unmet } from '../../curate/closure.ts';
import type { Unresolved } from '../../curate/unresolved.ts';
import { parseGroup } from './choice.ts';
import { FOLLOWED } from './demands.ts';
import type { Eligible } from './eligible.ts';
import type { PackageTable, Row } from './package-table.ts';

interface Facts {
  readonly table: PackageTable;
  readonly eligible: Eligible;
  /** Of the mirror. */
  readonly architectures: readonly string[];
}

export function unmetDependency(unmet: Unmet, facts: Facts): Unresolved {
  const { table } = facts;
  const field = FOLLOWED[unmet.field] === 'Pre-Depends' ? 'Pre-Depends' : 'Depends';
  const wantedBy = table.describe(unmet.row);
  const reason = reasonFor(parseGroup(unmet.text, wantedBy), unmet.architecture, facts);
  const verb = field === 'Pre-Depends' ? 'pre-depends' : 'depends';
  return {
    wantedBy,
    field,
    wanted: unmet.text,
    architecture: unmet.architecture,
    reason,
    message: `${wantedBy} ${verb} on ${unmet.text}: ${reason}`,
  };
}

export function unmetRule(rule: string, alternatives: readonly Relation[], facts: Facts): Unresolved {
  const wanted = formatDependencies([alternatives]);
  const reason = reasonFor(alternatives, undefined, facts);
  const message = `rule (${rule}) names ${wanted}: ${reason}`;
  return { wantedBy: rule, field: 'rule', wanted, architecture: null, reason, message };
}

function reasonFor(alternatives: readonly Relation[], architecture: string | undefined, facts: Facts): string {
  return alternatives.map((relation) => reasonForOne(relation, architecture, facts)).join('; ');
}

/** `architecture` is undefined for what a rule names for any of the mirror's. */
function reasonForOne(relation: Relation, architecture: string | undefined, facts: Facts): string {
  const { table, eligible, architectures } = facts;
  const { name, archQualifier } = relation;
  if (eligible.excludes(name)) return `${name} is excluded`;
  const id = table.names.find(name);
  const rows = id < 0 ? [] : [...table.rowsOf(id)].sort((a, b) => table.compare(a, b));
  const providers = id < 0 ? [] : [...table.providersOf(id)].sort((a, b) => table.compare(a.row, b.row));
  if (rows.length === 0 && providers.length === 0) return `no package ${name} here`;
  const wanted = archQualifier === undefined || archQualifier === 'any' ? architecture : archQualifier;
  if (wanted !== undefined && wanted !== 'all' && !architectures.includes(wanted))
    return `${wanted} is no architecture of this mirror`;
  const fits = (row: Row) => wanted === undefined || [wanted, 'all'].includes(table.architecture(row));
  const own = rows.filter(fits);
  const [newest] = own;
  if (newest !== undefined) {
    if (archQualifier === 'any' && own.every((row) => table.multiArch(row) !== 'allowed'))
      return `${name} here is not Multi-Arch: allowed`;
    return `newest ${name} here is ${table.version(newest)}`;
  }
  if (rows.length > 0) return `${name} is here for ${architecturesOf(table, rows)} only`;
  const able = providers.filter(({ row }) => fits(row));
  if (able.length === 0) {
    const others = providers.map(({ row }) => row);
    return `${name} is provided for ${architecturesOf(table, others)} only`;
  }
  const usable = able.find(({ row }) => eligible.has(row));
  if (usable === undefined) return `every provider of ${name} is excluded`;
  const by = `${table.name(usable.row)} ${table.version(usable.row)}`;
  if (relation.version === undefined) return `${name} is virtual (provided by ${by}); ask for it by \`query:\``;
  const as = usable.version === undefined ? 'without a version' : `as ${usable.version}`;
  return `${by} provides ${name} ${as}`;
}

function architecturesOf(table: PackageTable, rows: readonly Row[]): string {
  return [...new Set(rows.map((row) => table.architecture(row)))].sort().join(', ');
}
