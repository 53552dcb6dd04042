/** The Release of a publication, as text. */
import { Stanza } from '../formats/apt/deb822.ts';
import type { Publication } from '../formats/apt/publication.ts';
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
  const fields: Readonly<Record<string, string | undefined>> = {
    Origin: publication.origin,
    Label: publication.label,
    Suite: publication.suite,
    Version: publication.version,
    Codename: publication.codename,
    Date: releaseDate(publication.date),
    'Valid-Until': publication.validUntil && releaseDate(publication.validUntil),
    NotAutomatic: publication.notAutomatic ? 'yes' : undefined,
    ButAutomaticUpgrades: publication.butAutomaticUpgrades ? 'yes' : undefined,
    'Acquire-By-Hash': 'yes',
    'No-Support-for-Architecture-all': separateAll ? undefined : 'Packages',
    Architectures: (separateAll ? ['all', ...architectures] : architectures).join(' '),
    Components: publication.components.join(' '),
    Description: publication.description,
    SHA256: filesField(files),
  };
  const present = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  return Stanza.of(present).raw.toString();
}

/** "Tue, 24 Nov 2026 20:49:29 UTC" */
export function releaseDate(date: Date): string {
  return date.toUTCString().replace('GMT', 'UTC');
}

function filesField(files: ReadonlyMap<string, ObjectRef>): string {
  const sorted = [...files].sort(([a], [b]) => comparePaths(a, b));
  return sorted
    .map(([path, { sha256, sizeBytes }]) => `\n ${sha256} ${String(sizeBytes).padStart(9)} ${path}`)
    .join('');
}
