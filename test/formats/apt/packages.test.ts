import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseStanza, parseStanzas, parseStanzasOf, writeStanzas } from '../../../src/formats/apt/deb822.ts';
import { formatDependencies, parseDependencies, parseProvides } from '../../../src/formats/apt/dependency.ts';
import { packageEntry } from '../../../src/formats/apt/packages.ts';
import { golden } from '../golden.ts';
import { thrown } from '../support.ts';

const SUMS = {
  MD5sum: '1'.repeat(32),
  SHA1: '2'.repeat(40),
  SHA256: '3'.repeat(64),
  SHA512: '4'.repeat(128),
};

function stanzaText(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const fields: Record<string, string | undefined> = {
    Package: 'g++',
    Version: '4:12.2.0-3',
    Architecture: 'amd64',
    Filename: './pool/main/g/gcc-defaults/g++_12.2.0-3_amd64.deb',
    Size: '1356',
    ...SUMS,
    ...changes,
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `${name}: ${value}\n`).join('');
}
const entry = (changes: Readonly<Record<string, string | undefined>> = {}) =>
  packageEntry(parseStanza(stanzaText(changes), 'Packages'), 'Packages');

describe('a package of an index', () => {
  it('has its path from Filename, in canonical form: epochs are not in file names', () => {
    expect(entry().path).toBe('pool/main/g/gcc-defaults/g++_12.2.0-3_amd64.deb');
    expect(entry().version).toBe('4:12.2.0-3');
  });

  it('has the digest that objects are named by, else the strongest', () => {
    expect(entry().digest).toEqual({ algorithm: 'sha256', hex: SUMS.SHA256 });
    expect(entry().sha256).toBe(SUMS.SHA256);
    expect(entry({ SHA256: undefined }).digest.algorithm).toBe('sha512');
    expect(entry({ SHA256: undefined }).sha256).toBeUndefined();
    expect(entry({ SHA256: undefined, SHA512: undefined }).digest.algorithm).toBe('sha1');
    expect(entry({ MD5sum: undefined, SHA1: '', SHA512: undefined }).digest.algorithm).toBe('sha256');
    expect(entry({ SHA256: undefined, SHA512: undefined, SHA1: undefined }).digest).toEqual({
      algorithm: 'md5',
      hex: SUMS.MD5sum,
    });
    expect(entry({ SHA256: 'A'.repeat(64) }).sha256).toBe('a'.repeat(64));
    expect(entry({ SHA1: undefined }).checksums).toEqual({
      sizeBytes: 1356,
      md5: SUMS.MD5sum,
      sha1: undefined,
      sha256: SUMS.SHA256,
      sha512: SUMS.SHA512,
    });
  });

  it('may be empty', () => {
    expect(entry({ Size: '0' }).sizeBytes).toBe(0);
  });

  it('has a source, which may have another name and version', () => {
    expect(entry().source).toEqual({ name: 'g++', version: '4:12.2.0-3' });
    expect(entry({ Source: 'gcc-defaults (1.203)' }).source).toEqual({ name: 'gcc-defaults', version: '1.203' });
    expect(entry({ Source: 'gcc-defaults' }).source).toEqual({ name: 'gcc-defaults', version: '4:12.2.0-3' });
  });

  it('has what is asked for only', () => {
    const one = entry({ Section: 'devel', Essential: 'yes', 'Multi-Arch': 'foreign', Description: 'GNU C++\n more' });
    expect([one.section, one.priority, one.essential, one.multiArch, one.synopsis, one.descriptionMd5]).toEqual([
      ...['devel', undefined, true, 'foreign', 'GNU C++', undefined],
    ]);
  });

  it.each([
    ['no Package', { Package: undefined }, 'format.syntax'],
    ['a blank Version', { Version: '' }, 'format.syntax'],
    ['no Architecture', { Architecture: undefined }, 'format.syntax'],
    ['a name of two words', { Package: 'a b' }, 'format.syntax'],
    ['a name with an escape sequence', { Package: 'a\u001b[2J' }, 'format.syntax'],
    ['no Filename', { Filename: undefined }, 'format.syntax'],
    ['no Size', { Size: undefined }, 'format.syntax'],
    ['a negative Size', { Size: '-1' }, 'format.syntax'],
    ['a hexadecimal Size', { Size: '0x10' }, 'format.syntax'],
    ['a Size beyond all disks', { Size: '1'.repeat(16) }, 'format.syntax'],
    ['a short SHA256, though others are good', { SHA256: 'abc' }, 'format.syntax'],
    ['no checksum', { MD5sum: undefined, SHA1: undefined, SHA256: undefined, SHA512: '' }, 'format.syntax'],
    ['an absolute path', { Filename: '/etc/passwd' }, 'format.path'],
    ['a path that escapes', { Filename: 'pool/../../x.deb' }, 'format.path'],
    ['NUL in its path', { Filename: 'pool/\u0000.deb' }, 'format.path'],
    ['a control character in its path', { Filename: 'pool/\u0007.deb' }, 'format.path'],
    ['two lines of path', { Filename: 'pool/a\n b' }, 'format.path'],
  ])('is refused with %s', (_, changes, code) => {
    const error = thrown(() => entry(changes));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/(^| )Packages:\d+: /);
  });
});

describe('the Packages of Debian', () => {
  it('are read in all, and put together again to the byte', () => {
    const bytes = golden('Packages');
    const stanzas = [...parseStanzasOf(bytes, 'Packages')];
    expect(Buffer.concat([...writeStanzas(stanzas)]).equals(bytes)).toBe(true);
    const entries = stanzas.map((stanza) => packageEntry(stanza, 'Packages'));
    expect(entries.length).toBe(22);
    expect(entries.find((one) => one.name === 'g++')).toMatchObject({ version: '4:12.2.0-3', architecture: 'amd64' });
    expect(entries.find((one) => one.name === 'default-jre')?.source.name).toBe('java-common');
  });

  const lists = '/var/lib/apt/lists';
  const list = (existsSync(lists) ? readdirSync(lists) : []).find((name) =>
    /_dists_[a-z]+_main_binary-[a-z0-9]+_Packages/.test(name),
  );
  it.skipIf(list === undefined)('are so in full, with the dependencies of each', async () => {
    const plain = execFileSync('/usr/lib/apt/apt-helper', ['cat-file', `${lists}/${list}`], { maxBuffer: 1e9 });
    let [count, bytes, sizes] = [0, 0, 0];
    let last = 0;
    const chunks = (function* () {
      for (let at = 0; at < plain.length; at += 65536) yield plain.subarray(at, at + 65536);
    })();
    const fields = ['Depends', 'Pre-Depends', 'Recommends', 'Suggests', 'Conflicts', 'Breaks', 'Replaces', 'Provides'];
    const changed: string[] = [];
    for await (const stanza of parseStanzas(chunks, 'Packages')) {
      if (stanza.offset !== last) changed.push(`at ${stanza.offset}`);
      if (!plain.subarray(last, last + stanza.raw.length).equals(stanza.raw)) changed.push(stanza.raw.toString());
      last += stanza.raw.length + 1;
      count++;
      bytes += stanza.raw.length + 1;
      sizes += packageEntry(stanza, 'Packages').sizeBytes;
      for (const field of fields) {
        const value = stanza.get(field);
        if (value === undefined) continue;
        if (formatDependencies(parseDependencies(value, 'Packages')) !== value) changed.push(value);
        if (field === 'Provides') parseProvides(value, 'Packages');
      }
    }
    expect(changed).toEqual([]);
    expect(bytes).toBe(plain.length);
    expect(count).toBe(plain.toString('latin1').split('\nVersion: ').length - 1);
    expect(sizes).toBeGreaterThan(0);
  });
});
