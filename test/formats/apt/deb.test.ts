import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import tar from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubedosError } from '../../../src/errors.ts';
import { MAX_AR_MEMBERS, readAr, writeAr } from '../../../src/formats/apt/ar.ts';
import { MAX_CONTROL_BYTES, MAX_CONTROL_MEMBER_BYTES, packagesStanza, readDeb } from '../../../src/formats/apt/deb.ts';
import { parseStanza, parseStanzasOf } from '../../../src/formats/apt/deb822.ts';
import { packageEntry } from '../../../src/formats/apt/packages.ts';
import { chunked, joined } from '../support.ts';

const CONTROL =
  'Package: tiny\nVersion: 1:1.0\nArchitecture: all\nMaintainer: A Person <a@example.org>\nDescription: nothing\n';

interface Entry {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly type?: 'file' | 'symlink' | 'directory';
  readonly pax?: Record<string, string>;
}

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { name, content = '', type = 'file', pax } of entries) {
    const header = {
      name,
      type,
      mtime: new Date(0),
      ...(type === 'symlink' && { linkname: 'x' }),
      ...(pax && { pax }),
    };
    if (type === 'file') pack.entry(header, content);
    else pack.entry(header);
  }
  pack.finalize();
  return joined(pack as AsyncIterable<Buffer>);
}

async function debOf(
  entries: readonly Entry[] = [{ name: './control', content: CONTROL }],
  change: (members: { name: string; data: Uint8Array }[]) => void = () => {},
): Promise<Buffer> {
  const members = [
    { name: 'debian-binary', data: Buffer.from('2.0\n') },
    { name: 'control.tar.gz', data: gzipSync(await tarOf(entries)) },
    { name: 'data.tar.xz', data: Buffer.from('not even xz: it is skipped') },
  ];
  change(members);
  return Buffer.concat([...writeAr(members)]);
}

const read = (bytes: Uint8Array, size = 1000) => readDeb(chunked(bytes, size), 'a.deb');

describe('what dpkg-deb builds', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kubedos-deb-'));
    mkdirSync(join(folder, 'tree/DEBIAN'), { recursive: true });
    chmodSync(join(folder, 'tree/DEBIAN'), 0o755);
    writeFileSync(join(folder, 'tree/file'), 'x'.repeat(200_000));
    writeFileSync(join(folder, 'tree/DEBIAN/control'), CONTROL);
    writeFileSync(join(folder, 'tree/DEBIAN/postinst'), '#!/bin/sh\n', { mode: 0o755 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['gzip', 'gz'],
    ['xz', 'xz'],
    ['zstd', 'zst'],
    ['none', 'none'],
  ])('with %s is read', async (tool, compression) => {
    mkdirSync(join(folder, tool));
    const file = join(folder, tool, 'tiny.deb');
    execFileSync('dpkg-deb', [
      `-Z${tool}`,
      '--uniform-compression',
      '--root-owner-group',
      '-b',
      join(folder, 'tree'),
      file,
    ]);
    const bytes = readFileSync(file);
    for (const size of [1000, 1_000_000]) {
      const deb = await read(bytes, size);
      expect(deb).toMatchObject({ name: 'tiny', version: '1:1.0', architecture: 'all' });
      expect(deb.control.raw.toString()).toBe(CONTROL);
      expect(deb.controlMember.compression).toBe(compression);
      expect(deb.dataMember.compression).toBe(compression);
    }
    // The same facts as those of dpkg's own scanner of packages.
    const scanned = execFileSync('dpkg-scanpackages', ['-m', '.'], { cwd: join(folder, tool), stdio: 'pipe' });
    const theirs = parseStanza(scanned, 'dpkg-scanpackages');
    const { path, checksums } = packageEntry(theirs, 'dpkg-scanpackages');
    const ours = packagesStanza((await read(bytes)).control, { path, ...checksums });
    const facts = (stanza: typeof ours) =>
      stanza
        .fields()
        .map(({ name, value }) => [name.toLowerCase(), value.replace(/^\.\//, '')].join(' '))
        .sort();
    expect(facts(ours)).toEqual(facts(theirs));
  });

  it('is what our own archives of members are for it', async () => {
    const file = join(folder, 'ours.deb');
    writeFileSync(file, await debOf());
    expect(execFileSync('dpkg-deb', ['-f', file, 'Package'], { encoding: 'utf8' })).toBe('tiny\n');
    expect(execFileSync('ar', ['t', file], { encoding: 'utf8' })).toBe('debian-binary\ncontrol.tar.gz\ndata.tar.xz\n');
  });
});

describe('a package', () => {
  it('is refused when cut off at any place', async () => {
    const whole = await debOf();
    // The last byte but one is the padding of an odd member, if there is one.
    for (let end = 0; end < whole.length - 1; end += 11)
      await expect(read(whole.subarray(0, end))).rejects.toMatchObject({
        code: 'format.syntax',
        message: expect.stringContaining('a.deb'),
      });
  });

  it('may have other members where deb(5) allows them', async () => {
    const deb = await debOf(undefined, (members) => {
      members.splice(1, 0, { name: '_gpgorigin', data: Buffer.from('odd') });
      members.push({ name: 'later', data: Buffer.from('') });
    });
    expect((await read(deb)).name).toBe('tiny');
  });

  const file = (content: string | Buffer): Entry => ({ name: './control', content });
  it.each<[string, string, readonly Entry[]]>([
    ['no control file', 'format.syntax', [{ name: './md5sums', content: 'x' }]],
    [
      'two control files, of which dpkg would take the second',
      'format.syntax',
      [file(CONTROL), { name: 'control', content: CONTROL }],
    ],
    ['a control file that is a link', 'format.syntax', [{ name: './control', type: 'symlink' }]],
    [
      'a control file that some readers see under another name',
      'format.syntax',
      [{ ...file(CONTROL), pax: { path: 'other' } }],
    ],
    [
      'another file that some readers see as the control file',
      'format.syntax',
      [{ name: 'other', content: CONTROL, pax: { path: './control' } }],
    ],
    ['a control file without Version', 'format.syntax', [file('Package: a\nArchitecture: all\n')]],
    ['an empty control file', 'format.syntax', [file('')]],
    ['a control file of two stanzas', 'format.syntax', [file(`${CONTROL}\n${CONTROL}`)]],
    ['an endless control file', 'format.limit', [file(Buffer.alloc(MAX_CONTROL_BYTES + 1, 'A: b\n'))]],
  ])('is refused with %s', async (_, code, entries) => {
    await expect(read(await debOf(entries), 100_000)).rejects.toMatchObject({ code });
  });

  it('is refused when the checksum of its compression is wrong, though the control file can be read', async () => {
    // Padding behind the end of the tar: so much that the checksum comes chunks later.
    const padded = Buffer.concat([await tarOf([file(CONTROL)]), Buffer.alloc(2_000_000)]);
    const data = gzipSync(padded);
    const whole = (member: Buffer) =>
      debOf([], (members) => members.splice(1, 1, { name: 'control.tar.gz', data: member }));
    expect((await read(await whole(data))).name).toBe('tiny');
    data[data.length - 8] = (data[data.length - 8] as number) ^ 1;
    await expect(read(await whole(data))).rejects.toMatchObject({
      code: 'format.syntax',
      message: expect.stringContaining('gzip'),
    });
  });

  it.each(['pax', 'gnu'])('may have the headers that tar writes in its %s form', async (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'kubedos-tar-'));
    const long = 'long'.repeat(40);
    writeFileSync(join(folder, long), 'x');
    writeFileSync(join(folder, 'control'), CONTROL);
    const options = format === 'pax' ? ['--pax-option=comment:=x', '--mtime=2024-01-01 00:00:00.5'] : [];
    const made = execFileSync('tar', [`--format=${format}`, ...options, '-c', `./${long}`, './control'], {
      cwd: folder,
    });
    rmSync(folder, { recursive: true });
    const deb = await debOf([], (members) => members.splice(1, 1, { name: 'control.tar', data: made }));
    expect((await read(deb)).control.raw.toString()).toBe(CONTROL);
  });

  it.each<[string, string, (members: { name: string; data: Uint8Array }[]) => void]>([
    ['no debian-binary', 'format.syntax', (members) => members.shift()],
    [
      'another format',
      'format.syntax',
      (members) => members.splice(0, 1, { name: 'debian-binary', data: Buffer.from('3.0\n') }),
    ],
    [
      'an endless debian-binary',
      'format.limit',
      (members) => members.splice(0, 1, { name: 'debian-binary', data: Buffer.alloc(1000, '2.') }),
    ],
    ['no control archive', 'format.syntax', (members) => members.splice(1, 1)],
    ['two control archives', 'format.syntax', (members) => members.splice(1, 0, ...members.slice(1, 2))],
    ['no data archive', 'format.syntax', (members) => members.pop()],
    ['two data archives', 'format.syntax', (members) => members.push(...members.slice(2))],
    ['data before control', 'format.syntax', (members) => members.reverse().unshift(...members.splice(2, 1))],
    [
      'an unknown member before the data',
      'format.syntax',
      (members) => members.splice(1, 0, { name: 'x', data: Buffer.alloc(1) }),
    ],
    [
      'an unknown compression',
      'format.syntax',
      (members) => members.splice(1, 1, { name: 'control.tar.lz4', data: Buffer.alloc(1) }),
    ],
    ['bzip2', 'format.syntax', (members) => members.splice(1, 1, { name: 'control.tar.bz2', data: Buffer.alloc(1) })],
    [
      'a huge control archive',
      'format.limit',
      (members) => members.splice(1, 1, { name: 'control.tar', data: Buffer.alloc(MAX_CONTROL_MEMBER_BYTES + 1) }),
    ],
    [
      'a damaged control archive',
      'format.syntax',
      (members) => members.splice(1, 1, { name: 'control.tar', data: Buffer.alloc(1024, 'x') }),
    ],
    [
      'many members',
      'format.limit',
      (members) => members.push(...new Array(MAX_AR_MEMBERS).fill({ name: '_', data: Buffer.alloc(0) })),
    ],
  ])('is refused with %s', async (_, code, change) => {
    await expect(read(await debOf(undefined, change), 1_000_000)).rejects.toMatchObject({ code });
  });

  it('gives nothing but a KubedosError or the same facts when bytes of it change', async () => {
    const whole = await debOf();
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] as number) ^ mask;
        try {
          expect((await read(changed)).control.raw.toString()).toBe(CONTROL);
        } catch (error) {
          expect(error).toBeInstanceOf(KubedosError);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never holds its data', async () => {
    let given = 0;
    const head = await debOf();
    const dataBytes = 3_000_000_000;
    async function* huge(): AsyncGenerator<Uint8Array> {
      const end = head.indexOf('data.tar.xz') + 60;
      yield head.subarray(0, end - 12);
      yield Buffer.from(`${String(dataBytes).padEnd(10)}\`\n`);
      const piece = Buffer.alloc(10_000_000);
      for (; given < dataBytes; given += piece.length) yield piece;
    }
    const before = process.memoryUsage().rss;
    const deb = await readDeb(huge(), 'huge.deb');
    expect(deb.dataMember.sizeBytes).toBe(dataBytes);
    expect(given).toBe(dataBytes);
    expect(process.memoryUsage().rss - before).toBeLessThan(500_000_000);
  });
});

describe('ar archives', () => {
  it('are read back as they were written, whether the members are read or not', async () => {
    const name = fc.array(fc.constantFrom(...'ab._-+1'), { minLength: 1, maxLength: 16 }).map((all) => all.join(''));
    const members = fc.array(fc.record({ name, data: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(members, fc.integer({ min: 1, max: 70 }), fc.boolean(), async (all, size, skip) => {
        const bytes = Buffer.concat([...writeAr(all)]);
        const back: { name: string; data: Uint8Array }[] = [];
        for await (const member of readAr(chunked(bytes, size), 'x')) {
          expect(member.sizeBytes).toBe(all[back.length]?.data.length);
          back.push({
            name: member.name,
            data: skip ? (all[back.length]?.data as Uint8Array) : await joined(member.data),
          });
        }
        expect(Buffer.concat([...writeAr(back)]).equals(bytes)).toBe(true);
      }),
    );
  });

  it.each(['', 'a/b', 'longer-than-16-bytes', '#1/20', 'a b'])('have no member %j', (name) => {
    expect(() => [...writeAr([{ name, data: Buffer.alloc(0) }])]).toThrow(KubedosError);
  });
});

it('a stanza of an index keeps what the control file says, and has where the package lies', async () => {
  const control = parseStanza(`${CONTROL}Filename: lie\nX-Own: kept\n`, 'control');
  const stanza = packagesStanza(control, { path: 'pool/t/tiny.deb', sizeBytes: 0, sha256: 'a'.repeat(64) });
  expect([...parseStanzasOf(stanza.raw, 'Packages')].length).toBe(1);
  expect(packageEntry(stanza, 'Packages')).toMatchObject({
    path: 'pool/t/tiny.deb',
    sizeBytes: 0,
    sha256: 'a'.repeat(64),
  });
  expect(stanza.get('X-Own')).toBe('kept');
  expect(stanza.has('MD5sum')).toBe(false);
});
