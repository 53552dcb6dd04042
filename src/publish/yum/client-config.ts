/** What a client puts into /etc/yum.repos.d/ (dnf.conf(5), "REPO OPTIONS"). Pure. */
import { KubedosError } from '../../errors.ts';

export interface ClientRepository {
  /** Path in the mirror; empty for its root. */
  readonly folder: string;
  /** Is its repomd.xml signed. */
  readonly signedMetadata: boolean;
  /** Is each package signed. */
  readonly signedPackages: boolean;
}

export interface ClientRepositories {
  /** Of the mirror. */
  readonly name: string;
  /** Top folder of the mirror, ending in `/`: `http://host:8480/c/stable/rocky-9/`. */
  readonly url: string;
  /** Path in the mirror of the keys. */
  readonly keysFile: string;
  readonly repositories: readonly ClientRepository[];
}

/** A section each. `usage.argument` where the URL would break out of its line. */
export function clientRepositories({ name, url, keysFile, repositories }: ClientRepositories): string {
  if (!/^[^\s\p{Cc}]+$/u.test(url))
    throw new KubedosError('usage.argument', `write client configuration: ${JSON.stringify(url)} is no URL`);
  const sections = repositories.map(({ folder, signedMetadata, signedPackages }) => {
    const path = folder === '' ? '' : `${folder.split('/').map(encodeURIComponent).join('/')}/`;
    return [
      `[${sectionId(name, folder)}]`,
      `name=${name}${folder === '' ? '' : ` ${folder}`}`,
      `baseurl=${url}${path}`,
      'enabled=1',
      `gpgcheck=${Number(signedPackages)}`,
      `repo_gpgcheck=${Number(signedMetadata)}`,
      `gpgkey=${url}${keysFile}`,
      '',
    ].join('\n');
  });
  return [`# ${name}, by kubedos\n`, sections.join('\n')].join('');
}

/** dnf takes letters, digits, `-`, `_`, `.` and `:`. */
function sectionId(name: string, folder: string): string {
  return [name, ...folder.split('/').filter((part) => part !== '')].join('-').replaceAll(/[^A-Za-z0-9_.:-]/g, '_');
}
