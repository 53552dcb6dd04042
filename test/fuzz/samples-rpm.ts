/** Small files of rpm repositories: what the helpers of the tests make, and by hand what they do not. */
import { gunzipSync } from 'node:zlib';
import { TAG } from '../../src/formats/rpm/tags.ts';
import type { FakeKey } from '../support/fake-key.ts';
import { fakeYum } from '../support/fake-yum.ts';
import { headerBytes, rpmFile, type TagValue, writeRpm } from '../support/write-rpm.ts';

const tags = new Map<number, TagValue>([
  [TAG.description, { i18n: ['A & b', 'Übersetzt'] }],
  [TAG.buildTime, { int32: [1_714_608_000] }],
  [TAG.provideName, { strings: ['a', 'liba.so.1()(64bit)'] }],
  [TAG.provideFlags, { int32: [8, 0] }],
  [TAG.provideVersion, { strings: ['1:1-1', ''] }],
  [TAG.requireName, { strings: ['b', 'libc.so.6(GLIBC_2.4)', '(c or d)'] }],
  [TAG.requireFlags, { int32: [12, 0, 64] }],
  [TAG.requireVersion, { strings: ['2-3', '', ''] }],
  [TAG.baseNames, { strings: ['a', 'a.conf', 'doc'] }],
  [TAG.dirNames, { strings: ['/usr/bin/', '/etc/', '/usr/share/'] }],
  [TAG.dirIndexes, { int32: [0, 1, 2] }],
  [TAG.fileModes, { int16: [0o100755, 0o100644, 0o040755] }],
  [TAG.fileFlags, { int32: [0, 1, 64] }],
  [TAG.changelogTime, { int32: [1_700_000_000, 1_700_000_000, 1_600_000_000] }],
  [TAG.changelogName, { strings: ['A <a@example.org> - 1  ', 'B', Buffer.from('é', 'latin1')] }],
  [TAG.changelogText, { strings: ['- new', '- newer', '- old'] }],
  [TAG.longSize, { int64: [4096n] }],
]);
const basic = new Map<number, TagValue>([
  ...[TAG.name, TAG.version, TAG.release, TAG.arch, TAG.sourceRpm].map((tag) => [tag, { text: 'a1' }] as const),
  ...tags,
]);
const signature = headerBytes(new Map([[999, { text: 'nothing' }]]), TAG.headerSignatures);

/** The second has no digests, so that what was changed in its header is read nevertheless. */
export const rpms = [
  Buffer.from((await writeRpm({ name: 'a', version: '1' }, { tags })).bytes ?? []),
  rpmFile(signature, headerBytes(basic, TAG.headerImmutable), Buffer.from('payload')),
];

const packages = [
  { name: 'a', version: '1', requires: ['b', '(c or d)'], files: ['/usr/bin/a', '/etc/a & b'] },
  { name: 'b', version: '2', epoch: '1', arch: 'x86_64', base: 'https://example.org/' },
];
const repository = { packages, timestamp: 1_714_608_000, signed: false };
// Nothing is signed: no key is asked for anything.
const files = await fakeYum({ key: undefined as unknown as FakeKey, repositories: { '': repository } });
const named = (name: string): Buffer[] =>
  [...files]
    .filter(([path]) => path.endsWith(name))
    .map(([, bytes]) => (name.endsWith('.gz') ? gunzipSync(bytes) : bytes));

const commented = (bytes: Buffer): Buffer => Buffer.from(bytes.toString().replace('<package', '<!-- x --><package'));
export const primary = named('primary.xml.gz').flatMap((bytes) => [bytes, commented(bytes)]);
export const filelists = named('filelists.xml.gz').flatMap((bytes) => [bytes, commented(bytes)]);
export const other = named('other.xml.gz').map((bytes) =>
  Buffer.from(
    bytes
      .toString()
      .replace('</package>', '<changelog author="A &lt;a@b&gt; - 1" date="1700000000">- x</changelog></package>'),
  ),
);
export const repomds = named('repomd.xml');

export const METALINK = `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files><file name="repomd.xml"><mm0:timestamp>1700000000</mm0:timestamp><size>3000</size>
  <verification><hash type="sha256">${'ab'.repeat(32)}</hash></verification>
  <mm0:alternates><mm0:alternate><size>1</size><verification><hash type="md5">${'cd'.repeat(16)}</hash></verification></mm0:alternate></mm0:alternates>
  <resources><url protocol="https" preference="100">https://a.example.org/x/repodata/repomd.xml</url>
   <url preference="99">http://b.example.org/repodata/repomd.xml</url><url>rsync://c/repodata/repomd.xml</url></resources>
 </file></files></metalink>
`;

export const COMPS = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group><id>core</id><name>Core</name><name xml:lang="de">Kern</name><description/><default>true</default>
    <packagelist><packagereq type="mandatory">bash</packagereq><packagereq type="conditional" requires="x">y</packagereq></packagelist></group>
  <environment><id>min</id><name>Minimal</name><grouplist><groupid>core</groupid></grouplist>
    <optionlist><groupid default="true">core</groupid></optionlist></environment>
  <category><id>c</id><grouplist><groupid>core</groupid></grouplist></category>
  <langpacks><match name="a" install="a-%s"/></langpacks>
</comps>
`;

export const UPDATEINFO = `<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="x" status="final" type="security" version="1"><id>RL-1</id><title>t &amp; u</title>
  <issued date="2024-01-02 03:04:05"/><updated date="1700000000"/><severity>Low</severity>
  <references><reference href="https://a" id="CVE-2024-1234" type="cve" title="x"/></references>
  <pkglist><collection short="s"><name>n</name><module name="m" stream="1" version="2" context="c" arch="x86_64"/>
   <package name="ab" version="1" release="2" epoch="0" arch="x86_64" src="a.src.rpm"><filename>a.rpm</filename><sum type="sha256">ab</sum><reboot_suggested>True</reboot_suggested></package>
   <package name="abc" version="1" release="2" arch="noarch"/></collection></pkglist></update>
</updates>
`;

export const MODULES = `---
document: modulemd
version: 2
data:
  name: nodejs
  stream: "18"
  version: 8090020240101
  context: abcdef
  arch: x86_64
  summary: >-
    Javascript runtime
  dependencies:
  - buildrequires: {platform: [el9]}
    requires: {platform: [el9]}
  profiles: {common: {rpms: [nodejs, npm]}}
  artifacts:
    rpms:
    - nodejs-1:18.19.0-1.module+el9.x86_64
    - npmx-1:18.19.0-1.module+el9.noarch
...
---
# a comment
document: modulemd-defaults
version: 1
data: {module: nodejs, stream: 18, profiles: {18: [common]}}
`;

export const TREEINFO = `; made by hand
[header]
type = productmd.treeinfo
version = 1.2

[release]
name = Rocky Linux
version = 9.4

[tree]
arch = x86_64
build_timestamp = 1714608000.5
platforms = x86_64,xen
variants = BaseOS

[variant-BaseOS]
id = BaseOS
repository = ../BaseOS/os/
packages = Packages
description = first
\tsecond

[images-x86_64]
kernel = images/pxeboot/vmlinuz

[stage2]
mainimage = images/install.img

[checksums]
images/install.img = sha256:${'ab'.repeat(32)}
`;
