/** repomd.xml: what a repository consists of (createrepo_c, repomd.c; libdnf and librepo read it). */
import { KubedosError } from '../../errors.ts';
import { canonicalPath } from '../path.ts';
import { child, textOf, type XmlElement, xmlChildren } from '../xml/elements.ts';
import { attributesText, elementText } from '../xml/write.ts';
import { MAX_REPOMD_BYTES } from './layout.ts';

const MAX_RECORDS = 1000;

export const CHECKSUM_ALGORITHMS = ['sha256', 'sha512', 'sha384', 'sha224', 'sha1', 'md5'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export interface RpmChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly hex: string;
}

export interface RepomdRecord {
  /** `primary`, `filelists`, `group`, `updateinfo`, … and whatever a vendor adds. */
  readonly type: string;
  /** Of the file as it is served. */
  readonly checksum: RpmChecksum;
  /** Of the content, where it is compressed. */
  readonly openChecksum?: RpmChecksum | undefined;
  /** Of the header of a zchunk file. */
  readonly headerChecksum?: RpmChecksum | undefined;
  /** Canonical, from the root of the repository. */
  readonly path: string;
  /** `xml:base`: an URL in place of the root. */
  readonly base?: string | undefined;
  /** Seconds; absent in old ones. */
  readonly timestamp?: number | undefined;
  readonly sizeBytes?: number | undefined;
  readonly openBytes?: number | undefined;
  readonly headerBytes?: number | undefined;
  readonly databaseVersion?: number | undefined;
}

export interface Repomd {
  /** A number in most; free text. */
  readonly revision?: string | undefined;
  /** `<tags>`: content, repo, distro, as they stand. */
  readonly tags?: XmlElement | undefined;
  readonly records: readonly RepomdRecord[];
}

/** `format.syntax`, `format.limit`, and `format.path` for a location that leads out of the repository. */
export async function parseRepomd(bytes: Uint8Array, origin: string): Promise<Repomd> {
  if (bytes.length > MAX_REPOMD_BYTES)
    throw new KubedosError('format.limit', `parse ${origin}: larger than ${MAX_REPOMD_BYTES} bytes`);
  const records: RepomdRecord[] = [];
  let revision: string | undefined;
  let tags: XmlElement | undefined;
  for await (const element of xmlChildren([bytes], { origin, root: ['repomd'] })) {
    if (element.name === 'revision') revision = element.text.trim();
    else if (element.name === 'tags') tags = element;
    else if (element.name === 'data') records.push(record(element, origin));
    if (records.length > MAX_RECORDS)
      throw new KubedosError('format.limit', `parse ${origin}: more than ${MAX_RECORDS} records`);
  }
  return { revision, tags, records };
}

function record(element: XmlElement, origin: string): RepomdRecord {
  const { type } = element.attributes;
  if (!type) throw syntax(origin, 'a record has no type');
  const place = `${origin}: ${type}`;
  const { href, 'xml:base': base } = child(element, 'location')?.attributes ?? {};
  if (!href) throw syntax(place, 'no location');
  const checksum = checksumOf(element, 'checksum', place);
  if (checksum === undefined) throw syntax(place, 'no checksum that is known');
  return {
    type,
    checksum,
    openChecksum: checksumOf(element, 'open-checksum', place),
    headerChecksum: checksumOf(element, 'header-checksum', place),
    path: hrefPath(href, place),
    base,
    timestamp: numberOf(element, 'timestamp'),
    sizeBytes: numberOf(element, 'size'),
    openBytes: numberOf(element, 'open-size'),
    headerBytes: numberOf(element, 'header-size'),
    databaseVersion: numberOf(element, 'database_version'),
  };
}

/** `sha` is how old tools name SHA-1. */
export function checksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  const lower = name.toLowerCase();
  return CHECKSUM_ALGORITHMS.find((known) => known === (lower === 'sha' ? 'sha1' : lower));
}

function checksumOf(element: XmlElement, name: string, place: string): RpmChecksum | undefined {
  const found = child(element, name);
  const algorithm = found && checksumAlgorithm(found.attributes.type ?? '');
  if (found === undefined || algorithm === undefined) return undefined;
  return { algorithm, hex: checksumHex(found.text.trim(), algorithm, place) };
}

const HEX_DIGITS: Readonly<Record<ChecksumAlgorithm, number>> = {
  sha256: 64,
  sha512: 128,
  sha384: 96,
  sha224: 56,
  sha1: 40,
  md5: 32,
};

/** Lower-case digits; `format.syntax` where they are not a checksum of that algorithm. */
export function checksumHex(text: string, algorithm: ChecksumAlgorithm, place: string): string {
  if (text.length === HEX_DIGITS[algorithm] && /^[0-9A-Fa-f]+$/.test(text)) return text.toLowerCase();
  throw syntax(place, `not a checksum of ${algorithm}`);
}

/** Sizes and times as numbers; old tools wrote times with a fraction. */
function numberOf(element: XmlElement, name: string): number | undefined {
  const text = textOf(element, name);
  if (text === undefined || !/^\d{1,15}(?:\.\d+)?$/.test(text)) return undefined;
  return Math.trunc(Number(text));
}

/**
 * The path that a `location href` names. Clients put it behind the root's URL as it is, so that `%2B` stands for `+`.
 * Trees of kickstart name files of a neighbour by `..`: those stay within `folder`, the path of the repository in its
 * mirror, or are refused (`format.path`).
 */
export function hrefPath(href: string, place: string, folder = ''): string {
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of decodePercent(href).split('/')) {
    if (part !== '..') parts.push(part);
    // What is above the root is left for canonicalPath to refuse.
    else if (parts.length === 0 || parts.at(-1) === '..') parts.push(part);
    else parts.pop();
  }
  const absolute = href.startsWith('/');
  return canonicalPath(absolute ? href : parts.join('/'), place);
}

function decodePercent(href: string): string {
  if (!href.includes('%')) return href;
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

const NAMESPACES = { xmlns: 'http://linux.duke.edu/metadata/repo', 'xmlns:rpm': 'http://linux.duke.edu/metadata/rpm' };

/** As createrepo_c writes it. */
export function repomdText({ revision, tags, records }: Repomd): string {
  const parts = records.map((each) => elementText(recordElement(each), 1));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<repomd${attributesText(NAMESPACES)}>\n`,
    revision === undefined ? '' : elementText(leaf('revision', revision), 1),
    tags === undefined ? '' : elementText(tags, 1),
    ...parts,
    '</repomd>\n',
  ].join('');
}

function recordElement(record: RepomdRecord): XmlElement {
  const { base, path } = record;
  // A `%` of the name itself, since hrefPath takes it for the start of an escape.
  const place = { href: path.replaceAll('%', '%25'), ...(base !== undefined && { 'xml:base': base }) };
  const children = [
    sum('checksum', record.checksum),
    sum('open-checksum', record.openChecksum),
    sum('header-checksum', record.headerChecksum),
    { name: 'location', attributes: place, children: [], text: '' },
    count('timestamp', record.timestamp),
    count('size', record.sizeBytes),
    count('open-size', record.openBytes),
    count('header-size', record.headerBytes),
    count('database_version', record.databaseVersion),
  ].filter((each) => each !== undefined);
  return { name: 'data', attributes: { type: record.type }, children, text: '' };
}

function sum(name: string, checksum: RpmChecksum | undefined): XmlElement | undefined {
  return checksum && { ...leaf(name, checksum.hex), attributes: { type: checksum.algorithm } };
}

function count(name: string, value: number | undefined): XmlElement | undefined {
  return value === undefined ? undefined : leaf(name, String(value));
}

function leaf(name: string, text: string): XmlElement {
  return { name, attributes: {}, children: [], text };
}

function syntax(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${origin}: ${why}`);
}
