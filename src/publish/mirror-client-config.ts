/** The client's lines for a mirror as it stands in a snapshot or head. */
import { KubedosError } from '../errors.ts';
import { KEYS_FILE } from '../formats/rpm/layout.ts';
import type { Evidence, MirrorForm, ObjectStore, RepositoryKind, Sha256 } from '../store/types.ts';
import { clientSources } from './client-config.ts';
import { MAX_KEYRING_BYTES } from './stored-file.ts';
import { suiteLayouts } from './suite-layouts.ts';
import { clientRepositories } from './yum/client-config.ts';
import { mirrorRepositories } from './yum/repositories.ts';

export interface ClientConfigDeps {
  readonly objects: ObjectStore;
  /** ASCII-armoured public keys of who signs what is curated and local. */
  readonly listKeys: () => Promise<string>;
}

export interface ClientConfig {
  readonly fileName: string;
  /** Where the client puts it. */
  readonly path: string;
  readonly text: string;
}

export interface ConfiguredMirror {
  readonly name: string;
  readonly kind: RepositoryKind;
  readonly form: MirrorForm;
  readonly manifest: { readonly root: Sha256 };
  readonly evidence: readonly Evidence[];
}

/** A `.sources` or `.repo` file; undefined for what is no repository. `trust.no-key` where a verbatim mirror came without a keyring. */
export async function mirrorClientConfig(
  { objects, listKeys }: ClientConfigDeps,
  mirror: ConfiguredMirror,
  url: string,
): Promise<ClientConfig | undefined> {
  if (mirror.kind === 'yum') return repoFile(objects, mirror, url);
  if (mirror.kind !== 'apt') return undefined;
  const layouts = await suiteLayouts(objects, mirror.manifest.root);
  if (layouts.length === 0) return undefined;
  const verbatim = mirror.form === 'verbatim';
  const suites = [];
  for (const layout of layouts) {
    const key = verbatim ? await upstreamKey(objects, mirror, layout.suite) : await listKeys();
    suites.push({ ...layout, key });
  }
  const fileName = `${mirror.name}.sources`;
  const text = clientSources({ comment: `${mirror.name}, by kubedos`, url, suites, checkValidUntil: !verbatim });
  return { fileName, path: `/etc/apt/sources.list.d/${fileName}`, text };
}

async function repoFile(
  objects: ObjectStore,
  mirror: ConfiguredMirror,
  url: string,
): Promise<ClientConfig | undefined> {
  const found = await mirrorRepositories(objects, mirror.manifest.root);
  if (found.length === 0) return undefined;
  const repositories = found.map(({ folder }) => ({ folder, ...signedParts(mirror, folder) }));
  const fileName = `${mirror.name}.repo`;
  const text = clientRepositories({ name: mirror.name, url, keysFile: KEYS_FILE, repositories });
  return { fileName, path: `/etc/yum.repos.d/${fileName}`, text };
}

/** Packages of a local repository are signed by their makers, if at all: its signed metadata vouches for them. */
function signedParts({ form, evidence }: ConfiguredMirror, folder: string) {
  const has = (own: Evidence | undefined, part: 'metadata' | 'packages'): boolean =>
    own?.verified?.includes(part) === true;
  if (form !== 'verbatim')
    return {
      signedMetadata: true,
      signedPackages: evidence.length > 0 && evidence.every((each) => has(each, 'packages')),
    };
  const own = evidence.find(({ source }) => source.endsWith(` ${folder || '.'}`)) ?? evidence[0];
  return { signedMetadata: own?.verified === undefined || has(own, 'metadata'), signedPackages: has(own, 'packages') };
}

/** That of the evidence for the suite ("https://host/debian bookworm"); of the mirror's first where none is so named. */
async function upstreamKey(objects: ObjectStore, { name, evidence }: ConfiguredMirror, suite: string): Promise<string> {
  const own = evidence.find(({ source }) => sameSuite(source.slice(source.lastIndexOf(' ') + 1), suite));
  const keyring = (own ?? evidence[0])?.keyring;
  const bytes = keyring ? await objects.read(keyring, MAX_KEYRING_BYTES) : undefined;
  if (bytes !== undefined) return bytes.toString();
  throw new KubedosError('trust.no-key', `configure clients of ${name}: the keyring of ${suite} is not in the store`, {
    hint: 'sync the mirror again: its keyring is kept with it',
  });
}

/** `/` and `./` are one. */
function sameSuite(a: string, b: string): boolean {
  const plain = (suite: string) => suite.replace(/^(?:\.\/|\/)+/, '');
  return plain(a) === plain(b);
}
