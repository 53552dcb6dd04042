/** Many small packages, and metadata as large as that of a distribution. */

import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { primaryRecord } from '../../src/formats/rpm/metadata-text.ts';
import type { PackageFacts } from '../../src/formats/rpm/package.ts';
import { TAG } from '../../src/formats/rpm/tags.ts';
import type { Piece } from '../../src/publish/piece-cutting.ts';
import { metadataPieces } from '../../src/publish/yum/record-pieces.ts';
import { type TagValue, writeRpm } from './write-rpm.ts';

const EQUAL = 8;

/** `name-N-1-1.x86_64.rpm` in `folder`: a file, a dependency or two, some files, each its own. */
export async function syntheticRpms(folder: string, from: number, to: number): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (let n = from; n < to; n++) {
    const name = `name-${n}`;
    const names = Array.from({ length: 12 }, (_, i) => `file-${i}`);
    const tags = new Map<number, TagValue>([
      [TAG.description, { i18n: [`What package ${n} is good for, in a line or two. `.repeat(6)] }],
      [TAG.buildTime, { int32: [1_714_608_000 + n] }],
      [TAG.size, { int32: [4096] }],
      [TAG.license, { text: 'MIT' }],
      [TAG.group, { i18n: ['Unspecified'] }],
      [TAG.provideName, { strings: [name, `lib${n}.so.1()(64bit)`] }],
      [TAG.provideFlags, { int32: [EQUAL, 0] }],
      [TAG.provideVersion, { strings: ['1-1', ''] }],
      [TAG.requireName, { strings: [`name-${(n * 7) % 5000}`, `lib${(n * 13) % 5000}.so.1()(64bit)`] }],
      [TAG.requireFlags, { int32: [0, 0] }],
      [TAG.requireVersion, { strings: ['', ''] }],
      [TAG.baseNames, { strings: names }],
      [TAG.dirNames, { strings: [`/usr/share/${name}/`] }],
      [TAG.dirIndexes, { int32: names.map(() => 0) }],
      [TAG.fileModes, { int16: names.map(() => 0o100644) }],
      [TAG.fileFlags, { int32: names.map(() => 0) }],
      [FILE_DIGESTS, { strings: names.map(() => '0'.repeat(64)) }],
    ]);
    const { bytes = '' } = await writeRpm({ name, version: '1', arch: 'x86_64' }, { tags });
    const file = join(folder, `${name}-1-1.x86_64.rpm`);
    writeFileSync(file, bytes);
    files.push(file);
  }
  return files;
}

const FILE_DIGESTS = 1035;

/** A primary.xml of `count` packages, each with as much as one of a distribution has on average (2.8 kB). */
export async function syntheticPrimary(file: string, count: number): Promise<void> {
  async function* records() {
    for (let n = 0; n < count; n++) {
      const name = `package-${String(n).padStart(7, '0')}`;
      yield { name, bytes: Buffer.from(primaryRecord(factsOf(name, n), filesOf(name))) };
    }
  }
  await pipeline(contents(metadataPieces('primary', count, records())), createWriteStream(file));
}

export async function* contents(pieces: AsyncIterable<Pick<Piece, 'content'>>): AsyncGenerator<Buffer> {
  // A copy: a piece's memory is used again.
  for await (const { content } of pieces) yield Buffer.from(content);
}

const filesOf = (name: string) =>
  [`/usr/bin/${name}`, `/etc/${name}.conf`].map((path) => ({ path, type: 'file' as const }));

/** Of a package as a distribution has them on average. */
export function factsOf(name: string, n: number): PackageFacts {
  const evr = { epoch: '0', version: `1.${n}`, release: '1.el9' };
  const equal = (capability: string) => ({ name: capability, flags: 'EQ' as const, ...evr });
  return {
    name,
    ...evr,
    arch: 'x86_64',
    pkgid: n.toString(16).padStart(8, '0').repeat(8),
    checksumType: 'sha256',
    summary: `The package & its number ${n}`,
    description: 'Some words of description that go on for a while. '.repeat(8),
    packager: 'Builder',
    url: `https://example.org/${name}`,
    fileTime: 1_714_608_000,
    buildTime: 1_714_608_000,
    packageBytes: 31 * n,
    installedBytes: 91 * n,
    archiveBytes: 92 * n,
    href: `Packages/p/${name}-1.${n}-1.el9.x86_64.rpm`,
    license: 'GPL-2.0-or-later',
    vendor: 'Example',
    group: 'Unspecified',
    buildHost: 'builder.example.org',
    sourceRpm: `${name}-1.${n}-1.el9.src.rpm`,
    headerRange: [4504, 9000 + n],
    capabilities: {
      provides: Array.from({ length: 6 }, (_, i) => equal(`lib${n % 999}-${i}.so.1()(64bit)`)),
      requires: Array.from({ length: 14 }, (_, i) => ({
        name: `libdep${(n * 7 + i) % 2999}.so.${i}(GLIBC_2.${i})(64bit)`,
      })),
    },
  };
}
