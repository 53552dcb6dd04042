/** Packages that rpmbuild of today does not make: of other tools, of older versions, of other distributions. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TAG } from '../../src/formats/rpm/tags.ts';
import { type TagValue, writeRpm } from './write-rpm.ts';

const [LESS, EQUAL, MISSING_OK, STRONG] = [1 << 1, 1 << 3, 1 << 19, 1 << 27];
const FILE_DIGESTS = 1035;
const NO_SOURCE = 1051;

/** Name, flags and version of each. */
type Relations = readonly (readonly [string | Uint8Array, number, string])[];
const REQUIRES = [TAG.requireName, TAG.requireFlags, TAG.requireVersion] as const;
const RECOMMENDS = [TAG.recommendName, TAG.recommendFlags, TAG.recommendVersion] as const;
const OLD_SUGGESTS = [TAG.oldSuggestName, TAG.oldSuggestFlags, TAG.oldSuggestVersion] as const;
const OLD_ENHANCES = [TAG.oldEnhanceName, TAG.oldEnhanceFlags, TAG.oldEnhanceVersion] as const;
const PROVIDES = [TAG.provideName, TAG.provideFlags, TAG.provideVersion] as const;

/** By name: `is-…` and `…source` do not name the package they are built of, `v3-…` have no region, as before rpm 4. */
const PACKAGES: Readonly<Record<string, readonly (readonly [number, TagValue])[]>> = {
  bare: [],
  'without-source': [],
  'is-source': [[TAG.sourcePackage, { int32: [1] }]],
  'is-nosrc': [
    [TAG.sourcePackage, { int32: [1] }],
    [NO_SOURCE, { int32: [0] }],
  ],
  'is-both': [
    [TAG.sourcePackage, { int32: [1] }],
    [TAG.sourceRpm, { text: 'both.src.rpm' }],
  ],
  'odd-files': files([
    'new\nline',
    "it's",
    'tab\tstop',
    'a\r\nb',
    '&amp;',
    '\u{1f600}',
    Buffer.from([0xe9, 0x85, 0x78]),
  ]),
  'odd-versions': [
    ...relations(PROVIDES, [
      ['empty', EQUAL, ''],
      ['epoch-only', EQUAL, '1:'],
      ['no-epoch', EQUAL, ':1'],
      ['release-only', EQUAL, '-5'],
      ['releases', EQUAL, '1-2-3'],
      ['colons', EQUAL, '1:2:3'],
      ['bad-epoch', EQUAL, 'x:1'],
      ['both', LESS | (1 << 2), '1'],
      ['unsaid', 0, '1-1'],
      ['bytes', LESS, 'ü"<\n>'],
    ]),
    ...relations(REQUIRES, [
      ['empty', EQUAL, ''],
      ['bad-epoch', EQUAL, 'x:1'],
      ['unsaid', 0, ''],
      ['again', EQUAL, '1'],
      ['again', EQUAL, '0:1'],
      ['again', EQUAL, '1'],
      ['again', EQUAL, '1'],
    ]),
  ],
  libc: relations(REQUIRES, [
    ['libc.so.6', 0, ''],
    ['libc.so.6(GLIBC_2.4', 0, ''],
    ['libc.so.6()(64bit)', 0, ''],
    ['last', 0, ''],
  ]),
  'libc-unclosed': relations(REQUIRES, [
    ['libc.so.6', 0, ''],
    ['libc.so.6(GLIBC_2.4', 0, ''],
    ['libc.so.6(GLIBC_2.5', 0, ''],
  ]),
  'libc-unversioned': relations(REQUIRES, [
    ['libc.so.6()(64bit)', 0, ''],
    ['libc.so.6(GLIBC_PRIVATE)(64bit)', 0, ''],
    ['libc.so.6(GLIBC_ABI)', 0, ''],
  ]),
  'whole-paths': [
    [TAG.oldFileNames, { strings: ['/usr/bin/one', '/etc/dir', Buffer.from('/usr/share/caf\xe9', 'latin1')] }],
    [TAG.fileModes, { int16: [0o100755, 0o040755, 0o120777] }],
    [TAG.fileFlags, { int32: [0, 0, 1 << 6] }],
    [FILE_DIGESTS, { strings: ['', '', ''] }],
    ...relations(REQUIRES, [['/usr/bin/one', 0, '']]),
  ],
  'without-flags': files(['a', 'b']).filter(([tag]) => tag !== TAG.fileFlags),
  'v3-nothing': [[TAG.epoch, { int32: [0] }]],
  'v3-unversioned': [
    [TAG.provideName, { strings: ['virtual', 'other'] }],
    ...relations(REQUIRES, [
      ['v3-unversioned', EQUAL, '1-1'],
      ['virtual', 0, ''],
    ]),
  ],
  'v3-versioned': relations(PROVIDES, [
    ['v3-versioned', EQUAL, '1-1'],
    ['virtual', 0, ''],
  ]),
  'v3-other-version': relations(PROVIDES, [['v3-other-version', EQUAL, '0:1-1']]),
  'in-no-folder': files(['a'], ''),
  'in-no-folder-source': files(['a.spec'], ''),
  'in-folders-source': files(['a']),
  'v3-paths-source': [[TAG.oldFileNames, { strings: ['a.spec'] }]],
  'v3-rooted-source': [[TAG.oldFileNames, { strings: ['/a'] }]],
  'v3-source': [[TAG.sourcePackage, { int32: [1] }]],
  'old-weak': [
    ...relations(REQUIRES, [
      ['optional', MISSING_OK | EQUAL, '1'],
      ['optional', MISSING_OK | EQUAL, '1'],
      ['libc.so.6(GLIBC_9)', MISSING_OK, ''],
      ['libc.so.6(GLIBC_2)', 0, ''],
    ]),
    ...relations(RECOMMENDS, [['new', 0, '']]),
    ...relations(OLD_SUGGESTS, [
      ['weak', 0, ''],
      ['strong', STRONG | LESS, '2'],
    ]),
    ...relations(OLD_ENHANCES, [
      ['strong', STRONG, ''],
      ['weak', 0, ''],
    ]),
  ],
};

function relations([name, flags, version]: readonly [number, number, number], list: Relations) {
  return [
    [name, { strings: list.map(([each]) => each) }],
    [flags, { int32: list.map(([, each]) => each) }],
    [version, { strings: list.map(([, , each]) => each) }],
  ] as const;
}

function files(names: readonly (string | Uint8Array)[], folder = '/usr/sbin/') {
  const each = <T>(value: T): T[] => names.map(() => value);
  return [
    [TAG.baseNames, { strings: names }],
    [TAG.dirNames, { strings: [folder] }],
    [TAG.dirIndexes, { int32: each(0) }],
    [TAG.fileModes, { int16: each(0o100644) }],
    [TAG.fileFlags, { int32: each(0) }],
    [FILE_DIGESTS, { strings: each('0'.repeat(64)) }],
  ] as const;
}

export async function writtenRpms(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, tags] of Object.entries(PACKAGES)) {
    const options = { tags: new Map(tags), sourceRpm: !/source$|^is-/.test(name), region: !name.startsWith('v3-') };
    const { bytes = '' } = await writeRpm({ name, version: '1', arch: 'x86_64' }, options);
    await writeFile(join(folder, `${name}-1-1.x86_64.rpm`), bytes);
  }
}
