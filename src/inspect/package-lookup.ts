import { readDeb } from '../formats/apt/deb.ts';
import { type Nevra, showEvr } from '../formats/rpm/package.ts';
import { readRpmHeader } from '../formats/rpm/rpm-file.ts';
import type { ObjectStore, Sha256 } from '../store/types.ts';

export interface PackageIdentity {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** Tells which of these objects are packages; what it does not know is left out. */
export type LookupPackages = (
  objects: readonly { readonly sha256: Sha256; readonly path: string }[],
) => Promise<ReadonlyMap<Sha256, PackageIdentity>>;

/**
 * By the catalog, which answers at once, and where it does not know an object by reading the package itself. Names and
 * versions are never taken from file names, which have no epoch. A package that is damaged or gone is not known.
 */
export function packageLookup(
  objects: Pick<ObjectStore, 'open'>,
  catalog?: (sha256s: Iterable<Sha256>) => ReadonlyMap<Sha256, PackageIdentity>,
): LookupPackages {
  return async (wanted) => {
    const known = new Map<Sha256, PackageIdentity>(catalog?.(wanted.map(({ sha256 }) => sha256)));
    for (const { sha256, path } of wanted) {
      if (known.has(sha256)) continue;
      const identity = await readIdentity(objects, sha256, path);
      if (identity !== undefined) known.set(sha256, identity);
    }
    return known;
  };
}

function rpmIdentity(nevra: Nevra): PackageIdentity {
  return { name: nevra.name, version: showEvr(nevra), architecture: nevra.arch };
}

async function readIdentity(
  objects: Pick<ObjectStore, 'open'>,
  sha256: Sha256,
  path: string,
): Promise<PackageIdentity | undefined> {
  const content = await objects.open(sha256);
  if (content === undefined) return undefined;
  try {
    if (path.endsWith('.rpm')) return rpmIdentity((await readRpmHeader(content, path)).nevra);
    const { name, version, architecture } = await readDeb(content, path);
    return { name, version, architecture };
  } catch {
    // A comparison is no check of the store: `store scrub` finds damage. The file is compared as a file.
    return undefined;
  } finally {
    content.destroy();
  }
}
