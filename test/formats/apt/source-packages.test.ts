import { describe, expect, it } from 'vitest';
import { parseChanges } from '../../../src/formats/apt/changes.ts';
import { unverifiedContent } from '../../../src/formats/apt/clearsign.ts';
import { parseStanza, parseStanzasOf, writeStanzas } from '../../../src/formats/apt/deb822.ts';
import { formatDependencies, parseDependencies } from '../../../src/formats/apt/dependency.ts';
import { parseDsc } from '../../../src/formats/apt/dsc.ts';
import { sourceEntry } from '../../../src/formats/apt/sources.ts';
import { golden } from '../golden.ts';
import { thrown } from '../support.ts';

const MD5 = '1'.repeat(32);
const SHA256 = '3'.repeat(64);
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----\n\niQEz=\n=kNoz\n-----END PGP SIGNATURE-----\n';
const signed = (text: string) => `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${text}\n${SIGNATURE}`;

describe('the Sources of Debian', () => {
  it('are read, and put together again to the byte', () => {
    const bytes = golden('Sources');
    const stanzas = [...parseStanzasOf(bytes, 'Sources')];
    expect(Buffer.concat([...writeStanzas(stanzas)]).equals(bytes)).toBe(true);
    const entries = stanzas.map((stanza) => sourceEntry(stanza, 'Sources'));
    expect(entries.map((one) => one.name)).toEqual(['acl', 'bash', 'hello', 'libselinux', 'mawk', 'zlib']);
    const hello = entries.find((one) => one.name === 'hello');
    expect(hello).toMatchObject({ version: '2.10-3', directory: 'pool/main/h/hello', binaries: ['hello'] });
    expect(hello?.files.map((file) => [file.path, file.digest.algorithm])).toEqual([
      ['pool/main/h/hello/hello_2.10-3.dsc', 'sha256'],
      ['pool/main/h/hello/hello_2.10.orig.tar.gz', 'sha256'],
      ['pool/main/h/hello/hello_2.10.orig.tar.gz.asc', 'sha256'],
      ['pool/main/h/hello/hello_2.10-3.debian.tar.xz', 'sha256'],
    ]);
    expect(entries.find((one) => one.name === 'zlib')?.binaries).toContain('zlib1g-udeb');
    for (const stanza of stanzas)
      for (const field of ['Build-Depends', 'Build-Depends-Arch', 'Build-Depends-Indep', 'Build-Conflicts']) {
        const value = stanza.get(field) ?? '';
        expect(formatDependencies(parseDependencies(value, 'Sources'))).toBe(value);
      }
  });
});

describe('a source package of an index', () => {
  const text = (directory: string, files = `Files:\n ${MD5} 0 a.dsc\n`) =>
    `Package: a\nVersion: 1\n${directory}${files}Checksums-Sha256:\n ${SHA256} 0 a.dsc\n ${SHA256} 7 a+b~.tar.xz\n`;
  const entry = (directory: string, files?: string) =>
    sourceEntry(parseStanza(text(directory, files), 'Sources'), 'Sources');

  it('has the files of all its lists, whichever list they are in', () => {
    expect(entry('Directory: pool/a\n').files).toMatchObject([
      { path: 'pool/a/a.dsc', sizeBytes: 0, checksums: { md5: MD5, sha256: SHA256 } },
      { path: 'pool/a/a+b~.tar.xz', sizeBytes: 7 },
    ]);
    expect(entry('Directory: pool/a\n', '').files.length).toBe(2);
  });

  it.each(['Directory: .\n', 'Directory:\n', 'Directory: ./\n'])('may lie at the root: %j', (directory) => {
    expect(entry(directory).files[0]?.path).toBe('a.dsc');
  });

  it.each([
    ['no Directory', '', undefined, 'format.syntax'],
    ['a Directory that escapes', 'Directory: ../x\n', undefined, 'format.path'],
    ['an absolute Directory', 'Directory: /x\n', undefined, 'format.path'],
    ['a file elsewhere', 'Directory: x\n', `Files:\n ${MD5} 0 ../a.dsc\n`, 'format.syntax'],
    ['a file with a blank', 'Directory: x\n', `Files:\n ${MD5} 0 a b\n`, 'format.syntax'],
    ['a file named ..', 'Directory: x\n', `Files:\n ${MD5} 0 ..\n`, 'format.syntax'],
    ['two sizes of one file', 'Directory: x\n', `Files:\n ${MD5} 1 a.dsc\n`, 'format.syntax'],
    ['half a line', 'Directory: x\n', `Files:\n ${MD5}\n`, 'format.syntax'],
  ])('is refused with %s', (_, directory, files, code) => {
    expect(thrown(() => entry(directory, files)).code).toBe(code);
  });

  it('is refused without any file', () => {
    const stanza = parseStanza('Package: a\nVersion: 1\nDirectory: x\n', 'Sources');
    expect(thrown(() => sourceEntry(stanza, 'Sources')).message).toContain('Sources:1: stanza lists no files');
  });
});

describe('what dpkg-source and dpkg-genchanges write', () => {
  it.each([
    ['as it is', (text: string) => text],
    ['clearsigned', signed],
  ])('is read: .dsc %s', (_, form) => {
    const dsc = parseDsc(Buffer.from(form(golden('tiny.dsc').toString())), 'tiny.dsc');
    expect(dsc).toMatchObject({ format: '3.0 (native)', source: 'tiny', version: '1:1.0+x~1', binaries: ['tiny'] });
    expect([...dsc.files.keys()]).toEqual(['tiny_1.0+x~1.tar.xz']);
    expect(dsc.stanza.raw.equals(golden('tiny.dsc'))).toBe(true);
    const depends = parseDependencies(dsc.stanza.get('Build-Depends') ?? '', 'tiny.dsc');
    expect(depends[1]?.[0]).toMatchObject({ archQualifier: 'any', profiles: [['!nocheck']] });
  });

  it.each([
    ['as it is', (text: string) => text],
    ['clearsigned', signed],
  ])('is read: .changes %s', (_, form) => {
    const changes = parseChanges(Buffer.from(form(golden('tiny.changes').toString())), 'tiny.changes');
    expect(changes).toMatchObject({
      source: 'tiny',
      version: '1:1.0+x~1',
      distributions: ['unstable'],
      architectures: ['source', 'all'],
      binaries: ['tiny'],
    });
    const deb = changes.files.find((file) => file.name.endsWith('_all.deb'));
    expect(deb).toMatchObject({ section: 'misc', priority: 'optional', sizeBytes: 708 });
    expect(Object.keys(deb ?? {}).sort()).toEqual([
      'md5',
      'name',
      'priority',
      'section',
      'sha1',
      'sha256',
      'sizeBytes',
    ]);
  });

  it('is refused with a line of Files that is not one', () => {
    const text = `Source: a\nVersion: 1\nFiles:\n ${MD5} 1 misc a.deb\n`;
    expect(thrown(() => parseChanges(Buffer.from(text), 'a.changes')).message).toContain('a.changes:4: ');
  });
});

describe('the text of a clearsigned document', () => {
  const content = (text: string) => unverifiedContent(Buffer.from(text), 'a.dsc').toString('latin1');
  it('has its dashes back, and not the blanks that were not signed', () => {
    expect(content(signed('A: 1 \t\n- -x\n- - y\r\n \n\u00e9: 1'))).toBe('A: 1\n-x\n- y\n\n\u00c3\u00a9: 1\n');
    expect(content(`\n${signed('A: 1')}\n\n`)).toBe('A: 1\n');
  });

  it.each([
    ['text before the block', `A: 1\n${signed('B: 1')}`],
    ['text after the block', `${signed('B: 1')}A: 1\n`],
    ['a second block', signed('B: 1') + signed('A: 1')],
    ['a block within', signed(signed('A: 1'))],
    ['no signature', '-----BEGIN PGP SIGNED MESSAGE-----\n\nA: 1\n'],
    ['no end', signed('A: 1').replace('-----END', '')],
    ['no blank line', '-----BEGIN PGP SIGNED MESSAGE-----\nA: 1\n'],
    ['a begin that does not stand alone', `x${signed('A: 1')}`],
  ])('is refused with %s', (_, text) => {
    expect(thrown(() => content(text)).code).toBe('format.syntax');
  });

  it('has a line of blanks as the empty line that was signed, which ends a stanza', () => {
    expect(thrown(() => parseDsc(Buffer.from(signed('Source: a\n \nVersion: 1')), 'a.dsc')).code).toBe('format.syntax');
  });
});
