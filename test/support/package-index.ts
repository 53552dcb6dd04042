/** Packages indexes in memory, of packages that have no files. */
import { hash } from 'node:crypto';
import { type Field, Stanza } from '../../src/formats/apt/deb822.ts';

export interface IndexPackage {
  readonly name: string;
  /** Default 1.0. */
  readonly version?: string;
  /** Default amd64. */
  readonly architecture?: string;
  /** Further fields by their names, empty ones left out: `{ Depends: 'libc6 (>= 2.36)', Essential: 'yes' }`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Another value gives other bytes, and so another digest. */
  readonly content?: string;
}

export function packageStanza({
  name,
  version = '1.0',
  architecture = 'amd64',
  fields = {},
  content = '',
}: IndexPackage): Stanza {
  const identity = `${name}_${version.replace(/^\d+:/, '')}_${architecture}`;
  const own: Field[] = [
    { name: 'Package', value: name },
    { name: 'Version', value: version },
    { name: 'Architecture', value: architecture },
    ...Object.entries(fields)
      .filter(([, value]) => value !== '')
      .map(([field, value]) => ({ name: field, value })),
    { name: 'Filename', value: `pool/main/${name}/${identity}.deb` },
    { name: 'Size', value: '1000' },
    { name: 'SHA256', value: hash('sha256', `${identity} ${content}`) },
  ];
  return Stanza.of(own);
}

export function packageIndex(packages: readonly IndexPackage[]): Buffer {
  return Buffer.concat(packages.flatMap((one) => [packageStanza(one).raw, Buffer.from('\n')]));
}
