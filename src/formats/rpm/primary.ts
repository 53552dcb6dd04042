/** primary.xml: one record a package (https://github.com/rpm-software-management/createrepo_c, xml_dump_primary.c). */
import { KubedosError } from '../../errors.ts';
import { XmlScan } from '../xml/scan.ts';
import type { PackageFacts } from './package.ts';
import { blank, ELEMENTS, lackingElement, type PrimaryPackage } from './primary-elements.ts';

export type { PrimaryPackage } from './primary-elements.ts';

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

function readPackage(record: Buffer, origin: string, want: { readonly format: boolean }): PrimaryPackage {
  const scan = new XmlScan(record, origin);
  const facts = blank();
  let seen = 0;
  scan.next();
  while (scan.next()) {
    if (scan.kind === 'close') continue;
    const known = ELEMENTS.get(scan.name);
    // What we do not know stays in the record.
    if (known === undefined) scan.skip();
    else {
      if (seen & known.once) throw refusal(origin, `<${scan.name}> is there twice`);
      seen |= known.once;
      if (known.read !== undefined) known.read(scan, facts);
      else if (!want.format) scan.leap();
    }
  }
  const lacking = lackingElement(seen);
  if (lacking !== undefined) throw refusal(origin, `there is no <${lacking}>`);
  if (!PKGID.test(facts.pkgid)) throw refusal(origin, 'its <checksum> is none');
  return facts;
}

/** As in filelists and other, which name the package by it; it is written as it is. */
const PKGID = /^[0-9A-Za-z]+$/;

function refusal(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${origin}: a package of primary: ${why}`);
}
