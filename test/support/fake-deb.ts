/** Builds small real .deb files and source packages in memory; `dpkg-deb` accepts them (see fake-apt.test.ts). */
import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import lzma from 'lzma-native';
import tar from 'tar-stream';
import { compress as zstd } from 'zstd-napi';
import { noise } from './random-files.ts';

export type FakeCompression = 'none' | 'gz' | 'xz' | 'zst';

export interface FakePackage {
  readonly name: string;
  readonly version: string;
  /** Default `all`. */
  readonly architecture?: string;
  readonly section?: string;
  readonly priority?: string;
  /** First line is the synopsis. */
  readonly description?: string;
  /** Further control fields: Depends, Provides, Essential, Source… */
  readonly fields?: Readonly<Record<string, string>>;
  /** Paths below / with their content; default one file in usr/share/doc. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Pads the package with this many incompressible bytes. */
  readonly paddingBytes?: number;
  /** Of control.tar and data.tar; default gz. */
  readonly compression?: FakeCompression;
  /** Fields of its Packages stanza alone: Phased-Update-Percentage, a lying Filename… */
  readonly indexFields?: Readonly<Record<string, string>>;
}

export interface FakeSource {
  readonly name: string;
  readonly version: string;
  readonly binaries: readonly string[];
  readonly fields?: Readonly<Record<string, string>>;
}

/** Everything is made at this second, so that the same input gives the same bytes. */
const MTIME = new Date('2024-01-01T00:00:00Z');

export async function pack(bytes: Uint8Array, compression: FakeCompression): Promise<Buffer> {
  if (compression === 'gz') return gzipSync(bytes, { level: 6 });
  if (compression === 'xz')
    return new Promise((resolve) => lzma.compress(Buffer.from(bytes), { preset: 1 }, (result) => resolve(result)));
  if (compression === 'zst') return zstd(Buffer.from(bytes));
  return Buffer.from(bytes);
}

interface TarMember {
  readonly name: string;
  readonly content?: string | Uint8Array;
}

/** A tar archive of root's files; the folders above each file come with it. */
export async function tarball(members: readonly TarMember[]): Promise<Buffer> {
  const archive = tar.pack();
  const done = new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    archive.on('data', (chunk) => chunks.push(Buffer.from(chunk as Uint8Array)));
    archive.on('end', () => resolve(Buffer.concat(chunks)));
    archive.on('error', reject);
  });
  const seen = new Set<string>();
  const folder = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    archive.entry({ name, type: 'directory', mode: 0o755, mtime: MTIME, uname: 'root', gname: 'root' });
  };
  folder('./');
  for (const { name, content } of members) {
    const parts = name.split('/');
    for (let depth = 1; depth < parts.length; depth++) folder(`./${parts.slice(0, depth).join('/')}/`);
    const body = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content ?? '');
    const mode = /^(?:usr\/)?s?bin\/|^(?:pre|post)(?:inst|rm)$/.test(name) ? 0o755 : 0o644;
    archive.entry({ name: `./${name}`, mode, mtime: MTIME, uname: 'root', gname: 'root' }, body);
  }
  archive.finalize();
  return done;
}

/** ar(5) as dpkg writes it. */
export function arArchive(members: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from('!<arch>\n')];
  for (const { name, bytes } of members) {
    const seconds = String(MTIME.getTime() / 1000);
    const header = `${name.padEnd(16)}${seconds.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`;
    parts.push(Buffer.from(header), bytes);
    if (bytes.length % 2 === 1) parts.push(Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

export function controlText(pkg: FakePackage): string {
  const fields: Record<string, string> = {
    Package: pkg.name,
    Version: pkg.version,
    Architecture: pkg.architecture ?? 'all',
    Maintainer: 'Test <test@example.org>',
    'Installed-Size': '1',
    Section: pkg.section ?? 'misc',
    Priority: pkg.priority ?? 'optional',
    ...pkg.fields,
    Description: pkg.description ?? `package ${pkg.name} for tests`,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

export async function buildDeb(pkg: FakePackage): Promise<Buffer> {
  const compression = pkg.compression ?? 'gz';
  const files = Object.entries(pkg.files ?? { [`usr/share/doc/${pkg.name}/version`]: `${pkg.version}\n` });
  if (pkg.paddingBytes !== undefined)
    files.push([`usr/share/${pkg.name}/padding`, noise(`${pkg.name} ${pkg.version}`, pkg.paddingBytes)]);
  const control = await tarball([{ name: 'control', content: controlText(pkg) }]);
  const data = await tarball(files.map(([name, content]) => ({ name, content })));
  const suffix = compression === 'none' ? '' : `.${compression}`;
  return arArchive([
    { name: 'debian-binary', bytes: Buffer.from('2.0\n') },
    { name: `control.tar${suffix}`, bytes: await pack(control, compression) },
    { name: `data.tar${suffix}`, bytes: await pack(data, compression) },
  ]);
}

/** A 3.0 (native) source package: file name → bytes. */
export async function buildSource(source: FakeSource): Promise<{ dsc: string; files: Map<string, Buffer> }> {
  const file = `${source.name}_${source.version.replace(/^\d+:/, '')}`;
  const orig = await pack(await tarball([{ name: `${source.name}/README`, content: `${source.version}\n` }]), 'gz');
  const sum = (name: 'md5' | 'sha256'): string => `\n ${hash(name, orig)} ${orig.length} ${file}.tar.gz`;
  const dsc = [
    'Format: 3.0 (native)',
    `Source: ${source.name}`,
    `Binary: ${source.binaries.join(', ')}`,
    'Architecture: any',
    `Version: ${source.version}`,
    'Maintainer: Test <test@example.org>',
    ...Object.entries(source.fields ?? {}).map(([name, value]) => `${name}: ${value}`),
    `Checksums-Sha256:${sum('sha256')}`,
    `Files:${sum('md5')}`,
    '',
  ].join('\n');
  return {
    dsc,
    files: new Map([
      [`${file}.dsc`, Buffer.from(dsc)],
      [`${file}.tar.gz`, orig],
    ]),
  };
}
