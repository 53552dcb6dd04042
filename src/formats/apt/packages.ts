/** The stanzas of Packages indexes (https://wiki.debian.org/DebianRepository/Format#A.22Packages.22_Indices). */
import { canonicalPath } from '../path.ts';
import type { Stanza } from './deb822.ts';
import { type Checksums, type Digest, parseHex, strongestDigest } from './digest.ts';
import { parseDecimal, quoted, syntaxError } from './syntax.ts';

export interface SourceName {
  readonly name: string;
  readonly version: string;
}

/** Checked fields of a binary package; the others are one `stanza.get` away. Holding it holds the stanza's bytes. */
export class PackageEntry {
  readonly stanza: Stanza;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Canonical, relative to the archive root: never derived, since epochs are not in file names. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 where there is one, else the strongest that is given. */
  readonly digest: Digest;

  /** For `packageEntry`, which checks what it gives. */
  constructor(stanza: Stanza, facts: Omit<PackageFacts, 'stanza'>) {
    this.stanza = stanza;
    this.name = facts.name;
    this.version = facts.version;
    this.architecture = facts.architecture;
    this.path = facts.path;
    this.sizeBytes = facts.sizeBytes;
    this.digest = facts.digest;
  }

  get sha256(): string | undefined {
    return this.digest.algorithm === 'sha256' ? this.digest.hex : undefined;
  }

  /** All checksums that are given and well-formed. */
  get checksums(): Checksums {
    const of = (field: string, algorithm: Digest['algorithm']) => parseHex(this.stanza.get(field) ?? '', algorithm);
    return {
      sizeBytes: this.sizeBytes,
      md5: of('MD5sum', 'md5'),
      sha1: of('SHA1', 'sha1'),
      sha256: of('SHA256', 'sha256'),
      sha512: of('SHA512', 'sha512'),
    };
  }

  /** `Source: name (version)`; both default to the package's own. */
  get source(): SourceName {
    return sourceOf(this.stanza.get('Source'), this.name, this.version);
  }

  get section(): string | undefined {
    return this.stanza.get('Section');
  }

  get priority(): string | undefined {
    return this.stanza.get('Priority');
  }

  get essential(): boolean {
    return this.stanza.get('Essential') === 'yes';
  }

  get multiArch(): string | undefined {
    return this.stanza.get('Multi-Arch');
  }

  /** The first line of the description. */
  get synopsis(): string {
    return (this.stanza.get('Description') ?? '').split('\n', 1)[0] ?? '';
  }

  /** What finds the long description in Translation files. */
  get descriptionMd5(): string | undefined {
    return this.stanza.get('Description-md5');
  }
}

type PackageFacts = Pick<
  PackageEntry,
  'stanza' | 'name' | 'version' | 'architecture' | 'path' | 'sizeBytes' | 'digest'
>;

/**
 * Checks a stanza of a Packages index. Throws `format.syntax` where Package, Version, Architecture, Filename, Size or
 * every checksum is missing or malformed, `format.path` for a Filename that escapes.
 */
export function packageEntry(stanza: Stanza, origin: string): PackageEntry {
  const name = token(stanza, 'Package', origin);
  const filename = stanza.get('Filename');
  if (filename === undefined || filename === '') throw lacks(stanza, 'Filename', origin);
  return new PackageEntry(stanza, {
    name,
    version: token(stanza, 'Version', origin),
    architecture: token(stanza, 'Architecture', origin),
    path: canonicalPath(filename, `${origin}:${stanza.line}`),
    sizeBytes: sizeOf(stanza, origin),
    digest: digestOf(stanza, origin),
  });
}

/** `name`, `name (version)`. */
export function sourceOf(value: string | undefined, name: string, version: string): SourceName {
  if (value === undefined || value === '') return { name, version };
  const open = value.indexOf('(');
  if (open < 0) return { name: value, version };
  const close = value.indexOf(')', open);
  return { name: value.slice(0, open).trim(), version: value.slice(open + 1, close < 0 ? undefined : close).trim() };
}

/** A value that must be one printable word: it becomes part of messages, lines and paths. */
export function token(stanza: Stanza, field: string, origin: string): string {
  const value = stanza.get(field);
  if (value === undefined || value === '') throw lacks(stanza, field, origin);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code <= 32 || code === 127)
      throw syntaxError(origin, stanza.lineOf(field), `${field} holds white space: ${quoted(value)}`);
  }
  return value;
}

function sizeOf(stanza: Stanza, origin: string): number {
  const text = stanza.get('Size');
  if (text === undefined) throw lacks(stanza, 'Size', origin);
  const size = parseDecimal(text);
  if (size === undefined)
    throw syntaxError(origin, stanza.lineOf('Size'), `expected a Size in bytes, got ${quoted(text)}`);
  return size;
}

/** One look at SHA256 in the usual case. A malformed one is no reason to fall back to a weaker one. */
function digestOf(stanza: Stanza, origin: string): Digest {
  const given: Record<string, string> = {};
  for (const [field, algorithm] of CHECKSUM_FIELDS) {
    const value = stanza.get(field);
    if (value === undefined || value === '') continue;
    const hex = parseHex(value, algorithm);
    if (hex === undefined) throw syntaxError(origin, stanza.lineOf(field), `${field} is no checksum: ${quoted(value)}`);
    if (algorithm === 'sha256') return { algorithm, hex };
    given[algorithm] = hex;
  }
  const digest = strongestDigest(given);
  if (digest === undefined) throw lacks(stanza, 'SHA256', origin);
  return digest;
}

const CHECKSUM_FIELDS = [
  ['SHA256', 'sha256'],
  ['SHA512', 'sha512'],
  ['SHA1', 'sha1'],
  ['MD5sum', 'md5'],
] as const;

function lacks(stanza: Stanza, field: string, origin: string): Error {
  const name = stanza.get('Package');
  return syntaxError(origin, stanza.line, `${name ? `package ${quoted(name)}` : 'stanza'} lacks ${field}`);
}
