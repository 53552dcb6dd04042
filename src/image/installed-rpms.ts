/** What is installed in a system of the RHEL family, as its rpm has written it down. Pure. */
import { comparePaths } from '../formats/path.ts';
import type { Sha256 } from '../store/types.ts';
import type { InstalledPackage } from './installed-packages.ts';

/** For `rpm --queryformat`: a tab between the fields. */
export const RPM_FIELDS = ['NAME', 'EPOCHNUM', 'VERSION', 'RELEASE', 'ARCH', 'SOURCERPM', 'VENDOR']
  .map((tag) => `%{${tag}}`)
  .join('\\t');

/** Sorted by name and architecture. `rpms`: SHA-256 by file name. Keys, which rpm lists as packages, are left out. */
export function installedRpms(answer: string, rpms: ReadonlyMap<string, Sha256>): InstalledPackage[] {
  return answer
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('gpg-pubkey\t'))
    .map((line) => installedRpm(line.split('\t'), rpms))
    .sort((a, b) => comparePaths(a.name, b.name) || comparePaths(a.architecture, b.architecture));
}

function installedRpm(fields: readonly string[], rpms: ReadonlyMap<string, Sha256>): InstalledPackage {
  const [name = '', epoch = '0', version = '', release = '', architecture = '', source = '', vendor = ''] = fields;
  const [, sourceName = name, sourceVersion = `${version}-${release}`] =
    /^(.+)-([^-]+-[^-]+)\.[^.]+\.rpm$/.exec(source) ?? [];
  return {
    name,
    version: `${epoch === '0' ? '' : `${epoch}:`}${version}-${release}`,
    architecture,
    source: { name: sourceName, version: sourceVersion },
    maintainer: vendor === '(none)' ? undefined : vendor,
    sha256: rpms.get(`${name}-${version}-${release}.${architecture}.rpm`),
    dependsOn: [],
  };
}
