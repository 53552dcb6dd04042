/** Where the files of a suite lie below the root of an archive. */
import { isFlatSuite } from '../../spec/apt-spec.ts';

/** The folder of its Release, with a slash at its end, or empty: `dists/bookworm/`; `` for the flat `./` and `/`. */
export function suiteFolder(suite: string): string {
  if (!isFlatSuite(suite)) return `dists/${suite}/`;
  return suite === '/' || suite === './' ? '' : suite;
}

/** `dists/bookworm/main/binary-amd64/` of `dists/bookworm/main/binary-amd64/Packages.xz`. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
