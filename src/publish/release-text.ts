/** The Release of a publication, as text. */
import type { Publication } from '../formats/apt/publication.ts';
import { writeRelease } from '../formats/apt/release.ts';
import { comparePaths } from '../formats/path.ts';
import type { ObjectRef } from '../store/types.ts';

/**
 * SHA256 alone: apt has read it since 2008 and demands it since 2016, debootstrap and mmdebstrap take it; MD5Sum and
 * SHA1 would only add by-hash copies under names that prove nothing.
 *
 * Packages of architecture `all` stand in the index of every architecture, as in Debian: all clients find them there.
 * `No-Support-for-Architecture-all: Packages` says so, lest newer clients ask for binary-all. Where the publication
 * does have an index for `all`, it is listed among the architectures and that field is left out.
 */
export function releaseText(publication: Publication, files: ReadonlyMap<string, ObjectRef>): string {
  const separateAll = publication.indexes.some(
    ({ kind, architecture }) => kind === 'Packages' && architecture === 'all',
  );
  const architectures = [...publication.architectures].sort(comparePaths);
  return writeRelease({
    origin: publication.origin,
    label: publication.label,
    suite: publication.suite,
    version: publication.version,
    codename: publication.codename,
    date: publication.date,
    validUntil: publication.validUntil,
    notAutomatic: publication.notAutomatic ?? false,
    butAutomaticUpgrades: publication.butAutomaticUpgrades ?? false,
    acquireByHash: true,
    noSupportForArchitectureAll: !separateAll,
    architectures: separateAll ? ['all', ...architectures] : architectures,
    components: publication.components,
    description: publication.description,
    files: new Map([...files].sort(([a], [b]) => comparePaths(a, b))),
    other: [],
  });
}
