/** Takes an .rpm into the store and finds its place in a repository. */
import { KubedosError } from '../../errors.ts';
import { canonicalPath } from '../../formats/path.ts';
import { filelistsRecord, otherRecord, primaryRecord } from '../../formats/rpm/metadata-text.ts';
import { type Nevra, showNevra } from '../../formats/rpm/package.ts';
import { readRpm } from '../../formats/rpm/rpm-file.ts';
import { rpmPackage } from '../../formats/rpm/rpm-package.ts';
import { TAG } from '../../formats/rpm/tags.ts';
import type { ObjectStore } from '../../store/types.ts';
import type { NewPackage } from '../deb-intake.ts';
import { storeReading } from '../intake.ts';
import type { KeptRecords, RecordFile } from './record-file.ts';

export interface RpmAddition {
  readonly nevra: Nevra;
  readonly path: string;
  /** The `pkgid` of metadata, too. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly summary: string;
  readonly source: string;
  readonly group: string;
  readonly records: KeptRecords;
}

/** What rpm takes for names and versions, less what no path should hold. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9._+~^-]*$/;

/**
 * The payload is held against the digests in its headers. The time that metadata gives the file is that of its build:
 * when it came in would make other bytes of the same packages.
 */
export async function takeInRpm(
  objects: ObjectStore,
  file: RecordFile,
  { origin, source }: NewPackage,
): Promise<RpmAddition> {
  const { ref, content: rpm } = await storeReading(objects, { source, origin }, readRpm);
  const { nevra } = rpm;
  for (const [what, value] of Object.entries(nevra))
    if (!WORD.test(value))
      throw new KubedosError('format.syntax', `add ${origin}: ${what} ${JSON.stringify(value)} is not a plain word`);
  const path = packagePath(nevra, origin);
  const buildTime = rpm.header.number(TAG.buildTime) ?? 0;
  const place = {
    pkgid: ref.sha256,
    checksumType: 'sha256',
    href: path,
    fileTime: buildTime,
    packageBytes: ref.sizeBytes,
  };
  const { facts, files, changelogs } = rpmPackage(rpm, place);
  const records = await file.keep({
    primary: primaryRecord(facts, files),
    filelists: filelistsRecord(ref.sha256, nevra, files),
    other: otherRecord(ref.sha256, nevra, changelogs),
  });
  const { summary, sourceRpm, group } = facts;
  return { nevra, path, ...ref, summary, source: sourceRpm, group, records };
}

/** `Packages/h/hello-1.0-1.x86_64.rpm`, as distributions lay them out: without the epoch. */
function packagePath(nevra: Nevra, origin: string): string {
  const file = `${showNevra({ ...nevra, epoch: '0' })}.rpm`;
  return canonicalPath(`Packages/${nevra.name[0]?.toLowerCase()}/${file}`, origin);
}
