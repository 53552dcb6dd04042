/** Our metadata against createrepo_c's, byte for byte. */
import { hash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
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
import { primaryPackage, primaryPlace, primaryRecords } from '../../../src/formats/rpm/primary.ts';
import { readRpm } from '../../../src/formats/rpm/rpm-file.ts';
import { type RpmPackage, rpmPackage } from '../../../src/formats/rpm/rpm-package.ts';
import { buildRpms, createRepo, hardSpec, metadataOf } from '../../support/build-rpm.ts';

let dir: string;
let repo: string;
/** By checksum. */
const own = new Map<string, RpmPackage>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-createrepo-'));
  repo = join(dir, 'repo');
  const names = await buildRpms(await hardSpec(), repo, dir);
  await createRepo(repo);
  for (const href of names) {
    const file = join(repo, href);
    const bytes = await readFile(file);
    const pkgid = hash('sha256', bytes, 'hex');
    const { mtimeMs } = await stat(file);
    const place = {
      pkgid,
      checksumType: 'sha256',
      href,
      fileTime: Math.floor(mtimeMs / 1000),
      packageBytes: bytes.length,
    };
    own.set(pkgid, rpmPackage(await readRpm([bytes], href), place));
  }
}, 120_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

async function recordsOf(type: 'primary' | 'filelists' | 'other'): Promise<Buffer[]> {
  const read = { primary: primaryRecords, filelists: filelistsRecords, other: otherRecords }[type];
  const found: Buffer[] = [];
  for await (const batch of read([await metadataOf(repo, type)], type)) found.push(...batch);
  expect(found.map((record) => record.toString()).sort()).toHaveLength(own.size);
  return found;
}
const ownOf = (pkgid: string): RpmPackage => {
  const found = own.get(pkgid);
  if (found === undefined) throw new Error(`no package ${pkgid}`);
  return found;
};

test('there are packages of every sort', () => {
  const all = [...own.values()];
  expect(all.map(({ facts }) => `${facts.name}.${facts.arch}`).sort()).toEqual([
    'empty.noarch',
    'hard.src',
    'hard.x86_64',
    'plain.x86_64',
  ]);
  const hard = all.find(({ facts }) => facts.name === 'hard' && facts.arch === 'x86_64');
  expect(hard?.files.length).toBeGreaterThan(50_000);
  expect(hard?.changelogs).toHaveLength(10);
  expect(new Set(hard?.files.map(({ type }) => type))).toEqual(new Set(['file', 'dir', 'ghost']));
  expect(Object.keys(hard?.facts.capabilities ?? {}).sort()).toHaveLength(8);
});

test('primary is that of createrepo_c, read back and written again too', async () => {
  for (const record of await recordsOf('primary')) {
    const read = primaryPackage(record, 'primary');
    const { facts, files } = ownOf(read.pkgid);
    expect(primaryRecord(facts, files)).toBe(record.toString());
    expect(primaryRecord(read, read.files)).toBe(record.toString());
    const { name, epoch, version, release, arch, href, packageBytes } = read;
    expect(primaryPlace(record, 'primary')).toMatchObject({ name, epoch, version, release, arch, href, packageBytes });
  }
});

test('filelists are those of createrepo_c', async () => {
  for (const record of await recordsOf('filelists')) {
    const pkgid = recordPkgid(record, 'filelists');
    const { facts, files } = ownOf(pkgid);
    expect(filelistsRecord(pkgid, facts, files)).toBe(record.toString());
    expect(filesOf(record, 'filelists')).toEqual(files);
  }
});

test('other is that of createrepo_c', async () => {
  for (const record of await recordsOf('other')) {
    const pkgid = recordPkgid(record, 'other');
    const { facts, changelogs } = ownOf(pkgid);
    expect(otherRecord(pkgid, facts, changelogs)).toBe(record.toString());
    expect(changelogsOf(record, 'other')).toEqual(changelogs);
  }
});
