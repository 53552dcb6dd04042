import { parseChanges } from '../../../src/formats/apt/changes.ts';
import { unverifiedContent } from '../../../src/formats/apt/clearsign.ts';
import { parseContents, writeContents } from '../../../src/formats/apt/contents.ts';
import { formatReleaseDate, parseReleaseDate } from '../../../src/formats/apt/date.ts';
import { readDeb } from '../../../src/formats/apt/deb.ts';
import { parseStanzas, Stanza, writeStanzas } from '../../../src/formats/apt/deb822.ts';
import { formatDependencies, parseDependencies, parseProvides } from '../../../src/formats/apt/dependency.ts';
import { parseDsc } from '../../../src/formats/apt/dsc.ts';
import { parsePackageList } from '../../../src/formats/apt/package-list.ts';
import { packageEntry } from '../../../src/formats/apt/packages.ts';
import { parseRelease, type Release, writeRelease } from '../../../src/formats/apt/release.ts';
import { sourceEntry } from '../../../src/formats/apt/sources.ts';
import { translationEntry, translationStanza } from '../../../src/formats/apt/translation.ts';
import { compareVersions, formatVersion, parseVersion } from '../../../src/formats/apt/version.ts';
import { canonicalPath } from '../../../src/formats/path.ts';
import { parseSums } from '../../../src/sync/apt/installer-images.ts';
import { parseList, parseSources } from '../../../src/sync/apt/system-sources.ts';
import { golden } from '../../formats/golden.ts';
import { chunked } from '../../formats/support.ts';
import { arArchive, buildDeb, type FakePackage } from '../../support/fake-deb.ts';
import type { Parser } from '../property.ts';
import { listed, same } from '../same.ts';
import { mendTar, tars } from './packed.ts';

const lines = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const cut = (name: string): Buffer => golden(name).subarray(0, 12_000);

/** Each stanza to its checked entry; as they were read they are written. */
const stanzas = (read: (stanza: Stanza) => unknown) => async (bytes: Buffer, size: number) => {
  const found = await listed(parseStanzas(chunked(bytes, size), 'f'));
  const raws = (stanzas: readonly Stanza[]): Buffer[] => stanzas.map(({ raw }) => raw);
  await same(async () => raws(await listed(parseStanzas(writeStanzas(found), 'again'))), raws(found));
  for (const stanza of found) await read(stanza);
};

const FIELDS = [
  'Package: ',
  'Version: ',
  'Depends: ',
  'SHA256:',
  'Size: ',
  'Filename: ',
  'Description: ',
  ' .\n',
  ': ',
];
const debs: FakePackage[] = [
  { name: 'plain', version: '1.0', compression: 'none' },
  { name: 'zipped', version: '2:1.0-1' },
  { name: 'small', version: '1', compression: 'zst' },
  { name: 'tight', version: '1', compression: 'xz', fields: { Depends: 'plain (>= 1)' } },
];

/** The control archive of one that is not compressed. */
function mendDeb(bytes: Buffer): Buffer {
  const name = bytes.indexOf('control.tar ');
  if (name >= 0) mendTar(bytes.subarray(name + 60));
  return bytes;
}

const signed = (text: string): string =>
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${text}-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n`;

export const APT: readonly Parser[] = [
  {
    name: 'packages',
    samples: [cut('Packages')],
    tokens: FIELDS,
    run: stanzas((stanza) => {
      const entry = packageEntry(stanza, 'f');
      void [entry.source, entry.checksums, entry.synopsis];
      for (const field of ['Depends', 'Breaks']) parseDependencies(stanza.get(field) ?? '', 'f');
    }),
  },
  { name: 'sources', samples: [cut('Sources')], tokens: FIELDS, run: stanzas((stanza) => sourceEntry(stanza, 'f')) },
  {
    name: 'translation',
    samples: [cut('Translation-en')],
    tokens: [...FIELDS, 'Description-en: ', 'Description-md5: '],
    run: stanzas((stanza) => {
      const entry = translationEntry(stanza, 'f');
      return same(() => translationEntry(translationStanza(entry), 'again').description, entry.description);
    }),
  },
  {
    name: 'stanza',
    samples: [cut('tiny.dsc'), ...lines('A: b\n c\nD:\n .\n', 'a: \r\n b\r\n')],
    tokens: FIELDS,
    run: stanzas((stanza) => {
      const fields = stanza.fields();
      return same(() => Stanza.of(fields).fields(), fields);
    }),
  },
  {
    name: 'release',
    samples: [cut('Release-security'), ...lines('Suite: a\nDate: Sat, 11 Jul 2026 10:16:37 UTC\nSHA256:\n')],
    tokens: ['MD5Sum:\n', 'SHA256:\n', 'Date: ', 'Valid-Until: ', 'yes', ' UTC\n', '+0100', 'Signed-By:\n'],
    run: async (bytes) => {
      const release = parseRelease(bytes, 'f');
      // Without a value there is nothing to write.
      if (!/^[^\s#:]+:.*\S/m.test(bytes.toString())) return;
      const bare = ({ order: _, files, ...rest }: Release) => ({ ...rest, files: [...files].sort() });
      await same(() => bare(parseRelease(writeRelease(release), 'again')), bare(release));
    },
  },
  {
    name: 'contents',
    samples: [cut('Contents')],
    tokens: ['FILE LOCATION\n', ',', 'usr/bin/x y'],
    run: async (bytes, size) => {
      const found = await listed(parseContents(chunked(bytes, size), 'f'));
      // A first line that is a heading is one no more where something stood before it.
      const text = [...writeContents(found)];
      if (found.slice(0, 100).some(({ raw }) => /^FILE[ \t]+LOCATION/.test(raw.toString('latin1')))) return;
      await same(() => listed(parseContents(text, 'again')), found);
    },
  },
  {
    name: 'dsc',
    samples: [cut('tiny.dsc'), ...lines(signed(cut('tiny.dsc').toString()))],
    run: (bytes) => parseDsc(bytes, 'f'),
  },
  { name: 'changes', samples: [cut('tiny.changes')], run: (bytes) => parseChanges(bytes, 'f') },
  {
    name: 'clearsign',
    samples: lines(signed('Suite: a\n- -b\n'), 'no signature\n'),
    run: (bytes) => {
      const content = unverifiedContent(bytes, 'f');
      if (content.length > 2 * bytes.length + 2) throw new Error('more came out than went in');
    },
  },
  {
    name: 'dependencies',
    samples: lines(
      'python3:any (>= 3.11~) [!hurd-any linux-any] <!nocheck cross> <stage1> | b, c (<< 2)',
      'a (= 1:2-3)',
    ),
    tokens: [' | ', ' (>= ', ')', ' [', ']', ' <', '>', ', ', '!', 'a'],
    run: async (bytes) => {
      const text = bytes.toString();
      const found = parseDependencies(text, 'f');
      await same(() => parseDependencies(formatDependencies(found), 'again'), found);
      parseProvides(text, 'f');
    },
  },
  {
    name: 'version',
    samples: lines('1:2.0~rc1-3+b1', '0:1:2-3-4', '2.4.6'),
    tokens: ['~', '+', ':', '-', '0', '2147483648'],
    run: (bytes) => {
      const text = bytes.toString();
      if (compareVersions(text, text) !== 0) throw new Error('not equal to itself');
      const half = text.slice(0, text.length / 2);
      const sum = Math.sign(compareVersions(text, half)) + Math.sign(compareVersions(half, text));
      if (sum !== 0) throw new Error('the order depends on which is first');
      const version = parseVersion(text);
      return same(() => parseVersion(formatVersion(version), 'again'), version);
    },
  },
  {
    name: 'date',
    samples: lines('Sat, 11 Jul 2026 10:16:37 UTC', '1 Jan 0099 0:00:60 +2359', '31 Dec 9999 23:59 -2359'),
    tokens: [' UTC', ' GMT', ' Z', '+0000', '-9959', 'Feb', '00', '60', '9999', '0000'],
    run: (bytes) => {
      const date = parseReleaseDate(bytes.toString(), { origin: 'f', line: 1 });
      return same(() => parseReleaseDate(formatReleaseDate(date), { origin: 'again', line: 1 }), date);
    },
  },
  {
    name: 'package-list',
    samples: lines(
      'bash\nvim:amd64 # x\na=1\nzsh install\nb 1.0\n',
      'ii  bash  5.2  amd64  shell\nrc  old  1  all  x\n',
    ),
    tokens: ['ii  ', 'deinstall', '=', ':', ' #'],
    run: (bytes) => parsePackageList(bytes.toString(), 'f'),
  },
  {
    name: 'deb',
    samples: [
      ...(await Promise.all(debs.map(buildDeb))),
      ...tars.map((tar) =>
        arArchive([
          { name: 'debian-binary', bytes: Buffer.from('2.0\n') },
          { name: 'control.tar', bytes: tar },
          { name: 'data.tar', bytes: tar },
        ]),
      ),
    ],
    tokens: ['control.tar', 'control.tar.bz2 ', 'data.tar', '12 path=a\n'],
    mend: mendDeb,
    run: (bytes, size) => readDeb(chunked(bytes, size), 'f'),
  },
  {
    name: 'path',
    samples: lines('./a//b/../c', '/etc/passwd', 'pool/main/a/b.deb'),
    run: (bytes) => {
      const path = canonicalPath(bytes.toString(), 'f');
      return same(() => canonicalPath(path, 'again'), path);
    },
  },
  {
    name: 'installer-sums',
    samples: lines(`${'ab'.repeat(32)}  ./netboot/mini.iso\n${'cd'.repeat(32)} *x\n`),
    run: (bytes) => parseSums(bytes.toString(), 'a/SHA256SUMS'),
  },
  {
    name: 'apt-sources',
    samples: lines(
      'deb [arch=amd64] http://a/debian// b main # x\n',
      'Types: deb\nURIs: http://a/ file:/b\nSuites: c d\n',
    ),
    tokens: ['deb ', '[', ']', 'URIs: ', 'http://a', 'Suites: '],
    run: (bytes) => [parseList(bytes.toString()), parseSources(bytes.toString(), 'f')],
  },
];
