/** Our metadata against createrepo_c's, byte for byte, over several hundred packages. */
import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  changelogsOf,
  filelistsRecords,
  filesOf,
  otherRecords,
  recordPkgid,
} from '../../../src/formats/rpm/filelists.ts';
import { filelistsRecord, otherRecord, primaryRecord } from '../../../src/formats/rpm/metadata-text.ts';
import { DEPENDENCY_KINDS } from '../../../src/formats/rpm/package.ts';
import { primaryPackage, primaryPlace } from '../../../src/formats/rpm/primary.ts';
import { primaryRecords } from '../../../src/formats/rpm/primary-records.ts';
import { type RpmFile, readRpm } from '../../../src/formats/rpm/rpm-file.ts';
import { type PackagePlace, type RpmPackage, rpmPackage } from '../../../src/formats/rpm/rpm-package.ts';
import { createRepo, metadataOf } from '../../support/build-rpm.ts';
import { rpmRepo } from '../../support/rpm-repo.ts';

interface Own extends RpmPackage {
  readonly rpm: RpmFile;
  readonly place: PackagePlace;
}

let dir: string;
let repo: string;
/** By checksum. */
const own = new Map<string, Own>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-golden-'));
  repo = await rpmRepo(dir);
  for (const href of (await readdir(repo)).filter((name) => name.endsWith('.rpm'))) {
    const file = join(repo, href);
    const bytes = await readFile(file);
    const pkgid = hash('sha256', bytes, 'hex');
    const fileTime = Math.floor((await stat(file)).mtimeMs / 1000);
    const place = { pkgid, checksumType: 'sha256', href, fileTime, packageBytes: bytes.length };
    const rpm = await readRpm([bytes], href);
    own.set(pkgid, { rpm, place, ...rpmPackage(rpm, place) });
  }
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const READERS = { primary: primaryRecords, filelists: filelistsRecords, other: otherRecords };

/** Holds all records of createrepo_c against those that `write` makes. */
async function compare(
  folder: string,
  type: keyof typeof READERS,
  write: (own: Own, record: Buffer) => string,
): Promise<void> {
  const differences: unknown[] = [];
  let count = 0;
  for await (const batch of READERS[type]([await metadataOf(folder, type)], type))
    for (const record of batch) {
      count += 1;
      const pkgid = type === 'primary' ? primaryPlace(record, type).pkgid : recordPkgid(record, type);
      const found = own.get(pkgid);
      if (found === undefined) throw new Error(`no package ${pkgid}`);
      const difference = firstDifference(write(found, record), record.toString());
      if (difference) differences.push({ of: found.place.href, ...difference });
    }
  expect(differences).toEqual([]);
  expect(count).toBe(own.size);
}

function firstDifference(ours: string, theirs: string): { ours: string; theirs: string } | undefined {
  if (ours === theirs) return undefined;
  const [a, b] = [ours.split('\n'), theirs.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  return { ours: a[at] ?? '', theirs: b[at] ?? '' };
}

test('there are packages of every sort', () => {
  const all = [...own.values()];
  expect(all.length).toBeGreaterThan(350);
  const facts = all.map((each) => each.facts);
  expect(new Set(facts.map(({ arch }) => arch))).toEqual(new Set(['x86_64', 'i686', 'noarch', 'src']));
  for (const kind of DEPENDENCY_KINDS) {
    const list = facts.flatMap(({ capabilities }) => capabilities[kind] ?? []);
    expect(new Set(list.map(({ flags }) => flags)).size, kind).toBe(6);
  }
  const hard = all.find(({ facts }) => facts.name === 'hard' && facts.arch === 'x86_64');
  expect(hard?.files.length).toBeGreaterThan(50_000);
  expect(new Set(hard?.files.map(({ type }) => type))).toEqual(new Set(['file', 'dir', 'ghost']));
});

/** What %pretrans and %posttrans need is marked by createrepo_c since 1.1.1, and by us; that of Debian 12 is 0.17.3. */
const isMarkedLater = ({ facts }: Own): boolean => facts.name === 'trans';
const MARK = ' pre="1"';

test('primary is that of createrepo_c, read back and written again too', async () => {
  await compare(repo, 'primary', (each) => {
    const text = primaryRecord(each.facts, each.files);
    return isMarkedLater(each) ? text.replaceAll(MARK, '') : text;
  });
  await compare(repo, 'primary', (_, record) => {
    const read = primaryPackage(record, 'primary');
    const { name, epoch, version, release, arch, href, packageBytes } = read;
    expect(primaryPlace(record, 'primary')).toMatchObject({ name, epoch, version, release, arch, href, packageBytes });
    return primaryRecord(read, read.files);
  });
});

test('what scripts of the transaction need is marked', () => {
  const { facts } = [...own.values()].find(isMarkedLater) as Own;
  expect(facts.capabilities.requires?.map(({ name, pre }) => [name, pre])).toEqual([
    ['/usr/bin/python3', true],
    ['after', true],
    ['before', true],
  ]);
});

test('filelists are those of createrepo_c', () =>
  compare(repo, 'filelists', ({ facts, files }, record) => {
    expect(filesOf(record, 'filelists')).toEqual(files);
    return filelistsRecord(facts.pkgid, facts, files);
  }));

test('other is that of createrepo_c', () =>
  compare(repo, 'other', ({ facts, changelogs }, record) => {
    expect(changelogsOf(record, 'other')).toEqual(changelogs);
    return otherRecord(facts.pkgid, facts, changelogs);
  }));

test('changelogs of thousands are those of createrepo_c', async () => {
  const limit = 10_000;
  await createRepo(repo, '--changelog-limit', String(limit), '--outputdir', dir);
  let most = 0;
  await compare(dir, 'other', ({ rpm, place }) => {
    const { facts, changelogs } = rpmPackage(rpm, place, { changelogLimit: limit });
    most = Math.max(most, changelogs.length);
    return otherRecord(facts.pkgid, facts, changelogs);
  });
  expect(most).toBeGreaterThan(3000);
});
