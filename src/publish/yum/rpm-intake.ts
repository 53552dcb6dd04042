/** Takes .rpm files into the store and finds their places in a repository. */
import { createReadStream } from 'node:fs';
import pLimit from 'p-limit';
import { KubedosError } from '../../errors.ts';
import { canonicalPath } from '../../formats/path.ts';
import { filelistsRecord, otherRecord, primaryRecord } from '../../formats/rpm/metadata-text.ts';
import { type Nevra, showNevra } from '../../formats/rpm/package.ts';
import { readRpm } from '../../formats/rpm/rpm-file.ts';
import { rpmPackage } from '../../formats/rpm/rpm-package.ts';
import { TAG } from '../../formats/rpm/tags.ts';
import type { Run } from '../../progress.ts';
import { withScratch } from '../../store/scratch.ts';
import type { ObjectStore, Store } from '../../store/types.ts';
import type { NewPackage } from '../deb-intake.ts';
import { storeReading } from '../intake.ts';
import type { RepoChange } from '../local-repo.ts';
import { type PackageSigning, signedPackage } from './package-signing.ts';
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

const PARALLEL_INTAKES = 8;

/** In the order given. All end before the first failure comes out: they write to one file. */
export async function takeInRpms(
  deps: {
    readonly store: Pick<Store, 'objects' | 'file'>;
    /** Undefined: packages stay as they are. */
    readonly signing: PackageSigning | undefined;
  },
  of: { readonly mirror: string; readonly add: NonNullable<RepoChange['add']>; readonly file: RecordFile },
  { signal }: Run,
): Promise<RpmAddition[]> {
  const { store, signing } = deps;
  const take = (wanted: NewPackage): Promise<RpmAddition> =>
    signing === undefined
      ? takeInRpm(store.objects, of.file, wanted)
      : withScratch(store, 'sign', async (folder) => {
          const source = createReadStream(await signedPackage(signing, wanted, { folder, signal }));
          return takeInRpm(store.objects, of.file, { ...wanted, source });
        });
  const limit = pLimit(PARALLEL_INTAKES);
  const tasks: Promise<RpmAddition>[] = [];
  for await (const wanted of of.add)
    tasks.push(
      limit(() => {
        if (signal?.aborted) throw new KubedosError('cancelled', `change ${of.mirror}: stopped`);
        return take(wanted);
      }),
    );
  const settled = await Promise.allSettled(tasks);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/**
 * The payload is held against the digests in its headers. The time that metadata gives the file is that of its build:
 * when it came in would make other bytes of the same packages.
 */
async function takeInRpm(objects: ObjectStore, file: RecordFile, { origin, source }: NewPackage): Promise<RpmAddition> {
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
