/** filelists.xml and other.xml: the files and the changelog of each package, named by its checksum. */
import { KubedosError } from '../../errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { xmlRecords } from '../xml/records.ts';
import { XmlScan } from '../xml/scan.ts';
import type { ChangelogEntry, FileType, PackagedFile } from './package.ts';

/** The records of a filelists.xml (or filelists-ext.xml), expanded. Errors of xmlRecords. */
export function filelistsRecords(source: ByteSource, origin: string): AsyncGenerator<Buffer[]> {
  return xmlRecords(source, { origin, root: 'filelists', record: 'package' });
}

/** The records of an other.xml, expanded. */
export function otherRecords(source: ByteSource, origin: string): AsyncGenerator<Buffer[]> {
  return xmlRecords(source, { origin, root: 'otherdata', record: 'package' });
}

/** The `pkgid` of a record, without a look at the rest. */
export function recordPkgid(record: Buffer, origin: string): string {
  const end = record.indexOf('>');
  const [, , pkgid] = PKGID.exec(record.subarray(0, end).toString('latin1')) ?? [];
  if (pkgid === undefined) throw new KubedosError('format.syntax', `parse ${origin}: a package has no pkgid`);
  return pkgid;
}

const PKGID = /\spkgid\s*=\s*(["'])([0-9A-Za-z]+)\1/;

/** In the order of the record. */
export function filesOf(record: Buffer, origin: string): PackagedFile[] {
  const scan = new XmlScan(record, origin);
  const files: PackagedFile[] = [];
  while (scan.next()) {
    if (scan.kind === 'close' || scan.name !== 'file') continue;
    const type = (scan.attribute('type') ?? 'file') as FileType;
    files.push({ type, path: scan.text() });
  }
  return files;
}

/** In the order of the record: oldest first, as createrepo_c writes them. */
export function changelogsOf(record: Buffer, origin: string): ChangelogEntry[] {
  const scan = new XmlScan(record, origin);
  const entries: ChangelogEntry[] = [];
  while (scan.next()) {
    if (scan.kind === 'close' || scan.name !== 'changelog') continue;
    const author = scan.attribute('author') ?? '';
    const date = Number(scan.attribute('date') ?? 0);
    entries.push({ author, date: Number.isSafeInteger(date) ? date : 0, text: scan.text() });
  }
  return entries;
}
