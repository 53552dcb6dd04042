/**
 * .treeinfo: what of a tree an installer boots (productmd, treeinfo.py; Anaconda and koan read it). Until Fedora 21 and
 * RHEL 7 it had no [header].
 */
import { KubedosError } from '../../errors.ts';
import { canonicalPath } from '../path.ts';
import { type ChecksumAlgorithm, checksumAlgorithm, checksumHex, type RpmChecksum } from './repomd.ts';
import { type Treeinfo, treeValue } from './treeinfo-text.ts';

export interface TreeFacts {
  /** `1.2`; absent in old ones. */
  readonly headerVersion?: string | undefined;
  /** Of the product, as `Rocky Linux`. */
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** The main one; empty where there is none. */
  readonly variant: string;
  /** Whole seconds. */
  readonly buildTime?: number | undefined;
}

export interface TreeImage {
  /** `x86_64`, `xen`, … */
  readonly platform: string;
  /** `kernel`, `initrd`, `boot.iso`, … */
  readonly name: string;
  /** Canonical, from the root of the tree. */
  readonly path: string;
}

export interface TreeFile {
  /** Canonical, from the root of the tree. */
  readonly path: string;
  readonly checksum?: RpmChecksum | undefined;
}

/** A folder of the tree (canonical, empty for its root), or without `path`: outside, as neighbours are (`../../AppStream/os`). */
export interface TreePlace {
  readonly written: string;
  readonly path?: string | undefined;
}

export interface TreeVariant {
  /** With that of its parent, as in `Server-optional`. */
  readonly uid: string;
  readonly id: string;
  readonly name: string;
  /** `variant`, `optional`, `addon`, … */
  readonly type: string;
  readonly repository?: TreePlace | undefined;
  readonly packages?: TreePlace | undefined;
}

export function treeFacts(tree: Treeinfo): TreeFacts {
  const first = (...places: readonly string[]): string | undefined =>
    places.map((place) => treeValue(tree, ...(place.split('.') as [string, string]))).find((value) => value);
  const time = Number(first('tree.build_timestamp', 'general.timestamp') ?? Number.NaN);
  return {
    headerVersion: first('header.version'),
    name: first('release.name', 'product.name', 'general.family') ?? '',
    version: first('release.version', 'product.version', 'general.version') ?? '',
    arch: first('tree.arch', 'general.arch') ?? '',
    variant: first('general.variant') ?? '',
    buildTime: time > 0 && Number.isFinite(time) ? Math.trunc(time) : undefined,
  };
}

/** What is booted, by platform; `format.path` for a path out of the tree. */
export function treeImages(tree: Treeinfo, origin: string): TreeImage[] {
  const { arch } = treeFacts(tree);
  return pairsOf(tree, (name) => name.startsWith('images-')).flatMap(({ section, key, value }) => {
    const suffix = section.slice('images-'.length);
    const platform = suffix.endsWith(`-${arch}`) ? suffix.slice(0, -arch.length - 1) : suffix;
    return value === '' ? [] : [{ platform, name: key, path: filePath(tree, value, origin) }];
  });
}

/**
 * All files that it names, each once: first those with a checksum, then images and second stages without one.
 * `repodata/repomd.xml` is among them, those of neighbours are not. `format.path` for any other that is out of the tree,
 * `format.syntax` for what is no checksum, or for two of one file.
 */
export function treeFiles(tree: Treeinfo, origin: string): TreeFile[] {
  const files = new Map<string, TreeFile>();
  for (const { key, value } of pairsOf(tree, (name) => name === 'checksums')) {
    if (/^\.\.\/(?:.*\/)?repodata\/repomd\.xml$/.test(key)) continue;
    const path = filePath(tree, key, origin);
    const checksum = checksumOf(value, `${origin}: ${path}`);
    const before = files.get(path)?.checksum;
    if (before !== undefined && before.hex !== checksum?.hex) throw syntax(`${origin}: ${path}`, 'two checksums');
    files.set(path, { path, checksum });
  }
  const stages = ['mainimage', 'instimage'].flatMap((key) => treeValue(tree, 'stage2', key) || []);
  const unsummed = treeImages(tree, origin).map((image) => image.path);
  for (const path of [...unsummed, ...stages.map((value) => filePath(tree, value, origin))])
    if (!files.has(path)) files.set(path, { path });
  return [...files.values()];
}

/** In the order of the file; old trees of one repository have none. */
export function treeVariants(tree: Treeinfo, origin: string): TreeVariant[] {
  return tree.sections.flatMap(({ name: section }) => {
    const match = /^(variant|addon)-(.+)$/.exec(section);
    if (match === null) return [];
    const [, kind = '', suffix = ''] = match;
    const value = (key: string): string | undefined => treeValue(tree, section, key) || undefined;
    const id = value('id') ?? suffix.split('-').at(-1) ?? suffix;
    return {
      uid: value('uid') ?? suffix,
      id,
      name: value('name') ?? id,
      type: value('type') ?? kind,
      repository: placeOf(value('repository')?.replace(/(?:^|\/)repodata\/*$/, ''), origin),
      packages: placeOf(value('packages') ?? value('packagedir'), origin),
    };
  });
}

function pairsOf(
  { sections }: Treeinfo,
  wanted: (section: string) => boolean,
): { section: string; key: string; value: string }[] {
  return sections
    .filter(({ name }) => wanted(name))
    .flatMap(({ name, lines }) => lines.flatMap((line) => ('key' in line ? [{ section: name, ...line }] : [])));
}

/** Old trees have absolute paths of the host that made them; what is below its `os/` counts, as for productmd. */
function filePath(tree: Treeinfo, written: string, origin: string): string {
  const isOfHost = written.startsWith('/') && treeValue(tree, 'header', 'version') === undefined;
  return canonicalPath(isOfHost ? written.replace(/^.*?\/os\/|^\/+/, '') : written, origin);
}

function placeOf(written: string | undefined, origin: string): TreePlace | undefined {
  if (written === undefined) return undefined;
  const parts: string[] = [];
  for (const part of written.split('/')) {
    if (part === '..' && parts.pop() === undefined) return { written };
    if (part !== '..' && part !== '.' && part !== '') parts.push(part);
  }
  const isElsewhere = /^\/|^[A-Za-z][A-Za-z0-9+.-]*:/.test(written);
  if (isElsewhere) return { written };
  return { written, path: parts.length === 0 ? '' : canonicalPath(parts.join('/'), origin) };
}

/** Without its algorithm in the oldest: the length tells. `undefined` where it is unknown. */
function checksumOf(value: string, place: string): RpmChecksum | undefined {
  const [, name = '', text = ''] = /^(?:([^:]*):)?(.*)$/.exec(value) ?? [];
  const algorithm = name === '' ? BY_LENGTH.get(text.length) : checksumAlgorithm(name.trim());
  if (algorithm !== undefined) return { algorithm, hex: checksumHex(text.trim(), algorithm, place) };
  if (name === '') throw syntax(place, 'not a checksum');
  return undefined;
}

const BY_LENGTH: ReadonlyMap<number, ChecksumAlgorithm> = new Map([
  [32, 'md5'],
  [40, 'sha1'],
  [64, 'sha256'],
]);

function syntax(place: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${place}: ${why}`);
}
