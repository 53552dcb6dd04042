/** Where machines of an image get packages from. */
import { KubedosError } from '../errors.ts';
import type { SnapshotMirror } from '../store/types.ts';
import type { LayerDeps } from './layer.ts';
import type { PayloadEntry } from './payload.ts';
import type { RecipeChain } from './recipe-chain.ts';

export interface PackageSources {
  /** In the system. */
  readonly path: string;
  readonly text: string;
}

/** What Debian's public sources ask of a system: its path, and the package that brings it. */
export const PUBLIC_NEEDS: Readonly<Record<string, string>> = {
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
  '/etc/ssl/certs/ca-certificates.crt': 'ca-certificates',
};

/** None where the recipe has no `build:`. `spec.invalid` where machines of a darksite would not find a mirror. */
export async function packageSources(
  { sources }: Pick<LayerDeps, 'sources'>,
  of: {
    readonly chain: RecipeChain;
    /** Those of the chain. */
    readonly mirrors: readonly SnapshotMirror[];
    readonly payload: readonly PayloadEntry[];
  },
): Promise<PackageSources[]> {
  const { build, base } = of.chain;
  if (build === undefined) return [];
  const pathOf = (name: string): string =>
    base.distribution === 'debian' ? `/etc/apt/sources.list.d/${name}.sources` : `/etc/yum.repos.d/${name}.repo`;
  if (build.type === 'connected') return [{ path: pathOf(base.distribution), text: publicSources(of.chain) }];
  const texts: PackageSources[] = [];
  for (const mirror of of.mirrors) {
    const { name } = mirror;
    const embedded = of.payload.find((each) => each.mirror === name);
    if (embedded === undefined && build.url === undefined) throw nowhere(of.chain, name);
    const url = embedded === undefined ? `${build.url}${name}/` : `file://${embedded.at}/`;
    texts.push({ path: pathOf(name), text: await sources(mirror, url) });
  }
  return texts;
}

function nowhere({ levels }: RecipeChain, mirror: string): KubedosError {
  const file = levels.at(-1)?.file;
  return new KubedosError('spec.invalid', `${file}: build: darksite: machines would not find the mirror ${mirror}`, {
    hint: `say where it is served, \`build: { type: darksite, url: http://depot.example/c/stable/ }\` or --url; or let it travel along, \`payload: [{ mirror: ${mirror}, at: /srv/darksite/${mirror} }]\``,
  });
}

function publicSources({ base, levels }: RecipeChain): string {
  if (base.distribution === 'debian') return debianPublic(base.suite);
  throw new KubedosError('spec.invalid', `${levels.at(-1)?.file}: build: connected: each vendor has its own sources`, {
    hint: 'leave build: out, and put the .repo of the vendor below /etc/yum.repos.d/ by `files:`',
  });
}

function debianPublic(suite: string): string {
  const [keyring] = Object.keys(PUBLIC_NEEDS);
  const stanza = (url: string, ...suites: string[]): string =>
    `Types: deb\nURIs: ${url}\nSuites: ${suites.join(' ')}\nComponents: main\nSigned-By: ${keyring}\n`;
  return [
    stanza('https://ftp.debian.org/debian', suite, `${suite}-updates`),
    stanza('https://security.debian.org/debian-security', `${suite}-security`),
  ].join('\n');
}
