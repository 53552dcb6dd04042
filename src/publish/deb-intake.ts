/** Takes a .deb into the store and finds its place in a repository. */
import { KubedosError } from '../errors.ts';
import { packagesStanza, readDeb } from '../formats/apt/deb.ts';
import { sourceOf } from '../formats/apt/packages.ts';
import { parseVersion } from '../formats/apt/version.ts';
import type { ByteSource } from '../formats/byte-source.ts';
import { canonicalPath } from '../formats/path.ts';
import type { ObjectStore } from '../store/types.ts';
import { storeReading } from './intake.ts';
import type { Addition } from './merge-index.ts';

export interface NewPackage {
  /** For messages: a file, or what the client called it. */
  readonly origin: string;
  readonly source: ByteSource;
  /** Default: the first of the repository. */
  readonly component?: string | undefined;
}

/** Debian Policy 5.6.1, and the upper case that third parties use. */
const PACKAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/;
const ARCHITECTURE = /^[a-z0-9][a-z0-9-]*$/;

export async function takeInDeb(
  objects: ObjectStore,
  { origin, source, component }: NewPackage & { readonly component: string },
): Promise<Addition> {
  const { ref, content: deb } = await storeReading(objects, { source, origin }, readDeb);
  const { name, version, architecture } = deb;
  const packageSource = sourceOf(deb.control.get('Source'), name, version).name;
  for (const [field, value, form] of [
    ['Package', name, PACKAGE_NAME],
    ['Source', packageSource, PACKAGE_NAME],
    ['Architecture', architecture, ARCHITECTURE],
  ] as const) {
    if (!form.test(value))
      throw new KubedosError('format.syntax', `add ${origin}: ${field} ${JSON.stringify(value)} is not a plain name`);
  }
  const path = poolPath({ component, source: packageSource, name, version, architecture }, origin);
  const stanza = packagesStanza(deb.control, { path, ...ref }).raw;
  return { name, version, architecture, component, path, ...ref, stanza };
}

/** `pool/main/libf/libfoo/libfoo1_1.0-1_amd64.deb`: by source package, without the epoch, as archives do. */
function poolPath(
  place: {
    readonly component: string;
    readonly source: string;
    readonly name: string;
    readonly version: string;
    readonly architecture: string;
  },
  origin: string,
): string {
  const { component, source, name, version, architecture } = place;
  parseVersion(version, origin);
  const prefix = source.slice(0, source.startsWith('lib') ? 4 : 1);
  const file = `${name}_${version.replace(/^[0-9]+:/, '')}_${architecture}.deb`;
  return canonicalPath(`pool/${component}/${prefix}/${source}/${file}`, origin);
}
