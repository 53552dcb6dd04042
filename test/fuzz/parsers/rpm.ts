/** Packages of rpm repositories, and what primary, filelists and other tell of them. */
import {
  changelogsOf,
  filelistsRecords,
  filesOf,
  otherRecords,
  recordPkgid,
} from '../../../src/formats/rpm/filelists.ts';
import { filelistsRecord, otherRecord, primaryRecord } from '../../../src/formats/rpm/metadata-text.ts';
import { primaryPackage, primaryPlace } from '../../../src/formats/rpm/primary.ts';
import { primaryRecords } from '../../../src/formats/rpm/primary-records.ts';
import { readRpm } from '../../../src/formats/rpm/rpm-file.ts';
import { rpmPackage } from '../../../src/formats/rpm/rpm-package.ts';
import { chunked } from '../../formats/support.ts';
import type { Parser } from '../property.ts';
import { listed, same, settles } from '../same.ts';
import { filelists, other, primary, rpms } from '../samples-rpm.ts';
import { primaryFile } from '../structured/packages.ts';
import { XML } from '../tokens.ts';

const place = { pkgid: 'ab', checksumType: 'sha256', href: 'a.rpm', fileTime: 1, packageBytes: 2 };
const nevra = { name: 'n', epoch: '0', version: '1', release: '1', arch: 'noarch' };

async function records(source: AsyncIterable<Buffer[]>, read: (record: Buffer) => unknown): Promise<void> {
  for await (const batch of source) for (const record of batch) await read(record);
}

export const RPM: readonly Parser[] = [
  {
    name: 'rpm',
    samples: rpms,
    run: async (bytes, size) => {
      const { facts, files, changelogs } = rpmPackage(await readRpm(chunked(bytes, size), 'f'), place);
      const written = primaryRecord(facts, files);
      const file = ['<metadata>', written, '</metadata>'].map((part) => Buffer.from(part));
      await same(async () => (await listed(primaryRecords(file, 'again'))).join(), written);
      await same(() => {
        const { name, capabilities } = primaryPackage(Buffer.from(written), 'again');
        return primaryRecord({ ...facts, name, capabilities }, files);
      }, written);
      const other = Buffer.from(otherRecord('ab', facts, changelogs));
      await same(() => changelogsOf(other, 'again').length, changelogs.length);
      const list = Buffer.from(filelistsRecord('ab', facts, files));
      await same(() => filesOf(list, 'again').length, files.length);
    },
  },
  {
    name: 'primary',
    samples: primary,
    arbitrary: primaryFile,
    tokens: [
      ...XML,
      '<rpm:entry name="a" flags="EQ" ver="1"/>',
      '<rpm:requires>',
      '</rpm:requires>',
      '<format>',
      '</format>',
      '<file>',
      '</file>',
    ],
    run: (bytes, size) =>
      records(primaryRecords(chunked(bytes, size), 'f'), async (record) => {
        primaryPlace(record, 'f');
        await settles(
          primaryPackage(record, 'f'),
          (facts) => primaryRecord(facts, facts.files),
          (text) => primaryPackage(Buffer.from(text), 'again'),
        );
      }),
  },
  {
    name: 'filelists',
    samples: filelists,
    tokens: [...XML, '<file type="dir">', '</file>', ' pkgid="ab"'],
    run: (bytes, size) =>
      records(filelistsRecords(chunked(bytes, size), 'f'), async (record) => {
        recordPkgid(record, 'f');
        await settles(
          filesOf(record, 'f'),
          (files) => filelistsRecord('ab', nevra, files),
          (text) => filesOf(Buffer.from(text), 'again'),
        );
      }),
  },
  {
    name: 'other',
    samples: other,
    tokens: [...XML, '<changelog author="a" date="1">', '</changelog>'],
    run: (bytes, size) =>
      records(otherRecords(chunked(bytes, size), 'f'), async (record) => {
        recordPkgid(record, 'f');
        await settles(
          changelogsOf(record, 'f'),
          (logs) => otherRecord('ab', nevra, logs),
          (text) => changelogsOf(Buffer.from(text), 'again'),
        );
      }),
  },
];
