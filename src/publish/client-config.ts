/** What a client pastes into /etc/apt/sources.list.d/: deb822 sources with the key inside (sources.list(5)). Pure. */
import { KubedosError } from '../errors.ts';
import { comparePaths } from '../formats/path.ts';

/** How apt names one suite of a repository. */
export interface SuiteLayout {
  /** `bookworm`, `stable/rolling`; ends in `/` for a flat repository, which has neither components nor architectures. */
  readonly suite: string;
  readonly components: readonly string[];
  /** Without `all`. Empty: the client's own. */
  readonly architectures: readonly string[];
  /** Is there an index of source packages. */
  readonly sources: boolean;
}

export interface SuiteSource extends SuiteLayout {
  /** Public key block, ASCII-armoured: whose signature apt is to accept. */
  readonly key: string;
}

export interface ClientSources {
  /** Becomes the first line. */
  readonly comment?: string | undefined;
  /** Top folder of the repository: `http://host:8080/c/stable/debian/`. */
  readonly url: string;
  readonly suites: readonly SuiteSource[];
  /** False for verbatim mirrors: the Valid-Until of the upstream runs out while the mirror stays as it is. */
  readonly checkValidUntil: boolean;
}

/** One stanza for all suites that have everything else in common, by-components and keys; in the order given. */
export function clientSources({ comment, url, suites, checkValidUntil }: ClientSources): string {
  const groups = new Map<string, { readonly first: SuiteSource; readonly names: string[] }>();
  for (const suite of suites) {
    const same = JSON.stringify([suite.components, suite.architectures, suite.sources, suite.key]);
    const group = groups.get(same);
    if (group === undefined) groups.set(same, { first: suite, names: [suite.suite] });
    else group.names.push(suite.suite);
  }
  const stanzas = [...groups.values()].map(({ first, names }) =>
    [
      field('Types', first.sources ? ['deb', 'deb-src'] : ['deb']),
      field('URIs', [url]),
      field('Suites', names),
      field('Components', [...first.components].sort(mainFirst)),
      field('Architectures', first.architectures),
      checkValidUntil ? '' : field('Check-Valid-Until', ['no']),
      `Signed-By:\n${embedded(first.key)}`,
    ].join(''),
  );
  const head = comment === undefined ? '' : `# ${oneLine(comment)}\n`;
  return head + stanzas.join('\n');
}

function field(name: string, values: readonly string[]): string {
  const words = values.map((value) => word(name, value));
  return words.length === 0 ? '' : `${name}: ${words.join(' ')}\n`;
}

/** A value with white space would become several, one with a newline another field. */
function word(name: string, value: string): string {
  if (/^[^\s\p{Cc}]+$/u.test(value)) return value;
  throw new KubedosError('usage.argument', `write client configuration: ${name} ${JSON.stringify(value)} is no word`);
}

/** A continuation line each, with `.` for the blank one between the header and the key. */
function embedded(key: string): string {
  const lines = key.trim().split(/\r?\n/);
  if (!lines[0]?.startsWith('-----BEGIN PGP PUBLIC KEY BLOCK')) {
    throw new KubedosError('trust.no-key', 'write client configuration: expected an ASCII-armoured public key', {
      hint: 'sync the mirror again: its keyring is kept with it',
    });
  }
  return lines.map((line) => ` ${line.trim() === '' ? '.' : line.trimEnd()}\n`).join('');
}

function mainFirst(a: string, b: string): number {
  return Number(b === 'main') - Number(a === 'main') || comparePaths(a, b);
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}
