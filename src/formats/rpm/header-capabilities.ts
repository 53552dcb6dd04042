/** What a package provides, requires and so on, as metadata tells it: some of what the header says is left out there. */
import type { RpmHeader } from './header.ts';
import { isPrimaryFile } from './metadata-text.ts';
import type { Capability, Comparison, DependencyKind, PackagedFile, PackageFacts } from './package.ts';
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

/** RPMSENSE_LESS, _GREATER and _EQUAL of rpmds.h. */
const COMPARISONS: Readonly<Record<number, Comparison>> = { 2: 'LT', 4: 'GT', 8: 'EQ', 10: 'LE', 12: 'GE' };
/** RPMSENSE_POSTTRANS, _PREREQ, _PRETRANS, _SCRIPT_PRE, _SCRIPT_POST. */
const PRE = (1 << 5) | (1 << 6) | (1 << 7) | (1 << 9) | (1 << 10);

export function capabilitiesOf(header: RpmHeader, files: readonly PackagedFile[]): PackageFacts['capabilities'] {
  const found: Partial<Record<DependencyKind, Capability[]>> = {};
  for (const [kind, tags] of Object.entries(KINDS) as [DependencyKind, Tags][]) {
    const list = readList(header, tags);
    if (list.length > 0) found[kind] = list.map(({ capability }) => capability);
  }
  const requires = neededOnes(readList(header, KINDS.requires), { provides: found.provides ?? [], files });
  if (requires.length > 0) found.requires = requires;
  else delete found.requires;
  return found;
}

interface Listed {
  readonly capability: Capability;
  readonly pre: boolean;
}

function readList(header: RpmHeader, tags: Tags): Listed[] {
  const flags = header.numbers(tags.flags);
  const versions = header.strings(tags.version);
  return header.strings(tags.name).flatMap((name, i) => {
    const sense = flags[i] ?? 0;
    const capability = capabilityOf(name.toString(), COMPARISONS[sense & 15], versions[i]?.toString() ?? '');
    return capability ? [{ capability, pre: (sense & PRE) !== 0 }] : [];
  });
}

/** None where the epoch is no number, as createrepo_c passes over those. */
function capabilityOf(name: string, flags: Comparison | undefined, evr: string): Capability | undefined {
  const [, epoch = '0', rest = ''] = /^(?:(\d*):)?(.*)$/s.exec(evr) ?? [];
  if (rest.includes(':') && !/^\d*:/.test(evr)) return undefined;
  if (name === '') return undefined;
  if (flags === undefined) return { name };
  const hyphen = rest.indexOf('-');
  const version = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const release = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  return { name, flags, epoch: epoch || '0', version, ...(release !== '' && { release }) };
}

/** Without what rpm itself provides, what the package does, and what is said twice; of libc the newest alone. */
function neededOnes(
  list: readonly Listed[],
  own: { readonly provides: readonly Capability[]; readonly files: readonly PackagedFile[] },
): Capability[] {
  const provided = new Set(own.provides.map(identity));
  const files = new Set(own.files.filter(isPrimaryFile).map(({ path }) => path));
  const lastOf = new Map<string, string>();
  const needed: Capability[] = [];
  let libc: Capability | undefined;
  for (const { capability, pre } of list) {
    const { name } = capability;
    if (name.startsWith('rpmlib(') || files.has(name) || provided.has(identity(capability))) continue;
    const key = `${identity(capability)} ${pre}`;
    if (lastOf.get(name) === key) continue;
    const wanted = pre ? { ...capability, pre } : capability;
    if (name.startsWith('libc.so.6')) {
      if (libc === undefined || isNewerLibc(name, libc.name)) libc = wanted;
      continue;
    }
    needed.push(wanted);
    lastOf.set(name, key);
  }
  return libc === undefined ? needed : [...needed, libc];
}

function identity({ name, flags, epoch = '', version = '', release = '' }: Capability): string {
  return JSON.stringify([name, flags ?? '', epoch, version, release]);
}

/** libc.so.6() < libc.so.6(GLIBC_2.3.4) < libc.so.6(GLIBC_2.4): by what stands in the first brackets from its first digit on. */
function isNewerLibc(name: string, than: string): boolean {
  const versionOf = (text: string): string | undefined => /\(([^)]*)\)/.exec(text)?.[1]?.replace(/^\D*/, '');
  const [a, b] = [versionOf(name), versionOf(than)];
  if (a === undefined || a === '') return false;
  return b === undefined || b === '' || compareVersionPart(a, b) > 0;
}
