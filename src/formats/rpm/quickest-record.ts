import { compressionOf } from '../compression.ts';
import type { RepomdRecord } from './repomd.ts';

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
