/** Archives and compressed streams. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAr, writeAr } from '../../../src/formats/apt/ar.ts';
import { collect } from '../../../src/formats/byte-source.ts';
import { type Compression, compress, decompress } from '../../../src/formats/compression.ts';
import { fileOfTar } from '../../../src/formats/tar.ts';
import { golden } from '../../formats/golden.ts';
import { chunked, joined } from '../../formats/support.ts';
import { arArchive, pack, tarball } from '../../support/fake-deb.ts';
import type { Parser } from '../property.ts';
import { same } from '../same.ts';

/** What a decompressor may give; it must not give more. */
const MAX_BYTES = 4 * 1024 * 1024;

const text = golden('Packages').subarray(0, 6000);
const plain = [Buffer.alloc(0), Buffer.from('x'), text, Buffer.alloc(300_000), Buffer.from('aaaab'.repeat(500))];

function expands(compression: Compression) {
  return async (bytes: Buffer, size: number): Promise<void> => {
    let total = 0;
    const limits = { origin: 'f', maxBytes: MAX_BYTES };
    for await (const piece of decompress(chunked(bytes, size), compression, limits)) total += piece.length;
    if (total > MAX_BYTES) throw new Error(`${total} bytes came out, at most ${MAX_BYTES} may`);
  };
}

async function packed(compression: 'gz' | 'xz' | 'zst'): Promise<Buffer[]> {
  const files: Buffer[] = [];
  for (const bytes of plain) files.push(await joined(compress([bytes], compression)));
  return [...files, Buffer.concat(files)];
}

function bzip2(): Buffer[] {
  const files = plain.map((bytes) => execFileSync('bzip2', ['-c', '-1'], { input: bytes }));
  return [...files, Buffer.concat(files)];
}

function zck(): Buffer[] {
  const folder = mkdtempSync(join(tmpdir(), 'kubedos-fuzz-'));
  const [from, to, dictionary] = [join(folder, 'in'), join(folder, 'out'), join(folder, 'dictionary')];
  const kinds = [
    [],
    ['--compression-format', 'none'],
    ['--dict', dictionary],
    ['--uncompressed', '--chunk-hash-type', 'sha512'],
    ['--split', '\n\n', '--manual', '--chunk-hash-type', 'sha256'],
  ];
  try {
    writeFileSync(from, text);
    writeFileSync(dictionary, text.subarray(0, 1000));
    return kinds.map((kind) => {
      execFileSync('zck', [...kind, '-o', to, from], { stdio: 'ignore' });
      return readFileSync(to);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The checksum of the header, whose size stands before it; see the format. */
function mendZck(bytes: Buffer): Buffer {
  const [kind, afterKind] = number(bytes, 5);
  const [size, lead] = number(bytes, afterKind);
  const [algorithm, length] = kind === 0 ? ['sha1', 20] : ['sha256', 32];
  const header = bytes.subarray(lead + length, lead + length + size);
  createHash(algorithm).update(bytes.subarray(0, lead)).update(header).digest().copy(bytes, lead);
  return bytes;
}

function number(bytes: Buffer, from: number): [value: number, end: number] {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length && at < from + 4; at++, scale *= 128) {
    value += ((bytes[at] as number) & 0x7f) * scale;
    if ((bytes[at] as number) & 0x80) return [value, at + 1];
  }
  return [value, from];
}

/** Checksums of all headers that can be told. */
export function mendTar(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; ) {
    const header = bytes.subarray(at, at + 512);
    const size = Number.parseInt(header.toString('latin1', 124, 136), 8) || 0;
    if (header.some((byte) => byte !== 0)) {
      header.write('        ', 148, 'latin1');
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    }
    at += 512 * (1 + Math.ceil(size / 512));
  }
  return bytes;
}

const long = `${'d/'.repeat(80)}control`;
export const tars = [
  await tarball([{ name: 'control', content: 'Package: a\nVersion: 1\n' }]),
  await tarball([
    { name: 'prerm', content: '#!/bin/sh\n' },
    { name: 'control', content: 'Package: a\n' },
  ]),
  // tar-stream writes what ustar does not hold as pax records.
  await tarball([
    { name: `é/${long}`, content: 'x' },
    { name: 'control', content: '' },
  ]),
];
const ars = [
  arArchive([
    { name: 'debian-binary', bytes: Buffer.from('2.0\n') },
    { name: 'odd', bytes: Buffer.from('abc') },
    { name: '_x', bytes: text.subarray(0, 100) },
  ]),
];

export const PACKED: readonly Parser[] = [
  { name: 'none', samples: plain, run: expands('none') },
  { name: 'gzip', samples: await packed('gz'), run: expands('gz') },
  { name: 'xz', samples: await packed('xz'), run: expands('xz') },
  { name: 'zstd', samples: await packed('zst'), run: expands('zst') },
  { name: 'bz2', samples: bzip2(), run: expands('bz2') },
  { name: 'zchunk', samples: zck(), mend: mendZck, run: expands('zck') },
  {
    name: 'tar',
    samples: [...tars, await pack(tars[0] as Buffer, 'none')],
    tokens: ['path=', 'size=', '20 path=./control\n', '11 path=a\n', '9 size=1\n', 'x', 'g', 'L', './control'],
    mend: mendTar,
    run: (bytes, size) => fileOfTar(chunked(bytes, size), { name: 'control', maxBytes: 1024 }, 'f'),
  },
  {
    name: 'ar',
    samples: ars,
    tokens: ['`\n', '!<arch>\n', '100644  ', '9999999999'],
    run: async (bytes, size) => {
      const members: { name: string; data: Buffer }[] = [];
      for await (const { name, data } of readAr(chunked(bytes, size), 'f'))
        members.push({ name, data: await collect(data, bytes.length, 'f') });
      if (!members.every(({ name }) => /^[!-.0-~]+$/.test(name))) return;
      await same(
        async () => {
          const names: string[] = [];
          for await (const { name } of readAr(writeAr(members), 'again')) names.push(name);
          return names;
        },
        members.map(({ name }) => name),
      );
    },
  },
];
