/** Under which SHA-256 packages are listed that metadata names by another checksum: their bytes tell it. */
import { hash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import type { RpmChecksum } from '../../formats/rpm/repomd.ts';
import type { ManifestEntry, Sha256 } from '../../store/types.ts';
import { Meter } from '../meter.ts';
import { eachParallel } from '../parallel.ts';
import type { SyncRun } from '../run-sync.ts';
import { type HeldBefore, heldBefore } from './held-before.ts';
import type { ListedPackage } from './listed-packages.ts';
import { strongDigest } from './records.ts';
import { remotePath } from './repositories.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

const PARALLEL_FILES = 32;

export interface SummedPackage extends Pick<ListedPackage, 'path' | 'sizeBytes' | 'checksum'> {
  readonly state: RepositoryState;
  /** Where it is to lie, if not at `path`: what the list before has there may be the same. */
  readonly ownPath?: string;
}

/** Fetches what has no SHA-256, many at once, and tells how far it is. */
export class PackageSums {
  readonly #run: SyncRun<YumKind>;
  readonly #held: HeldBefore;
  /** Once there is something to fetch. */
  #meter: Meter | undefined;

  constructor(run: SyncRun<YumKind>) {
    this.#run = run;
    this.#held = heldBefore(run);
  }

  /**
   * Those of packages without one, by their checksum: see `sumOf`. Errors of strongDigest and Fetcher.file, but for a file
   * that upstream does not serve.
   */
  async of(packages: Iterable<SummedPackage>): Promise<Map<string, Sha256>> {
    const others = new Map<string, SummedPackage>();
    for (const each of packages) {
      const { algorithm, hex } = each.checksum;
      if (algorithm !== 'sha256' && !others.has(hex)) others.set(hex, each);
    }
    const sums = new Map<string, Sha256>();
    const options = { limit: PARALLEL_FILES, signal: this.#run.session.run.signal };
    await eachParallel(others, options, async ([hex, each], signal) => {
      sums.set(hex, await this.#sum(each, signal));
    });
    return sums;
  }

  async #sum(of: SummedPackage, signal: AbortSignal): Promise<Sha256> {
    const { path, sizeBytes, checksum, state } = of;
    const { session, space } = this.#run;
    const digest = strongDigest(checksum, path);
    const held = await this.#held(of.ownPath ?? path);
    // A dry run fetches no packages.
    if (session.options.dryRun) return held?.sizeBytes === sizeBytes ? held.sha256 : unknownSum(checksum);
    this.#meter ??= new Meter(session.run.onEvent, 'packages');
    const wish = { path: remotePath(state.request, path), sizeBytes, digest, urls: state.urls, held };
    try {
      const { sha256, fetched } = await space.source.bringByDigest(wish, { signal, onBytes: this.#meter.onBytes });
      if (fetched) this.#meter.file();
      return sha256;
    } catch (error) {
      // Asked for once more under this sum, it counts as missing like any other.
      if (error instanceof KubedosError && error.code === 'net.not-found') return unknownSum(checksum);
      throw error;
    }
  }
}

/** Of no file. */
function unknownSum({ algorithm, hex }: RpmChecksum): Sha256 {
  return hash('sha256', `${algorithm} ${hex}`, 'hex');
}

export function sumOf({ algorithm, hex }: RpmChecksum, sums: ReadonlyMap<string, Sha256>): Sha256 {
  return algorithm === 'sha256' ? hex : (sums.get(hex) ?? '');
}

/** Packages as they are listed in a verbatim mirror. */
export async function packageEntries(sums: PackageSums, packages: readonly SummedPackage[]): Promise<ManifestEntry[]> {
  const known = await sums.of(packages);
  return packages.map(({ path, sizeBytes, checksum }) => ({ path, sizeBytes, sha256: sumOf(checksum, known) }));
}
