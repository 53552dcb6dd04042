/** What is installed in a system, as its own dpkg has written it down (/var/lib/dpkg/status, deb822). Pure. */
import { parseStanzasOf } from '../formats/apt/deb822.ts';
import { parseDependencies, parseProvides } from '../formats/apt/dependency.ts';
import { type SourceName, sourceOf, token } from '../formats/apt/packages.ts';
import type { Stanza } from '../formats/apt/stanza.ts';
import { comparePaths } from '../formats/path.ts';
import type { Sha256 } from '../store/types.ts';

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: SourceName;
  /** `Name <mail>`. */
  readonly maintainer: string | undefined;
  /** Of the .deb that it came from, where a mirror has one of its name. */
  readonly sha256: Sha256 | undefined;
  /** Installed packages that its Depends and Pre-Depends come to: places in the list. */
  readonly dependsOn: readonly number[];
}

/** Sorted by name and architecture. `debs`: SHA-256 by file name, as `debFileName` makes it. */
export function installedPackages(status: Uint8Array, debs: ReadonlyMap<string, Sha256>): InstalledPackage[] {
  const stanzas = [...parseStanzasOf(status, ORIGIN)]
    .filter((stanza) => stanza.get('Status')?.split(' ')[2] === 'installed')
    .map((stanza) => ({
      stanza,
      name: token(stanza, 'Package', ORIGIN),
      architecture: stanza.get('Architecture') ?? '',
    }))
    .sort((a, b) => comparePaths(a.name, b.name) || comparePaths(a.architecture, b.architecture));
  const providers = providersOf(stanzas.map(({ stanza }) => stanza));
  return stanzas.map(({ stanza, name, architecture }, at) => {
    const version = token(stanza, 'Version', ORIGIN);
    return {
      name,
      version,
      architecture,
      source: sourceOf(stanza.get('Source'), name, version),
      maintainer: stanza.get('Maintainer'),
      sha256: debs.get(debFileName(name, version, architecture)),
      dependsOn: dependsOn(stanza, providers).filter((place) => place !== at),
    };
  });
}

const ORIGIN = '/var/lib/dpkg/status';

/** dpkg-name(1): without the epoch. */
export function debFileName(name: string, version: string, architecture: string): string {
  return `${name}_${version.replace(/^\d+:/, '')}_${architecture}.deb`;
}

/** Name → places of the packages that bear or provide it; those that bear it first. */
function providersOf(stanzas: readonly Stanza[]): ReadonlyMap<string, readonly number[]> {
  const providers = new Map<string, number[]>();
  const add = (name: string, at: number): void => {
    providers.set(name, [...(providers.get(name) ?? []), at]);
  };
  for (const [at, stanza] of stanzas.entries()) add(stanza.get('Package') ?? '', at);
  for (const [at, stanza] of stanzas.entries())
    for (const { name } of parseProvides(stanza.get('Provides') ?? '', ORIGIN)) add(name, at);
  return providers;
}

/** Of each demand the first alternative that is there: dpkg has held it against the versions. */
function dependsOn(stanza: Stanza, providers: ReadonlyMap<string, readonly number[]>): number[] {
  const places = ['Pre-Depends', 'Depends']
    .flatMap((field) => parseDependencies(stanza.get(field) ?? '', ORIGIN))
    .flatMap((alternatives) => alternatives.flatMap(({ name }) => providers.get(name)?.[0] ?? []).slice(0, 1));
  return [...new Set(places)].sort((a, b) => a - b);
}
