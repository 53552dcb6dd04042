import { expect, test } from 'vitest';
import { inFolder, repositoryOf } from '../../../src/formats/rpm/layout.ts';
import { quickestRecord } from '../../../src/formats/rpm/quickest-record.ts';
import type { RepomdRecord } from '../../../src/formats/rpm/repomd.ts';

const record = (type: string, path: string): RepomdRecord => ({
  type,
  path: `repodata/${path}`,
  checksum: { algorithm: 'sha256', hex: 'a'.repeat(64) },
});

test('of several forms of one file the quickest to read is taken', () => {
  const all = [
    record('primary', 'primary.xml.xz'),
    record('primary_zck', 'primary.xml.zck'),
    record('primary_db', 'primary.sqlite.xz'),
    record('primary_gz', 'primary.xml.gz'),
    record('filelists', 'filelists.xml.bz2'),
  ];
  expect(quickestRecord(all, 'primary')?.path).toBe('repodata/primary.xml.gz');
  expect(quickestRecord(all.slice(0, 3), 'primary')?.path).toBe('repodata/primary.xml.zck');
  expect(quickestRecord(all, 'filelists')?.path).toBe('repodata/filelists.xml.bz2');
  expect(quickestRecord(all, 'other')).toBeUndefined();
});

test('a repository is where its repomd.xml says', () => {
  expect(repositoryOf('repodata/repomd.xml')).toBe('');
  expect(repositoryOf('BaseOS/x86_64/os/repodata/repomd.xml')).toBe('BaseOS/x86_64/os');
  for (const path of ['repodata/repomd.xml.asc', 'a/repodatax/repomd.xml', 'xrepodata/repomd.xml'])
    expect(repositoryOf(path)).toBeUndefined();
  expect([inFolder('', 'a'), inFolder('b/c', 'a')]).toEqual(['a', 'b/c/a']);
});
