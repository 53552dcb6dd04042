import type { ToolAnswer } from '../exec/run.ts';
import type { ListedPackage } from '../formats/apt/package-list.ts';

/** A host by what it has installed, or should have. */
export interface HostList {
  /** For people: a host or file name. */
  readonly name: string;
  readonly packages: readonly ListedPackage[];
  /** The host's own; default: the one that most of its list has, else the check's default. */
  readonly architecture?: string | undefined;
}

/** Runs apt-get or apt-cache with this configuration file in the place of the machine's own, in the C locale. */
export type RunApt = (
  tool: 'apt-get' | 'apt-cache',
  args: readonly string[],
  options: { readonly configFile: string; readonly signal?: AbortSignal | undefined },
) => Promise<ToolAnswer>;

/** Runs dnf in the C locale. */
export type RunDnf = (
  args: readonly string[],
  options: { readonly signal?: AbortSignal | undefined },
) => Promise<ToolAnswer>;

export interface MissingVersion {
  readonly name: string;
  readonly wanted: string;
  /** Versions that are there, newest first. */
  readonly here: readonly string[];
}

export interface HostResult {
  readonly host: string;
  readonly architecture: string;
  /** Every listed package is there, in the version where one is demanded, and apt or dnf would install them all together. */
  readonly resolves: boolean;
  /** How many the list names. */
  readonly listed: number;
  /** How many apt or dnf would install from nothing, with what the list needs; null where it cannot. */
  readonly installs: number | null;
  /** Not there at all: `name` or `name:arch`, or the line of an rpm host; sorted. */
  readonly missing: readonly string[];
  /** Demanded by `name=version` and not there: sorted by name. */
  readonly missingVersions: readonly MissingVersion[];
  /** Installed on the host in a version that is not there (it would get another): sorted by name. */
  readonly otherVersions: readonly MissingVersion[];
  /** What apt or dnf says of dependencies that it cannot meet, a line each. */
  readonly problems: readonly string[];
}

export interface DarksiteReport {
  readonly resolves: boolean;
  /** In the order given. */
  readonly hosts: readonly HostResult[];
}
