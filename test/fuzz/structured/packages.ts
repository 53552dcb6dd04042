/** Whole primary.xml and repomd.xml files. */
import fc, { type Arbitrary } from 'fast-check';
import { DEPENDENCY_KINDS } from '../../../src/formats/rpm/package.ts';
import { arch, checksum, count, epoch, hex, name, path, version } from './values.ts';
import { anyText, element, extra, file, leaf, many, maybe } from './xml.ts';

const entry = element('rpm:entry', {
  name: fc.oneof(name, fc.constantFrom('(a or b)', 'lib.so()(64bit)', '/usr/bin/a')),
  'flags?': fc.constantFrom('EQ', 'LT', 'LE', 'GE', 'GT'),
  'epoch?': epoch,
  'ver?': version,
  'rel?': version,
  'pre?': fc.constantFrom('0', '1'),
});
const dependencies = fc.tuple(...DEPENDENCY_KINDS.map((kind) => maybe(element(`rpm:${kind}`, {}, many(entry)))));
const files = many(
  leaf(
    'file',
    name.map((each) => `/etc/${each}`),
    { 'type?': fc.constantFrom('dir', 'ghost') },
  ),
);

const format = element(
  'format',
  {},
  ...['license', 'vendor', 'group', 'buildhost', 'sourcerpm'].map((each) => maybe(leaf(`rpm:${each}`, anyText))),
  maybe(element('rpm:header-range', { 'start?': count, 'end?': count })),
  dependencies.map((list) => list.join('')),
  files,
  extra,
);
const record = element(
  'package',
  { type: fc.constant('rpm') },
  leaf('name', name),
  leaf('arch', arch),
  element('version', { 'epoch?': epoch, ver: version, rel: version }),
  leaf('checksum', hex(64), { 'type?': fc.constantFrom('sha256', 'sha'), 'pkgid?': fc.constant('YES') }),
  ...['summary', 'description', 'packager', 'url'].map((each) => maybe(leaf(each, anyText))),
  maybe(element('time', { 'file?': count, 'build?': count })),
  maybe(element('size', { 'package?': count, 'installed?': count, 'archive?': count })),
  element('location', { href: path, 'xml:base?': anyText }),
  maybe(format),
  extra,
);
export const primaryFile: Arbitrary<Uint8Array> = file(
  element(
    'metadata',
    { 'packages?': count, 'xmlns:rpm': fc.constant('http://linux.duke.edu/metadata/rpm') },
    many(record, 2),
  ),
);

const sum = (tag: string): Arbitrary<string> =>
  checksum.chain(([algorithm, digits]) => leaf(tag, fc.constant(digits), { type: fc.constant(algorithm) }));
const data = element(
  'data',
  { type: fc.oneof(fc.constantFrom('primary', 'group', 'updateinfo', 'primary_zck'), name) },
  sum('checksum'),
  maybe(sum('open-checksum')),
  maybe(sum('header-checksum')),
  element('location', { href: path, 'xml:base?': anyText }),
  ...['timestamp', 'size', 'open-size', 'header-size', 'database_version'].map((each) => maybe(leaf(each, count))),
  extra,
);
const tags = element(
  'tags',
  {},
  many(leaf('content', anyText)),
  many(leaf('repo', anyText)),
  many(leaf('distro', anyText, { 'cpeid?': anyText })),
);
export const repomdFile: Arbitrary<Uint8Array> = file(
  element('repomd', { 'xmlns?': anyText }, maybe(leaf('revision', anyText)), maybe(tags), many(data), extra),
);
