/** primary.xml: one record a package (https://github.com/rpm-software-management/createrepo_c, xml_dump_primary.c). */
import { KubedosError } from '../../errors.ts';
import { XmlScan } from '../xml/scan.ts';
import {
  type Capability,
  type Comparison,
  DEPENDENCY_KINDS,
  type DependencyKind,
  type FileType,
  type PackagedFile,
  type PackageFacts,
} from './package.ts';

/** The record, and all that it tells. */
export interface PrimaryPackage extends PackageFacts {
  /** Those files alone that dependencies name often: below `bin/`, in /etc, and /usr/lib/sendmail. */
  readonly files: readonly PackagedFile[];
}

/** What is told outside of `<format>`: what identifies a package, where it lies, what it is. Much quicker than all. */
export type PrimaryPlace = Pick<PackageFacts, (typeof PLACE)[number]>;

const PLACE = [
  'name',
  'arch',
  'epoch',
  'version',
  'release',
  'checksumType',
  'pkgid',
  'summary',
  'description',
  'fileTime',
  'buildTime',
  'packageBytes',
  'installedBytes',
  'archiveBytes',
  'href',
  'base',
] as const;

/** Errors as of `primaryPackage`; what stands within `<format>` is not looked at. */
export function primaryPlace(record: Buffer, origin: string): PrimaryPlace {
  return readPackage(withoutFormat(record), origin, PLACE_ONLY);
}

const [FORMAT, END_OF_FORMAT] = [Buffer.from('<format>'), Buffer.from('</format>')];

/** Most of a record stands within `<format>`: it is not even decoded. Text cannot hold these tags, where `<` is `&lt;`. */
function withoutFormat(record: Buffer): Buffer {
  const start = record.indexOf(FORMAT) + FORMAT.length;
  const end = record.lastIndexOf(END_OF_FORMAT);
  return start < FORMAT.length || end < start
    ? record
    : Buffer.concat([record.subarray(0, start), record.subarray(end)]);
}

/**
 * `format.syntax` where the record is not well-formed, lacks what identifies a package or tells it twice, and for a checksum
 * that is none.
 */
export function primaryPackage(record: Buffer, origin: string): PrimaryPackage {
  return readPackage(record, origin, ALL);
}

const ALL = { format: true };
const PLACE_ONLY = { format: false };

type Building = { -readonly [K in keyof PrimaryPackage]: PrimaryPackage[K] };

function readPackage(record: Buffer, origin: string, want: { readonly format: boolean }): PrimaryPackage {
  const scan = new XmlScan(record, origin);
  const capabilities: Partial<Record<DependencyKind, Capability[]>> = {};
  const files: PackagedFile[] = [];
  const facts = blank(capabilities, files);
  const seen = new Set<string>();
  scan.next();
  while (scan.next()) {
    if (scan.kind === 'close') continue;
    const { name } = scan;
    if (ONCE.has(name)) {
      if (seen.has(name)) throw refusal(origin, `<${name}> is there twice`);
      seen.add(name);
    }
    if (name === 'file') files.push(packagedFile(scan));
    else if (name === 'format') want.format || scan.leap();
    else readElement(scan, facts, capabilities);
  }
  for (const key of ['name', 'arch', 'version', 'checksum', 'location'])
    if (!seen.has(key)) throw refusal(origin, `there is no <${key}>`);
  if (!PKGID.test(facts.pkgid)) throw refusal(origin, 'its <checksum> is none');
  return facts;
}

/** As in filelists and other, which name the package by it; it is written as it is. */
const PKGID = /^[0-9A-Za-z]+$/;

const ONCE = new Set(['name', 'arch', 'version', 'checksum', 'location', 'size', 'format', 'time']);

/** All fields at once, in one order: objects of one shape are several times as quick. */
function blank(capabilities: Building['capabilities'], files: readonly PackagedFile[]): Building {
  return {
    name: '',
    epoch: '0',
    version: '',
    release: '',
    arch: '',
    pkgid: '',
    checksumType: '',
    summary: '',
    description: '',
    packager: '',
    url: '',
    fileTime: 0,
    buildTime: 0,
    packageBytes: 0,
    installedBytes: 0,
    archiveBytes: 0,
    href: '',
    base: undefined,
    license: '',
    vendor: '',
    group: '',
    buildHost: '',
    sourceRpm: '',
    headerRange: [0, 0],
    capabilities,
    files,
  };
}

function readElement(
  scan: XmlScan,
  facts: Building,
  capabilities: Partial<Record<DependencyKind, Capability[]>>,
): void {
  switch (scan.name) {
    case 'name':
      facts.name = scan.text();
      return;
    case 'arch':
      facts.arch = scan.text();
      return;
    case 'version':
      facts.epoch = scan.attribute('epoch') || '0';
      facts.version = scan.attribute('ver') ?? '';
      facts.release = scan.attribute('rel') ?? '';
      return;
    case 'checksum':
      facts.checksumType = scan.attribute('type') ?? '';
      facts.pkgid = scan.text();
      return;
    case 'summary':
      facts.summary = scan.text();
      return;
    case 'description':
      facts.description = scan.text();
      return;
    case 'packager':
      facts.packager = scan.text();
      return;
    case 'url':
      facts.url = scan.text();
      return;
    case 'time':
      facts.fileTime = number(scan, 'file');
      facts.buildTime = number(scan, 'build');
      return;
    case 'size':
      facts.packageBytes = number(scan, 'package');
      facts.installedBytes = number(scan, 'installed');
      facts.archiveBytes = number(scan, 'archive');
      return;
    case 'location':
      facts.href = scan.attribute('href') ?? '';
      facts.base = scan.attribute('xml:base');
      return;
    case 'rpm:license':
      facts.license = scan.text();
      return;
    case 'rpm:vendor':
      facts.vendor = scan.text();
      return;
    case 'rpm:group':
      facts.group = scan.text();
      return;
    case 'rpm:buildhost':
      facts.buildHost = scan.text();
      return;
    case 'rpm:sourcerpm':
      facts.sourceRpm = scan.text();
      return;
    case 'rpm:header-range':
      facts.headerRange = [number(scan, 'start'), number(scan, 'end')];
      return;
  }
  const kind = KINDS.get(scan.name);
  // What we do not know stays in the record.
  if (kind === undefined) scan.skip();
  else capabilities[kind] = readCapabilities(scan);
}

const KINDS: ReadonlyMap<string, DependencyKind> = new Map(DEPENDENCY_KINDS.map((kind) => [`rpm:${kind}`, kind]));

function readCapabilities(scan: XmlScan): Capability[] {
  const found: Capability[] = [];
  if (scan.kind === 'empty') return found;
  const { depth } = scan;
  while (scan.depth >= depth && scan.next())
    if (scan.kind !== 'close' && scan.name === 'rpm:entry') found.push(capability(scan));
  return found;
}

function capability(scan: XmlScan): Capability {
  const name = scan.attribute('name') ?? '';
  const flags = scan.attribute('flags') as Comparison | undefined;
  const pre = scan.attribute('pre') === '1';
  if (flags === undefined) return pre ? { name, pre } : { name };
  const epoch = scan.attribute('epoch');
  const version = scan.attribute('ver') ?? '';
  const release = scan.attribute('rel');
  return { name, flags, epoch, version, ...(release !== undefined && { release }), ...(pre && { pre }) };
}

function packagedFile(scan: XmlScan): PackagedFile {
  const type = (scan.attribute('type') ?? 'file') as FileType;
  return { type, path: scan.text() };
}

/** Sizes and times; what is no number counts as 0, as other readers take it. */
function number(scan: XmlScan, attribute: string): number {
  const value = Number(scan.attribute(attribute) ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function refusal(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${origin}: a package of primary: ${why}`);
}
