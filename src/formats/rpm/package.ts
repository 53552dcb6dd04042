/** A binary or source package as the metadata of a repository tells it (primary, filelists, other of createrepo_c). */

export interface Nevra {
  readonly name: string;
  /** `'0'` where there is none. */
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
  /** Of a source package `src`, also of one without its source (`nosrc`): as rpm and createrepo_c have it. */
  readonly arch: string;
}

export const DEPENDENCY_KINDS = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'suggests',
  'enhances',
  'recommends',
  'supplements',
] as const;

export type DependencyKind = (typeof DEPENDENCY_KINDS)[number];

export type Comparison = 'EQ' | 'LT' | 'GT' | 'LE' | 'GE';

/** One entry (`rpm:entry`): a capability, a file, or a rich dependency `(a or b)` in `name`. */
export interface Capability {
  readonly name: string;
  /** With a comparison there is an epoch (`'0'`), a version, and perhaps a release: or none of them in odd packages. */
  readonly flags?: Comparison | undefined;
  readonly epoch?: string | undefined;
  readonly version?: string | undefined;
  readonly release?: string | undefined;
  /** Of `requires`: needed by scriptlets before or after installation. */
  readonly pre?: boolean | undefined;
}

export type FileType = 'file' | 'dir' | 'ghost';

export interface PackagedFile {
  readonly path: string;
  readonly type: FileType;
}

export interface ChangelogEntry {
  /** `Name <mail> - version`, as rpm keeps it. */
  readonly author: string;
  /** Seconds since the epoch. */
  readonly date: number;
  readonly text: string;
}

/** What primary.xml tells, but the files. Texts are empty where the header has none. */
export interface PackageFacts extends Nevra {
  /** Checksum of the package file, in hex; the `pkgid` of filelists and other. */
  readonly pkgid: string;
  /** `sha256` and others; `sha` is SHA-1. */
  readonly checksumType: string;
  readonly summary: string;
  readonly description: string;
  readonly packager: string;
  readonly url: string;
  /** Modification time of the package file, in seconds. */
  readonly fileTime: number;
  /** In seconds. */
  readonly buildTime: number;
  /** In bytes. */
  readonly packageBytes: number;
  readonly installedBytes: number;
  readonly archiveBytes: number;
  /** From the root of the repository, or of `base`. As it stands: canonicalise before use. */
  readonly href: string;
  /** `xml:base`, where there is one. */
  readonly base?: string | undefined;
  readonly license: string;
  readonly vendor: string;
  readonly group: string;
  readonly buildHost: string;
  /** File name; empty for a source package, `(none)` for another that names none. */
  readonly sourceRpm: string;
  /** Where the header lies within the package file: offset of its first byte, and of the first byte behind it. */
  readonly headerRange: readonly [number, number];
  /** In the order of the header (or of the file). */
  readonly capabilities: Readonly<Partial<Record<DependencyKind, readonly Capability[]>>>;
}

/** `name-[epoch:]version-release.arch`, the epoch where it is not 0. */
export function showNevra(nevra: Nevra): string {
  return `${nevra.name}-${showEvr(nevra)}.${nevra.arch}`;
}

/** `[epoch:]version-release` */
export function showEvr({ epoch, version, release }: Nevra): string {
  return `${epoch === '0' ? '' : `${epoch}:`}${version}-${release}`;
}

/** Name of the source package; of a source package itself, its own. */
export function sourceName({ name, sourceRpm }: Pick<PackageFacts, 'name' | 'sourceRpm'>): string {
  return /^(.+)-[^-]+-[^-]+\.(?:no)?src\.rpm$/.exec(sourceRpm)?.[1] ?? name;
}
