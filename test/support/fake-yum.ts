/**
 * The files of signed rpm repositories, as a map from path to bytes: a pure function of its description. The packages are
 * bytes of any kind: for what reads them, see rpm-repo.ts.
 */
import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { isRich, parseDependency } from '../../src/formats/rpm/dependency.ts';
import { escapeText } from '../../src/formats/xml/escape.ts';
import { attributesText } from '../../src/formats/xml/write.ts';
import type { FakeFiles } from './fake-archive.ts';
import type { FakeKey } from './fake-key.ts';

export interface FakeRpm {
  readonly name: string;
  readonly version: string;
  /** Default `1`. */
  readonly release?: string;
  /** Default `noarch`. */
  readonly arch?: string;
  readonly epoch?: string;
  /** Default: a text that tells the NEVRA. */
  readonly bytes?: Uint8Array;
  /** Default: `Packages/n/NAME-VERSION-RELEASE.ARCH.rpm`. */
  readonly href?: string;
  readonly base?: string;
  /** As in a spec file: `libfoo >= 1.0`, `(a or b)`. */
  readonly requires?: readonly string[];
  readonly recommends?: readonly string[];
  readonly supplements?: readonly string[];
  /** Beside the name itself. */
  readonly provides?: readonly string[];
  /** Default: NAME-VERSION-RELEASE.src.rpm. */
  readonly source?: string;
  /** In filelists alone. */
  readonly otherFiles?: readonly string[];
  /** In primary. */
  readonly files?: readonly string[];
}

export interface FakeRepository {
  readonly packages: readonly FakeRpm[];
  /** Seconds: revision and times of the records in repomd.xml. */
  readonly timestamp: number;
  readonly revision?: string;
  /** Default sha256, of records and packages. */
  readonly checksum?: 'sha256' | 'sha512' | 'sha1';
  /** `hash`: names that tell the content, as createrepo_c gives them. */
  readonly names?: 'hash' | 'plain';
  /** Default true: repomd.xml.asc. */
  readonly signed?: boolean;
  /** Further records: type → name and content. */
  readonly extra?: Readonly<Record<string, { readonly name: string; readonly content: Uint8Array }>>;
  readonly editPrimary?: (text: string) => string;
  /** Before it is signed. */
  readonly editRepomd?: (text: string) => string;
  /** Paths (from the repository) that are listed and not served. */
  readonly unserved?: (path: string) => boolean;
}

export interface FakeYumOptions {
  readonly key: FakeKey;
  /** By folder; `''` for the root. */
  readonly repositories: Readonly<Record<string, FakeRepository>>;
}

export async function fakeYum({ key, repositories }: FakeYumOptions): Promise<FakeFiles> {
  const files: FakeFiles = new Map();
  for (const [folder, repository] of Object.entries(repositories))
    for (const [path, bytes] of await repositoryFiles(key, repository))
      files.set(folder === '' ? path : `${folder}/${path}`, bytes);
  return files;
}

export function rpmBytes({ name, version, release = '1', arch = 'noarch', bytes }: FakeRpm): Buffer {
  return Buffer.from(bytes ?? `not really ${name}-${version}-${release}.${arch}\n`);
}

export function rpmPath({ name, version, release = '1', arch = 'noarch', href }: FakeRpm): string {
  return href ?? `Packages/${name[0]}/${name}-${version}-${release}.${arch}.rpm`;
}

async function repositoryFiles(key: FakeKey, repository: FakeRepository): Promise<FakeFiles> {
  const { packages, timestamp, checksum = 'sha256', extra = {}, unserved = () => false } = repository;
  const files: FakeFiles = new Map();
  const put = (path: string, bytes: Uint8Array) => unserved(path) || files.set(path, Buffer.from(bytes));
  for (const each of packages) put(rpmPath(each), rpmBytes(each));
  const count = packages.length;
  const identities = packages.map((each) => ({ each, pkgid: hash(checksum, rpmBytes(each), 'hex') }));
  const inner = (body: (each: FakeRpm) => string): string =>
    identities
      .map(({ each, pkgid }) => {
        const own = attributesText({ pkgid, name: each.name, arch: each.arch ?? 'noarch' });
        return `<package${own}>\n  ${versionText(each)}\n${body(each)}</package>\n`;
      })
      .join('');
  const primary = identities.map(({ each, pkgid }) => primaryText(each, { pkgid, checksum })).join('');
  const rpm = ' xmlns:rpm="http://linux.duke.edu/metadata/rpm"';
  const texts = {
    primary: `<metadata xmlns="http://linux.duke.edu/metadata/common"${rpm} packages="${count}">\n${primary}</metadata>`,
    filelists: `<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="${count}">\n${inner(
      ({ files: own = [], otherFiles = [] }) =>
        [...own, ...otherFiles].map((path) => `  <file>${escapeText(path)}</file>\n`).join(''),
    )}</filelists>`,
    other: `<otherdata xmlns="http://linux.duke.edu/metadata/other" packages="${count}">\n${inner(() => '')}</otherdata>`,
  };
  texts.primary = repository.editPrimary?.(texts.primary) ?? texts.primary;
  const records: string[] = [];
  const list = (type: string, name: string, bytes: Buffer, open?: Buffer) => {
    const sum = hash(checksum, bytes, 'hex');
    const path = `repodata/${repository.names === 'plain' ? '' : `${sum}-`}${name}`;
    put(path, bytes);
    records.push(
      `  <data type="${type}">`,
      `    <checksum type="${checksum === 'sha1' ? 'sha' : checksum}">${sum}</checksum>`,
      ...(open ? [`    <open-checksum type="${checksum}">${hash(checksum, open, 'hex')}</open-checksum>`] : []),
      `    <location href="${path}"/>`,
      `    <timestamp>${timestamp}</timestamp>`,
      `    <size>${bytes.length}</size>`,
      ...(open ? [`    <open-size>${open.length}</open-size>`] : []),
      '  </data>',
    );
  };
  for (const [type, text] of Object.entries(texts)) {
    const plain = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}\n`);
    list(type, `${type}.xml.gz`, gzipSync(plain), plain);
  }
  for (const [type, { name, content }] of Object.entries(extra)) list(type, name, Buffer.from(content));
  const text = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<repomd xmlns="http://linux.duke.edu/metadata/repo"${rpm}>`,
    `  <revision>${repository.revision ?? timestamp}</revision>`,
    ...records,
    '</repomd>\n',
  ].join('\n');
  const repomd = Buffer.from(repository.editRepomd?.(text) ?? text);
  put('repodata/repomd.xml', repomd);
  if (repository.signed !== false)
    put('repodata/repomd.xml.asc', Buffer.from(await key.detached(repomd, new Date(timestamp * 1000))));
  return files;
}

function versionText({ epoch = '0', version, release = '1' }: FakeRpm): string {
  return `<version${attributesText({ epoch, ver: version, rel: release })}/>`;
}

/** A package is not built again when the repository is. */
const PACKAGE_TIME = 1_714_521_600;

function primaryText(
  each: FakeRpm,
  { pkgid, checksum }: { readonly pkgid: string; readonly checksum: string },
): string {
  const { name, arch = 'noarch', base, files = [] } = each;
  const size = rpmBytes(each).length;
  const itself = `${name} = ${each.epoch ?? '0'}:${each.version}-${each.release ?? '1'}`;
  const source = each.source ?? `${name}-${each.version}-${each.release ?? '1'}.src.rpm`;
  return `<package type="rpm">
  <name>${escapeText(name)}</name>
  <arch>${arch}</arch>
  ${versionText(each)}
  <checksum type="${checksum === 'sha1' ? 'sha' : checksum}" pkgid="YES">${pkgid}</checksum>
  <summary>The package ${escapeText(name)}</summary>
  <description>It is ${escapeText(name)} &amp; nothing else.</description>
  <packager/>
  <url/>
  <time file="${PACKAGE_TIME}" build="${PACKAGE_TIME}"/>
  <size package="${size}" installed="${size}" archive="${size}"/>
  <location${attributesText({ 'xml:base': base, href: rpmPath(each) })}/>
  <format>
    <rpm:license>MIT</rpm:license>
    <rpm:vendor/>
    <rpm:group>Unspecified</rpm:group>
    <rpm:buildhost>localhost</rpm:buildhost>
    <rpm:sourcerpm>${arch === 'src' ? '' : escapeText(source)}</rpm:sourcerpm>
    <rpm:header-range start="100" end="200"/>
${entries('provides', [itself, ...(each.provides ?? [])])}${entries('requires', each.requires)}${entries('recommends', each.recommends)}${entries('supplements', each.supplements)}${files.map((path) => `    <file>${escapeText(path)}</file>\n`).join('')}  </format>
</package>
`;
}

function entries(kind: string, texts: readonly string[] = []): string {
  if (texts.length === 0) return '';
  const lines = texts.map((text) => {
    const found = text.startsWith('(') ? { name: text } : parseDependency(text, 'fake');
    if (isRich(found)) throw new Error(`${text} is rich`);
    const { name, flags, epoch, version, release } = found;
    return `      <rpm:entry${attributesText({ name, flags, epoch, ver: version, rel: release })}/>\n`;
  });
  return `    <rpm:${kind}>\n${lines.join('')}    </rpm:${kind}>\n`;
}
