/** What a change of a local repository did to each package. */
import type { PackageEntry } from '../formats/apt/packages.ts';
import type { ManifestRef } from '../store/types.ts';

export interface RepoReport {
  readonly mirror: string;
  /** False: the head stands as it was. */
  readonly changed: boolean;
  readonly added: readonly ChangedPackage[];
  /** Were there already, with the same bytes. */
  readonly unchanged: readonly ChangedPackage[];
  /** Those that were replaced by force included. */
  readonly removed: readonly ChangedPackage[];
  readonly manifest: ManifestRef;
}

export interface ChangedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly path: string;
  readonly sha256: string;
}

/** What became of each package, by path (and by hash where one path may go and come). */
export class Outcome {
  readonly added = new Map<string, ChangedPackage>();
  readonly unchanged = new Map<string, ChangedPackage>();
  readonly removed = new Map<string, ChangedPackage>();

  remove({ name, version, architecture, path, digest }: PackageEntry): void {
    this.removed.set(`${path} ${digest.hex}`, { name, version, architecture, path, sha256: digest.hex });
  }

  keep(addition: ChangedPackage): void {
    this.unchanged.set(addition.path, addition);
  }

  report(mirror: string, manifest: ManifestRef, before: ManifestRef | undefined): RepoReport {
    const list = (map: ReadonlyMap<string, ChangedPackage>): ChangedPackage[] =>
      [...map.values()].map(({ name, version, architecture, path, sha256 }) => ({
        ...{ name, version, architecture, path, sha256 },
      }));
    return {
      mirror,
      changed: manifest.root !== before?.root,
      added: list(this.added),
      unchanged: list(this.unchanged),
      removed: list(this.removed),
      manifest,
    };
  }
}
