/** Binary packages (deb(5)): what the control archive says, without the data archive ever being held. */
import { KubedosError } from '../../errors.ts';
import { type ByteSource, collect } from '../byte-source.ts';
import { type Compression, compressionOf, decompress } from '../compression.ts';
import { fileOfTar } from '../tar.ts';
import { type ArMember, readAr } from './ar.ts';
import { parseStanza, type Stanza } from './deb822.ts';
import type { Checksums } from './digest.ts';
import { MAX_FIELD_BYTES } from './field-index.ts';
import { token } from './packages.ts';
import { quoted } from './syntax.ts';

/** Largest control member, compressed. Real ones stay below 3 MB (md5sums of kernels). */
export const MAX_CONTROL_MEMBER_BYTES = 32 * 1024 * 1024;
/** Largest control archive, expanded: it holds maintainer scripts, md5sums and symbols too. */
const MAX_CONTROL_TAR_BYTES = 256 * 1024 * 1024;
/** Largest control file. */
export const MAX_CONTROL_BYTES = MAX_FIELD_BYTES;
/** "2.0\n" is what is there. */
const MAX_VERSION_MEMBER_BYTES = 64;

export interface DebMember {
  readonly name: string;
  readonly compression: string;
  readonly sizeBytes: number;
}

export interface Deb {
  /** Package, Version and Architecture are there, each one printable word. */
  readonly control: Stanza;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly controlMember: DebMember;
  readonly dataMember: DebMember;
}

/**
 * Reads a package to its end: so a truncated one is refused. `format.syntax` names what is wrong, `format.limit` the limit
 * that is passed. The data archive is skipped, not decompressed.
 */
export async function readDeb(source: ByteSource, origin: string): Promise<Deb> {
  const refuse = (why: string) => new KubedosError('format.syntax', `read package ${origin}: ${why}`);
  let versioned = false;
  let controlMember: DebMember | undefined;
  let control: Stanza | undefined;
  let dataMember: DebMember | undefined;
  for await (const member of readAr(source, origin)) {
    const { name } = member;
    if (!versioned) {
      if (name !== 'debian-binary') throw refuse(`expected debian-binary first, got ${quoted(name)}`);
      const version = (await collect(member.data, MAX_VERSION_MEMBER_BYTES, `${origin}: debian-binary`)).toString(
        'latin1',
      );
      if (!version.startsWith('2.')) throw refuse(`expected format 2, got ${quoted(version)}`);
      versioned = true;
    } else if (isArchive(name, 'control.tar')) {
      if (controlMember !== undefined) throw refuse('two control archives');
      controlMember = memberOf(member, 'control.tar');
      control = await readControl(member, origin);
    } else if (isArchive(name, 'data.tar')) {
      if (controlMember === undefined) throw refuse('data archive before the control archive');
      if (dataMember !== undefined) throw refuse('two data archives');
      dataMember = memberOf(member, 'data.tar');
    } else if (dataMember === undefined && !name.startsWith('_')) {
      // Unknown members may stand behind the data, and before it where their name says so.
      throw refuse(`unknown member ${quoted(name)}`);
    }
  }
  if (control === undefined || controlMember === undefined) throw refuse('no control archive');
  if (dataMember === undefined) throw refuse('no data archive');
  const place = `${origin}: control`;
  return {
    control,
    name: token(control, 'Package', place),
    version: token(control, 'Version', place),
    architecture: token(control, 'Architecture', place),
    controlMember,
    dataMember,
  };
}

/** The stanza for a Packages index: the control file's own bytes, with where the package lies and its checksums. */
export function packagesStanza(control: Stanza, file: Checksums & { readonly path: string }): Stanza {
  return control.with({
    Filename: file.path,
    Size: String(file.sizeBytes),
    MD5sum: file.md5,
    SHA1: file.sha1,
    SHA256: file.sha256,
    SHA512: file.sha512,
  });
}

async function readControl(member: ArMember, origin: string): Promise<Stanza> {
  const place = `${origin}: ${member.name}`;
  if (member.sizeBytes > MAX_CONTROL_MEMBER_BYTES)
    throw new KubedosError('format.limit', `read ${place}: larger than ${MAX_CONTROL_MEMBER_BYTES} bytes`);
  const compression = memberOf(member, 'control.tar').compression as Compression;
  const tar = decompress(member.data, compression, { origin: place, maxBytes: MAX_CONTROL_TAR_BYTES });
  const content = await fileOfTar(tar, { name: 'control', maxBytes: MAX_CONTROL_BYTES }, place);
  if (content === undefined) throw new KubedosError('format.syntax', `read ${place}: holds no control file`);
  return parseStanza(content, `${origin}: control`);
}

function isArchive(name: string, base: string): boolean {
  return name === base || name.startsWith(`${base}.`);
}

function memberOf(member: ArMember, base: string): DebMember {
  const { name, sizeBytes } = member;
  const compression = base === 'control.tar' ? knownCompression(name) : name.slice(base.length + 1) || 'none';
  return { name, compression, sizeBytes };
}

function knownCompression(name: string): Compression {
  const compression = compressionOf(name);
  if (compression === 'none' && name !== 'control.tar')
    throw new KubedosError('format.syntax', `read package: unknown compression of ${quoted(name)}`);
  return compression;
}
