/** The files of a signed apt archive, as a map from path to bytes: a pure function of its description. */
import { hash } from 'node:crypto';
import {
  buildDeb,
  buildSource,
  controlText,
  type FakeCompression,
  type FakePackage,
  type FakeSource,
  pack,
} from './fake-deb.ts';
import type { FakeKey } from './fake-key.ts';

export type FakeFiles = Map<string, Buffer>;

export interface FakeComponent {
  readonly packages?: readonly FakePackage[];
  readonly sources?: readonly FakeSource[];
  readonly udebs?: readonly FakePackage[];
  /** language → package → long description; listed as i18n/Translation-LANGUAGE. */
  readonly translations?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Further files below dists/SUITE/COMPONENT/, listed in the Release: Contents-amd64.gz, dep11/…, installer images' SHA256SUMS. */
  readonly extra?: Readonly<Record<string, string | Uint8Array>>;
}

export interface FakeSuite {
  /** `bookworm`, `stable/updates`; `./`, `/` or `folder/` for a flat repository (then the component's name is of no effect). */
  readonly suite: string;
  readonly codename?: string;
  readonly components: Readonly<Record<string, FakeComponent>>;
  /** Default [amd64]. */
  readonly architectures?: readonly string[];
  readonly date: Date;
  readonly validUntil?: Date;
  /** Acquire-By-Hash; default true, false for flat ones. */
  readonly byHash?: boolean;
  /** Default `both`. */
  readonly form?: 'InRelease' | 'detached' | 'both' | 'unsigned';
  /** Of Packages and its like; default [none, gz, xz]. Those of `listedOnly` are in the Release but not served. */
  readonly compressions?: readonly FakeCompression[];
  /** Paths relative to the Release, or compressions, that the Release lists and the server lacks. Default: the uncompressed indexes. */
  readonly unserved?: (path: string) => boolean;
  /** Sections of the Release; default MD5Sum and SHA256. */
  readonly hashes?: readonly ('MD5Sum' | 'SHA1' | 'SHA256' | 'SHA512')[];
  /** `separate`: a binary-all of its own (Architectures lists all). Default `within`: arch:all in every index. */
  readonly archAll?: 'within' | 'separate';
  /** Last change to the listed files (paths relative to the Release), before they are hashed and served. */
  readonly editListed?: (listed: Map<string, Buffer>) => void;
  readonly releaseFields?: Readonly<Record<string, string>>;
}

export interface FakeArchiveOptions {
  readonly key: FakeKey;
  readonly suites: readonly FakeSuite[];
  /** Time of the signature; default: each suite's date. */
  readonly signedAt?: Date;
  /** Last change to the text of a Release before it is signed. */
  readonly editRelease?: (text: string, suite: string) => string;
}

const ALGORITHMS = { MD5Sum: 'md5', SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512' } as const;
const isFlat = (suite: string): boolean => suite.endsWith('/');
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export async function fakeArchive(options: FakeArchiveOptions): Promise<FakeFiles> {
  const files: FakeFiles = new Map();
  for (const suite of options.suites) await addSuite(files, suite, options);
  return files;
}

async function addSuite(files: FakeFiles, suite: FakeSuite, options: FakeArchiveOptions): Promise<void> {
  const base = isFlat(suite.suite) ? suite.suite.replace(/^\.?\//, '') : `dists/${suite.suite}/`;
  const listed = new Map<string, Buffer>();
  for (const [name, component] of Object.entries(suite.components))
    await addComponent(files, listed, { suite, name, component });
  suite.editListed?.(listed);
  const unserved = suite.unserved ?? ((path: string) => /(?:^|\/)(?:Packages|Sources|Translation-\w+)$/.test(path));
  for (const [path, bytes] of listed) {
    if (unserved(path)) continue;
    files.set(`${base}${path}`, bytes);
    if (!(suite.byHash ?? !isFlat(suite.suite))) continue;
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
    for (const name of suite.hashes ?? ['MD5Sum', 'SHA256'])
      files.set(`${base}${folder}by-hash/${name}/${hash(ALGORITHMS[name], bytes)}`, bytes);
  }
  const text = releaseText(suite, listed);
  const edited = options.editRelease?.(text, suite.suite) ?? text;
  const form = suite.form ?? 'both';
  const signedAt = options.signedAt ?? suite.date;
  if (form !== 'InRelease') files.set(`${base}Release`, Buffer.from(edited));
  if (form === 'InRelease' || form === 'both')
    files.set(`${base}InRelease`, Buffer.from(await options.key.clearsign(edited, signedAt)));
  if (form === 'detached' || form === 'both')
    files.set(`${base}Release.gpg`, Buffer.from(await options.key.detached(Buffer.from(edited), signedAt)));
}

function releaseText(suite: FakeSuite, listed: ReadonlyMap<string, Buffer>): string {
  const flat = isFlat(suite.suite);
  const architectures = [...(suite.archAll === 'separate' ? ['all'] : []), ...(suite.architectures ?? ['amd64'])];
  const fields: Record<string, string> = {
    Origin: 'Fake',
    Label: 'Fake',
    ...(flat ? {} : { Suite: suite.suite, Codename: suite.codename ?? suite.suite }),
    Date: suite.date.toUTCString().replace('GMT', 'UTC'),
    ...(suite.validUntil && { 'Valid-Until': suite.validUntil.toUTCString().replace('GMT', 'UTC') }),
    ...((suite.byHash ?? !flat) && { 'Acquire-By-Hash': 'yes' }),
    Architectures: architectures.join(' '),
    ...(flat ? {} : { Components: Object.keys(suite.components).join(' ') }),
    ...suite.releaseFields,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  const paths = [...listed.keys()].sort(byText);
  for (const name of suite.hashes ?? ['MD5Sum', 'SHA256']) {
    lines.push(`${name}:\n`);
    for (const path of paths) {
      const bytes = listed.get(path) ?? Buffer.alloc(0);
      lines.push(` ${hash(ALGORITHMS[name], bytes)} ${String(bytes.length).padStart(8)} ${path}\n`);
    }
  }
  return lines.join('');
}

interface ComponentOf {
  readonly suite: FakeSuite;
  readonly name: string;
  readonly component: FakeComponent;
}

async function addComponent(files: FakeFiles, listed: Map<string, Buffer>, of: ComponentOf): Promise<void> {
  const { suite, name, component } = of;
  const flat = isFlat(suite.suite);
  const prefix = flat ? '' : `${name}/`;
  const index = async (path: string, text: string): Promise<void> => {
    for (const compression of suite.compressions ?? ['none', 'gz', 'xz'])
      listed.set(
        `${prefix}${path}${compression === 'none' ? '' : `.${compression}`}`,
        await pack(Buffer.from(text), compression),
      );
  };
  const debs = await addPackages(files, component.packages ?? [], of);
  if (flat) {
    await index('Packages', debs.map(({ stanza }) => `${stanza}\n`).join(''));
  } else {
    const separate = suite.archAll === 'separate';
    for (const architecture of [...(separate ? ['all'] : []), ...(suite.architectures ?? ['amd64'])]) {
      const wanted = debs.filter(
        (deb) => deb.architecture === architecture || (!separate && deb.architecture === 'all'),
      );
      await index(`binary-${architecture}/Packages`, wanted.map(({ stanza }) => `${stanza}\n`).join(''));
    }
  }
  if (component.udebs) {
    const udebs = await addPackages(files, component.udebs, of, '.udeb');
    for (const architecture of suite.architectures ?? ['amd64']) {
      const wanted = udebs.filter((deb) => deb.architecture === architecture || deb.architecture === 'all');
      await index(
        `debian-installer/binary-${architecture}/Packages`,
        wanted.map(({ stanza }) => `${stanza}\n`).join(''),
      );
    }
  }
  if (component.sources)
    await index(flat ? 'Sources' : 'source/Sources', await addSources(files, component.sources, of));
  for (const [language, texts] of Object.entries(component.translations ?? {}))
    await index(`i18n/Translation-${language}`, translationText(component.packages ?? [], language, texts));
  for (const [path, bytes] of Object.entries(component.extra ?? {})) listed.set(`${prefix}${path}`, Buffer.from(bytes));
}

const poolFolder = ({ suite, name }: ComponentOf, source: string): string =>
  isFlat(suite.suite)
    ? suite.suite.replace(/^\.?\//, '')
    : `pool/${name}/${source.slice(0, source.startsWith('lib') ? 4 : 1)}/${source}/`;

async function addPackages(files: FakeFiles, packages: readonly FakePackage[], of: ComponentOf, suffix = '.deb') {
  const sorted = [...packages].sort((a, b) => byText(a.name, b.name) || byText(a.version, b.version));
  const built: { architecture: string; stanza: string }[] = [];
  for (const pkg of sorted) {
    const bytes = await buildDeb(pkg);
    const architecture = pkg.architecture ?? 'all';
    const source = pkg.fields?.Source?.split(' ')[0] ?? pkg.name;
    const path = `${poolFolder(of, source)}${pkg.name}_${pkg.version.replace(/^\d+:/, '')}_${architecture}${suffix}`;
    files.set(path, bytes);
    const index: Record<string, string> = {
      Filename: path,
      Size: String(bytes.length),
      MD5sum: hash('md5', bytes),
      SHA256: hash('sha256', bytes),
      ...pkg.indexFields,
    };
    const more = Object.entries(index).map(([name, value]) => `${name}: ${value}\n`);
    built.push({ architecture, stanza: `${controlText(pkg)}${more.join('')}` });
  }
  return built;
}

async function addSources(files: FakeFiles, sources: readonly FakeSource[], of: ComponentOf): Promise<string> {
  const stanzas: string[] = [];
  for (const source of [...sources].sort((a, b) => byText(a.name, b.name))) {
    const folder = poolFolder(of, source.name);
    const built = await buildSource(source);
    for (const [name, bytes] of built.files) files.set(`${folder}${name}`, bytes);
    const sums = (algorithm: 'md5' | 'sha256'): string =>
      [...built.files].map(([name, bytes]) => `\n ${hash(algorithm, bytes)} ${bytes.length} ${name}`).join('');
    const fields = built.dsc
      .split('\n')
      .filter((line) => /^(?:Format|Binary|Architecture|Version|Maintainer|Build)/.test(line));
    stanzas.push(
      `Package: ${source.name}\n${fields.join('\n')}\nDirectory: ${folder.replace(/\/$/, '') || '.'}\nFiles:${sums('md5')}\nChecksums-Sha256:${sums('sha256')}\n\n`,
    );
  }
  return stanzas.join('');
}

function translationText(
  packages: readonly FakePackage[],
  language: string,
  texts: Readonly<Record<string, string>>,
): string {
  return Object.entries(texts)
    .sort(([a], [b]) => byText(a, b))
    .map(([name, text]) => {
      const description = packages.find((pkg) => pkg.name === name)?.description ?? `package ${name} for tests`;
      const long = text
        .split('\n')
        .map((line) => ` ${line}\n`)
        .join('');
      return `Package: ${name}\nDescription-md5: ${hash('md5', `${description}\n`)}\nDescription-${language}: ${description}\n${long}\n`;
    })
    .join('');
}
