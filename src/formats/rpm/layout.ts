/** Where things lie in a mirror of rpm repositories. */

/** Of a repomd.xml; real ones have some 5 KB. */
export const MAX_REPOMD_BYTES = 8 * 1024 * 1024;
/** Of a metalink or list of mirrors; Fedora's have some 100 KB. */
export const MAX_MIRRORS_BYTES = 4 * 1024 * 1024;

/** The keys of all who sign in a mirror, beside its repositories: `gpgkey=` of clients names it. */
export const KEYS_FILE = 'RPM-GPG-KEYS-kubedos.asc';

/** `repodata/repomd.xml` of a repository, as a path of the mirror; the folder is empty for its root. */
export function inFolder(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`;
}

/** The folder of the repository whose repomd.xml that is; `undefined` for any other path. */
export function repositoryOf(path: string): string | undefined {
  const match = /^(?:(.+)\/)?repodata\/repomd\.xml$/.exec(path);
  return match ? (match[1] ?? '') : undefined;
}
