import { KubedosError } from '../../errors.ts';
import type { ListedPackage } from '../../formats/apt/package-list.ts';
import { compareVersions } from '../../formats/apt/version.ts';
import { lastLines } from '../each-host.ts';
import type { AptRoot } from './apt-root.ts';

/** Names a call: argument lists have an end. */
const BATCH = 1000;

/** The versions that apt sees, by name and architecture. */
export class Availability {
  readonly #versions = new Map<string, Set<string>>();

  static async read(root: AptRoot, names: Iterable<string>, signal?: AbortSignal | undefined): Promise<Availability> {
    const availability = new Availability();
    const all = [...new Set(names)];
    for (let at = 0; at < all.length; at += BATCH) {
      const { status, stdout, stderr } = await root.run('apt-cache', ['madison', ...all.slice(at, at + BATCH)], signal);
      if (status !== 0) throw new KubedosError('exec.failed', `list versions with apt-cache: ${lastLines(stderr)}`);
      for (const line of stdout.split('\n')) availability.#addLine(line);
    }
    return availability;
  }

  /** Newest first; empty where the package is not there. */
  versions(name: string, architecture: string): string[] {
    const found = new Set<string>();
    for (const key of [`${name}:${architecture}`, `${name}:all`, `${name}:`])
      for (const version of this.#versions.get(key) ?? []) found.add(version);
    return [...found].sort((a, b) => compareVersions(b, a));
  }

  /**
   * ` bash | 5.2.15-2+b13 | http://host/debian bookworm/main amd64 Packages`: of a foreign architecture the name says
   * so too (`libc6:i386`); flat repositories name no architecture.
   */
  #addLine(line: string): void {
    const [name, version, source] = line.split('|').map((part) => part.trim());
    if (name === undefined || version === undefined || source === undefined) return;
    const [, , architecture = ''] = source.replace(/ Packages$/, '').split(' ');
    const key = name.includes(':') ? name : `${name}:${architecture}`;
    const versions = this.#versions.get(key) ?? new Set();
    this.#versions.set(key, versions.add(version));
  }
}

/** As apt names it on a command line of a host of that architecture. */
export function aptName({ name, architecture }: ListedPackage, native: string): string {
  return architecture === undefined || architecture === native ? name : `${name}:${architecture}`;
}
