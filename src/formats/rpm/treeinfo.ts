/**
 * .treeinfo: what of a tree an installer boots (productmd, treeinfo.py; Anaconda and koan read it). Until Fedora 21 and
 * RHEL 7 it had no [header]. The lines are what is carried, so that unknown sections survive.
 */
import { KubedosError } from '../../errors.ts';
import { canonicalPath } from '../path.ts';
import { type ChecksumAlgorithm, checksumAlgorithm, checksumHex, type RpmChecksum } from './repomd.ts';

/** Real ones have some 5 KB. */
export const MAX_TREEINFO_BYTES = 1024 * 1024;
const MAX_LINES = 5000;

/** A value, or a comment with its `;` or `#`. */
export type TreeLine = { readonly key: string; readonly value: string } | { readonly comment: string };

export interface TreeSection {
  readonly name: string;
  readonly lines: readonly TreeLine[];
}

export interface Treeinfo {
  /** Comments before the first section. */
  readonly head: readonly string[];
  readonly sections: readonly TreeSection[];
}

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

/** `format.syntax` with the line, and `format.limit`. */
export function parseTreeinfo(bytes: Uint8Array, origin: string): Treeinfo {
  if (bytes.length > MAX_TREEINFO_BYTES)
    throw new KubedosError('format.limit', `parse ${origin}: larger than ${MAX_TREEINFO_BYTES} bytes`);
  const lines = decode(bytes, origin).split(/\r?\n/);
  if (lines.filter((line) => line.trim() !== '').length > MAX_LINES)
    throw new KubedosError('format.limit', `parse ${origin}: more than ${MAX_LINES} lines`);
  const head: string[] = [];
  const sections: { name: string; lines: TreeLine[] }[] = [];
  lines.forEach((line, i) => {
    const text = line.trim();
    if (text === '') return;
    const section = sections.at(-1);
    const header = /^\[([^\]]+)\]$/.exec(text)?.[1];
    if (/^[#;]/.test(text)) section ? section.lines.push({ comment: text }) : head.push(text);
    else if (header !== undefined && line.startsWith('[')) sections.push({ name: header, lines: [] });
    else if (section === undefined) throw syntax(`${origin}:${i + 1}`, 'text before the first section');
    else addLine(section.lines, line, `${origin}:${i + 1}`);
  });
  if (sections.length === 0) throw syntax(origin, 'no section');
  return { head, sections };
}

function decode(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KubedosError('format.syntax', `parse ${origin}: not UTF-8`, { cause });
  }
}

/** As Python's configparser: the first `=` or `:` ends the key, indented lines go on with the value. */
function addLine(lines: TreeLine[], line: string, place: string): void {
  const last = lines.at(-1);
  if (/^\s/.test(line) && last !== undefined && 'key' in last) {
    lines[lines.length - 1] = { key: last.key, value: `${last.value}\n${line.trim()}` };
    return;
  }
  const match = /^(?!\[)([^=:]*[^=:\s])\s*[=:](.*)$/.exec(line.trim());
  if (match === null) throw syntax(place, 'neither a section nor a key with its value');
  lines.push({ key: match[1] ?? '', value: (match[2] ?? '').trim() });
}

/** As productmd writes it; blank lines are its own. */
export function treeinfoText({ head, sections }: Treeinfo): string {
  const text = (line: TreeLine): string =>
    'comment' in line ? `${line.comment}\n` : `${line.key} = ${line.value.replaceAll('\n', '\n\t')}\n`;
  const parts = sections.map(({ name, lines }) => `[${name}]\n${lines.map(text).join('')}\n`);
  return head.map((line) => `${line}\n`).join('') + parts.join('');
}

/** The last one where there are several; `undefined` where there is none. */
export function treeValue(tree: Treeinfo, section: string, key: string): string | undefined {
  return valuesOf(tree).get(section)?.get(key);
}

type Values = ReadonlyMap<string, ReadonlyMap<string, string>>;
/** By section and key, found once: variants ask for many. */
const VALUES = new WeakMap<Treeinfo, Values>();

function valuesOf(tree: Treeinfo): Values {
  const known = VALUES.get(tree);
  if (known !== undefined) return known;
  const found = new Map<string, Map<string, string>>();
  for (const { name, lines } of tree.sections) {
    const own = found.get(name) ?? new Map<string, string>();
    found.set(name, own);
    for (const line of lines) if ('key' in line) own.set(line.key, line.value);
  }
  VALUES.set(tree, found);
  return found;
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
  const algorithm = name === '' ? BY_LENGTH.get(text.length) : checksumAlgorithm(name);
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
