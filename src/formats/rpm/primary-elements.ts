/** The elements of a record of primary, and what each tells. */
import type { XmlScan } from '../xml/scan.ts';
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

export type Building = { -readonly [K in keyof PrimaryPackage]: PrimaryPackage[K] } & {
  readonly capabilities: Partial<Record<DependencyKind, Capability[]>>;
  readonly files: PackagedFile[];
};

/** All fields at once, in one order: objects of one shape are several times as quick. */
export function blank(): Building {
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
    capabilities: {},
    files: [],
  };
}

/** What each record has; besides, what is there once at most. */
const REQUIRED = ['name', 'arch', 'version', 'checksum', 'location'];
const ONCE = [...REQUIRED, 'size', 'format', 'time'];

/** A bit for each element that is there once; 0 for others. */
function onceOf(name: string): number {
  const at = ONCE.indexOf(name);
  return at < 0 ? 0 : 1 << at;
}
const DEMANDED = REQUIRED.reduce((bits, name) => bits | onceOf(name), 0);

/** The first element that a record must have and does not; `seen`: the bits of those that it has. */
export function lackingElement(seen: number): string | undefined {
  return (seen & DEMANDED) === DEMANDED ? undefined : REQUIRED.find((name) => !(seen & onceOf(name)));
}

type Read = (scan: XmlScan, facts: Building) => void;

/** By their names; `format` is only gone into. */
const READS: Readonly<Record<string, Read | undefined>> = {
  name: (scan, facts) => {
    facts.name = scan.text();
  },
  arch: (scan, facts) => {
    facts.arch = scan.text();
  },
  version: (scan, facts) => {
    facts.epoch = scan.attribute('epoch') || '0';
    facts.version = scan.attribute('ver') ?? '';
    facts.release = scan.attribute('rel') ?? '';
  },
  checksum: (scan, facts) => {
    facts.checksumType = scan.attribute('type') ?? '';
    facts.pkgid = scan.text();
  },
  summary: (scan, facts) => {
    facts.summary = scan.text();
  },
  description: (scan, facts) => {
    facts.description = scan.text();
  },
  packager: (scan, facts) => {
    facts.packager = scan.text();
  },
  url: (scan, facts) => {
    facts.url = scan.text();
  },
  time: (scan, facts) => {
    facts.fileTime = number(scan, 'file');
    facts.buildTime = number(scan, 'build');
  },
  size: (scan, facts) => {
    facts.packageBytes = number(scan, 'package');
    facts.installedBytes = number(scan, 'installed');
    facts.archiveBytes = number(scan, 'archive');
  },
  location: (scan, facts) => {
    facts.href = scan.attribute('href') ?? '';
    facts.base = scan.attribute('xml:base');
  },
  format: undefined,
  'rpm:license': (scan, facts) => {
    facts.license = scan.text();
  },
  'rpm:vendor': (scan, facts) => {
    facts.vendor = scan.text();
  },
  'rpm:group': (scan, facts) => {
    facts.group = scan.text();
  },
  'rpm:buildhost': (scan, facts) => {
    facts.buildHost = scan.text();
  },
  'rpm:sourcerpm': (scan, facts) => {
    facts.sourceRpm = scan.text();
  },
  'rpm:header-range': (scan, facts) => {
    facts.headerRange = [number(scan, 'start'), number(scan, 'end')];
  },
  file: (scan, facts) => {
    const type = (scan.attribute('type') ?? 'file') as FileType;
    facts.files.push({ type, path: scan.text() });
  },
};

const capabilitiesInto =
  (kind: DependencyKind): Read =>
  (scan, facts) => {
    facts.capabilities[kind] = readCapabilities(scan);
  };

interface Known {
  readonly once: number;
  readonly read: Read | undefined;
}

/** One look at a name, of which each record has twenty, and not a comparison with each of these. */
export const ELEMENTS: ReadonlyMap<string, Known> = new Map(
  [...Object.entries(READS), ...DEPENDENCY_KINDS.map((kind) => [`rpm:${kind}`, capabilitiesInto(kind)] as const)].map(
    ([name, read]) => [name, { once: onceOf(name), read }],
  ),
);

function readCapabilities(scan: XmlScan): Capability[] {
  const found: Capability[] = [];
  const { kind, depth } = scan;
  if (kind !== 'open') return found;
  for (; scan.depth >= depth; scan.next()) {
    if (scan.kind !== 'close' && scan.name === 'rpm:entry')
      found.push(capability(['', ...ENTRY_ATTRIBUTES.map((name) => scan.attribute(name))]));
    for (let plain = scan.take(ENTRY); plain !== undefined; plain = scan.take(ENTRY)) found.push(capability(plain));
  }
  return found;
}

const ENTRY_ATTRIBUTES = ['name', 'flags', 'epoch', 'ver', 'rel', 'pre'];
/** One as createrepo_c writes it, with nothing to unescape: nine of ten elements of a primary. */
const ENTRY =
  /\s*<rpm:entry name="([^"<&]*)"(?: flags="(EQ|LT|GT|LE|GE)" epoch="([^"<&]*)" ver="([^"<&]*)"(?: rel="([^"<&]*)")?)?(?: pre="(1)")?\/>/y;

/** Of what ENTRY matches: ENTRY_ATTRIBUTES, behind the whole. */
function capability([, name = '', flags, epoch, version = '', release, pre]: readonly (
  | string
  | undefined
)[]): Capability {
  const found: { -readonly [K in keyof Capability]: Capability[K] } =
    flags === undefined ? { name } : { name, flags: flags as Comparison, epoch, version };
  if (flags !== undefined && release !== undefined) found.release = release;
  if (pre === '1') found.pre = true;
  return found;
}

/** Sizes and times; what is no number counts as 0, as other readers take it. */
function number(scan: XmlScan, attribute: string): number {
  const value = Number(scan.attribute(attribute) ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
