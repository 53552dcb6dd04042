/** Where things lie in a mirror of rpm repositories. */
import { compressionOf } from '../compression.ts';
import type { RepomdRecord } from './repomd.ts';

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

/** By how quickly they unpack. */
const QUICKEST = ['zst', 'gz', 'none', 'zck', 'xz', 'bz2'];

/** The record of a type (`primary`) that is quickest to read, in whatever form it is listed (`primary_zck`). */
export function quickestRecord(records: readonly RepomdRecord[], type: string): RepomdRecord | undefined {
  const rank = ({ path }: RepomdRecord): number => QUICKEST.indexOf(compressionOf(path));
  return records
    .filter((record) => record.type === type || FORM.exec(record.type)?.[1] === type)
    .sort((a, b) => rank(a) - rank(b))[0];
}

const FORM = /^(.+)_(?:zck|gz|xz|zst|bz2)$/;
