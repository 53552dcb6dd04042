import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { treeFacts, treeFiles, treeImages, treeVariants } from '../../../src/formats/rpm/treeinfo.ts';
import { parseTreeinfo, treeinfoText } from '../../../src/formats/rpm/treeinfo-text.ts';
import { thrown } from '../support.ts';

const SUM = 'a'.repeat(64);
const TEXT = `; made by productmd
[checksums]
images/boot.iso = sha256:${SUM}
images/pxeboot/vmlinuz = sha256:${SUM}
repodata/repomd.xml = sha256:${SUM}
../../AppStream/x86_64/os/repodata/repomd.xml = sha256:${SUM}

[general]
; kept for old readers
family = Example
variant = BaseOS

[header]
type = productmd.treeinfo
version = 1.2

[images-x86_64]
boot.iso = images/boot.iso
kernel = images/pxeboot/vmlinuz
initrd = ./images/pxeboot/initrd.img

[images-xen-x86_64]
kernel = images/pxeboot/vmlinuz

[release]
name = Example Linux
version = 9

[stage2]
mainimage = images/install.img

[tree]
arch = x86_64
build_timestamp = 1714557600.5
variants = BaseOS,AppStream

[variant-BaseOS]
id = BaseOS
packages = Packages
repository = .
type = variant

[variant-AppStream]
id = AppStream
repository = ../../../AppStream/x86_64/os
`;
const tree = parseTreeinfo(Buffer.from(TEXT), 'treeinfo');
const parse = (text: string | Uint8Array) => parseTreeinfo(Buffer.from(text), 'treeinfo');

test('tells what the tree is, what it boots, and where its variants are', () => {
  expect(treeFacts(tree)).toEqual({
    headerVersion: '1.2',
    name: 'Example Linux',
    version: '9',
    arch: 'x86_64',
    variant: 'BaseOS',
    buildTime: 1714557600,
  });
  expect(treeImages(tree, 't').map(({ platform, name, path }) => `${platform} ${name} ${path}`)).toEqual([
    'x86_64 boot.iso images/boot.iso',
    'x86_64 kernel images/pxeboot/vmlinuz',
    'x86_64 initrd images/pxeboot/initrd.img',
    'xen kernel images/pxeboot/vmlinuz',
  ]);
  expect(treeVariants(tree, 't')).toMatchObject([
    { uid: 'BaseOS', type: 'variant', repository: { path: '' }, packages: { path: 'Packages' } },
    { uid: 'AppStream', repository: { written: '../../../AppStream/x86_64/os' } },
  ]);
  expect(treeVariants(tree, 't')[1]?.repository?.path).toBeUndefined();
});

test('lists each file once, those with a checksum first, and none of its neighbours', () => {
  expect(treeFiles(tree, 't').map(({ path, checksum }) => `${path} ${checksum?.algorithm ?? 'none'}`)).toEqual([
    'images/boot.iso sha256',
    'images/pxeboot/vmlinuz sha256',
    'repodata/repomd.xml sha256',
    'images/pxeboot/initrd.img none',
    'images/install.img none',
  ]);
});

test('what is written is read as the same', () => {
  expect(parse(treeinfoText(tree))).toEqual(tree);
  expect(treeinfoText(tree)).toContain('; made by productmd\n');
});

test('old files without a header, with paths of the host that made them', () => {
  const old = parse(
    `[general]\nfamily = CentOS\nversion = 6\narch: i386\ntimestamp = 1400000000.1\n[images-i386]\nkernel = /mnt/build/os/images/vmlinuz\n[checksums]\nimages/vmlinuz = ${'b'.repeat(40)}\n`,
  );
  expect(treeFacts(old)).toMatchObject({ name: 'CentOS', version: '6', arch: 'i386', headerVersion: undefined });
  expect(treeFiles(old, 't')).toEqual([
    { path: 'images/vmlinuz', checksum: { algorithm: 'sha1', hex: 'b'.repeat(40) } },
  ]);
});

/** What Python's configparser makes of each text, names as they are; that is what productmd reads it with. */
function configparser(texts: readonly string[]): unknown {
  const script = `import configparser, json, sys
def read(text):
  p = configparser.ConfigParser(interpolation=None, strict=False)
  p.optionxform = lambda name: name
  p.read_string(text)
  return {s: dict(p.items(s)) for s in p.sections()}
print(json.dumps([read(t) for t in json.load(sys.stdin)]))`;
  return JSON.parse(execFileSync('/usr/bin/python3', ['-c', script], { input: JSON.stringify(texts) }).toString());
}

test.each([
  ['[a]\nkey = one\n  two\n', 'a value that goes on'],
  ['[a]\nkey =\n  one\n', 'a value that begins in the next line'],
  ['[a]\n  x = 1\n    2\n  y = 3\n', 'keys that are indented'],
  ['[a]\nkey = one\n  [b]\n  c = d\n', 'what looks like a section within a value'],
  ['[a]\nkey = one\n; no\n  # nor\n  two\n', 'comments within a value'],
  ['[a] ; comment\nkey = one\n', 'a comment behind a section'],
  ['[a]# comment\n  key = one\n', 'another'],
  ['[a] whatever\nkey = one\n', 'something else there'],
  [' [a]\n key = one\n[b]\n', 'a section that is indented'],
  ['[a]\n[b]\nx: y = z ; no comment\n', 'the first of several marks'],
  ['[a]\r\nkey=one\r\n', 'lines of Windows'],
  ['[a] \u2028\nkey = one\u2028two\n', 'what is a line end to JavaScript alone'],
])('%j is taken as configparser takes it: %s', (text) => {
  const { sections } = parse(text);
  const read = sections.map(({ name, lines }) => [
    name,
    Object.fromEntries(lines.flatMap((line) => ('key' in line ? [[line.key, line.value]] : []))),
  ]);
  expect([Object.fromEntries(read)]).toEqual(configparser([text]));
  expect(parse(treeinfoText(parse(text)))).toEqual(parse(text));
});

test('a comment behind a section is kept there', () =>
  expect(treeinfoText(parse('[a] ; one\n[b] # two\nx = y\n'))).toBe('[a] ; one\n\n[b] # two\nx = y\n\n'));

test.each([`sha256:${SUM}`, `sha256 :${SUM}`, `sha256: ${SUM}`, `SHA256 : ${SUM.toUpperCase()}`, SUM, ` ${SUM} `])(
  'a checksum may be written as %j',
  (written) =>
    expect(treeFiles(parse(`[checksums]\nx = ${written}\n`), 't')).toEqual([
      { path: 'x', checksum: { algorithm: 'sha256', hex: SUM } },
    ]),
);

test.each([
  ['.', ''],
  ['Server/os', 'Server/os'],
  ['Server/os/', 'Server/os'],
  ['Server/os/repodata', 'Server/os'],
  ['Server/os/repodata/', 'Server/os'],
  ['repodata', ''],
  ['./repodata', ''],
  ['Server/myrepodata', 'Server/myrepodata'],
  ['../Server/repodata', undefined],
])('a variant whose repository is %j lies at %j', (repository, path) =>
  expect(treeVariants(parse(`[variant-A]\nrepository = ${repository}\n`), 't')[0]?.repository?.path).toBe(path),
);

test.each<[string, string, string]>([
  ['an image out of the tree', `[images-x]\nkernel = ../../etc/passwd\n`, 'format.path'],
  ['a checksum of a file out of the tree', `[checksums]\n../x = sha256:${SUM}\n`, 'format.path'],
  ['a checksum that is none', '[checksums]\nx = sha256:zz\n', 'format.syntax'],
  ['two checksums of one file', `[checksums]\nx = sha256:${SUM}\nx = sha256:${'b'.repeat(64)}\n`, 'format.syntax'],
])('refused: %s', (_, text, code) =>
  expect(thrown(() => treeFiles(parse(`${text}[header]\nversion = 1.2\n`), 't')).code).toBe(code),
);

test.each<[string, string, string]>([
  ['nothing', '', 'format.syntax'],
  ['text before a section', 'key = value\n[a]\n', 'format.syntax'],
  ['a line that is neither', '[a]\nnonsense\n', 'format.syntax'],
  ['too many lines', `[a]\n${'x = 1\n'.repeat(6000)}`, 'format.limit'],
  ['too many bytes', `[a]\nx = ${'y'.repeat(1024 * 1024)}`, 'format.limit'],
])('refused: %s', (_, text, code) => expect(thrown(() => parse(text)).code).toBe(code));
