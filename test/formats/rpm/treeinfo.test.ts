import { expect, test } from 'vitest';
import {
  parseTreeinfo,
  treeFacts,
  treeFiles,
  treeImages,
  treeinfoText,
  treeVariants,
} from '../../../src/formats/rpm/treeinfo.ts';
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

test('values go on in indented lines', () =>
  expect(parse('[a]\nkey = one\n  two\n').sections[0]?.lines).toEqual([{ key: 'key', value: 'one\ntwo' }]));

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
