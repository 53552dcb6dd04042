/** What a package provides, requires and so on, as metadata tells it: some of what the header says is left out there. */
import { type RpmHeader, readable } from './header.ts';
import { isPrimaryFile } from './metadata-text.ts';
import {
  type Capability,
  type Comparison,
  DEPENDENCY_KINDS,
  type DependencyKind,
  type PackagedFile,
  type PackageFacts,
} from './package.ts';
import type { RpmFile } from './rpm-file.ts';
import { TAG } from './tags.ts';
import { compareVersionPart } from './version.ts';

interface Tags {
  readonly name: number;
  readonly flags: number;
  readonly version: number;
}

const KINDS: Readonly<Record<DependencyKind, Tags>> = {
  provides: { name: TAG.provideName, flags: TAG.provideFlags, version: TAG.provideVersion },
  requires: { name: TAG.requireName, flags: TAG.requireFlags, version: TAG.requireVersion },
  conflicts: { name: TAG.conflictName, flags: TAG.conflictFlags, version: TAG.conflictVersion },
  obsoletes: { name: TAG.obsoleteName, flags: TAG.obsoleteFlags, version: TAG.obsoleteVersion },
  suggests: { name: TAG.suggestName, flags: TAG.suggestFlags, version: TAG.suggestVersion },
  enhances: { name: TAG.enhanceName, flags: TAG.enhanceFlags, version: TAG.enhanceVersion },
  recommends: { name: TAG.recommendName, flags: TAG.recommendFlags, version: TAG.recommendVersion },
  supplements: { name: TAG.supplementName, flags: TAG.supplementFlags, version: TAG.supplementVersion },
};

/** Of SUSE before rpm 4.12: weak ones and strong ones in one list, told apart by a flag. */
const OLD_KINDS: readonly { readonly tags: Tags; readonly weak: DependencyKind; readonly strong: DependencyKind }[] = [
  {
    tags: { name: TAG.oldSuggestName, flags: TAG.oldSuggestFlags, version: TAG.oldSuggestVersion },
    weak: 'suggests',
    strong: 'recommends',
  },
  {
    tags: { name: TAG.oldEnhanceName, flags: TAG.oldEnhanceFlags, version: TAG.oldEnhanceVersion },
    weak: 'enhances',
    strong: 'supplements',
  },
];

/** RPMSENSE_LESS, _GREATER and _EQUAL of rpmds.h. */
const COMPARISONS: Readonly<Record<number, Comparison>> = { 2: 'LT', 4: 'GT', 8: 'EQ', 10: 'LE', 12: 'GE' };
const EQUAL = 8;
/** RPMSENSE_POSTTRANS, _PREREQ, _PRETRANS, _SCRIPT_PRE, _SCRIPT_POST. */
const PRE = (1 << 5) | (1 << 6) | (1 << 7) | (1 << 9) | (1 << 10);
/** RPMSENSE_MISSINGOK: required by old packages that do without. */
const MISSING_OK = 1 << 19;
/** RPMSENSE_STRONG. */
const STRONG = 1 << 27;

interface Listed {
  readonly capability: Capability;
  readonly sense: number;
  /** The bytes of the name, and those of the version with its comparison: `= 1` and `= 0:1` are two. */
  readonly name: string;
  readonly range: string;
}

type Lists = Record<DependencyKind, Listed[]>;

export function capabilitiesOf(file: RpmFile, files: readonly PackagedFile[]): PackageFacts['capabilities'] {
  const { header } = file;
  const lists = Object.fromEntries(DEPENDENCY_KINDS.map((kind) => [kind, readList(header, KINDS[kind])])) as Lists;
  lists.provides.push(...ownProvides(file));
  const { needed, optional } = requirements(lists, files);
  lists.requires = needed;
  lists.recommends.unshift(...optional);
  for (const { tags, weak, strong } of OLD_KINDS)
    for (const each of readList(header, tags)) lists[each.sense & STRONG ? strong : weak].push(each);
  const found: Partial<Record<DependencyKind, readonly Capability[]>> = {};
  for (const kind of DEPENDENCY_KINDS)
    if (lists[kind].length > 0) found[kind] = lists[kind].map(({ capability }) => capability);
  return found;
}

function readList(header: RpmHeader, tags: Tags): Listed[] {
  const flags = header.numbers(tags.flags);
  const versions = header.strings(tags.version);
  return header.strings(tags.name).flatMap((name, i) => listed(name, flags[i] ?? 0, versions[i] ?? Buffer.alloc(0)));
}

/** Before rpm 4 packages did not say that they provide themselves; rpm adds it to what it reads. */
function ownProvides({ header, nevra }: RpmFile): Listed[] {
  const { name, epoch, version, release, arch } = nevra;
  if (header.has(TAG.headerImmutable) || arch === 'src') return [];
  const evr = `${header.has(TAG.epoch) ? `${epoch}:` : ''}${version}-${release}`;
  return listed(Buffer.from(name), EQUAL, Buffer.from(evr));
}

function listed(name: Buffer, sense: number, version: Buffer): Listed[] {
  const comparison = COMPARISONS[sense & 15];
  const capability = capabilityOf(readable(name), comparison, readable(version));
  const range = `${comparison ?? ''} ${version.toString('latin1')}`;
  return capability ? [{ capability, sense, name: name.toString('latin1'), range }] : [];
}

/** None where the epoch is no number, as createrepo_c passes over those. */
function capabilityOf(name: string, flags: Comparison | undefined, evr: string): Capability | undefined {
  const [, epoch = '0', rest = ''] = /^(?:(\d*):)?(.*)$/s.exec(evr) ?? [];
  if (rest.includes(':') && !/^\d*:/.test(evr)) return undefined;
  if (name === '') return undefined;
  if (flags === undefined) return { name };
  if (evr === '') return { name, flags };
  const hyphen = rest.indexOf('-');
  const version = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const release = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  return { name, flags, epoch: epoch || '0', version, ...(release !== '' && { release }) };
}

/** Without what rpm itself provides, what the package does, and what is said twice; of libc the newest alone, at the end. */
function requirements(
  { requires, provides }: Lists,
  files: readonly PackagedFile[],
): { readonly needed: Listed[]; readonly optional: Listed[] } {
  const provided = new Set(provides.map(identity));
  const own = new Set(files.filter(isPrimaryFile).map(({ path }) => path));
  const lastOf = new Map<string, string>();
  const needed: Listed[] = [];
  const optional: Listed[] = [];
  let libc: Listed | undefined;
  for (const each of requires) {
    const { name } = each.capability;
    if (name.startsWith('rpmlib(') || own.has(name) || provided.has(identity(each))) continue;
    const pre = (each.sense & PRE) !== 0;
    const key = `${each.range} ${pre}`;
    if (lastOf.get(each.name) === key) continue;
    const wanted = pre ? { ...each, capability: { ...each.capability, pre } } : each;
    if ((each.sense & MISSING_OK) !== 0) optional.push(each);
    else if (name.startsWith('libc.so.6')) {
      if (libc === undefined || isNewerLibc(name, libc.capability.name)) libc = wanted;
    } else {
      needed.push(wanted);
      lastOf.set(each.name, key);
    }
  }
  return { needed: libc === undefined ? needed : [...needed, libc], optional };
}

const identity = ({ name, range }: Listed): string => `${name}\n${range}`;

function isNewerLibc(name: string, than: string): boolean {
  const [a, b] = [libcRank(name), libcRank(than)];
  return a.rank === b.rank ? compareVersionPart(a.version, b.version) > 0 : a.rank > b.rank;
}

/**
 * `libc.so.6` < `libc.so.6(` < `libc.so.6()` < `libc.so.6(GLIBC_PRIVATE)` < `libc.so.6(GLIBC_2.3.4)` < `libc.so.6(GLIBC_2.4)`:
 * by what stands in the first brackets from its first digit on.
 */
function libcRank(name: string): { readonly rank: number; readonly version: string } {
  const within = /\(([^)]*)\)/.exec(name)?.[1];
  if (within === undefined) return { rank: name.includes('(') ? 1 : 0, version: '' };
  const version = within.replace(/^\D*/, '');
  return { rank: within === '' ? 2 : version === '' ? 3 : 4, version };
}
