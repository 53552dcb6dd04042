/** The stanzas of Sources indexes (https://wiki.debian.org/DebianRepository/Format#A.22Sources.22_Indices). */
import { canonicalPath } from '../path.ts';
import type { Stanza } from './deb822.ts';
import { type Checksums, type Digest, strongestDigest } from './digest.ts';
import { token } from './packages.ts';
import { readSourceFiles } from './source-files.ts';
import { syntaxError } from './syntax.ts';

export interface SourceFile {
  readonly name: string;
  /** Canonical, relative to the archive root. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: Digest;
  readonly checksums: Checksums;
}

export interface SourceEntry {
  readonly stanza: Stanza;
  readonly name: string;
  readonly version: string;
  /** As given; may be `.` or empty in flat repositories. */
  readonly directory: string;
  readonly files: readonly SourceFile[];
  /** Names of the binary packages that it builds. */
  readonly binaries: readonly string[];
}

/** Checks a stanza of a Sources index. Throws `format.syntax` and `format.path` with origin:line. */
export function sourceEntry(stanza: Stanza, origin: string): SourceEntry {
  const directory = stanza.get('Directory');
  if (directory === undefined) throw syntaxError(origin, stanza.line, 'source stanza lacks Directory');
  const files: SourceFile[] = [];
  for (const [name, checksums] of readSourceFiles(stanza, origin)) {
    const path = canonicalPath(directory === '' ? name : `${directory}/${name}`, `${origin}:${stanza.line}`);
    const digest = strongestDigest(checksums) as Digest;
    files.push({ name, path, sizeBytes: checksums.sizeBytes, digest, checksums });
  }
  return {
    stanza,
    name: token(stanza, 'Package', origin),
    version: token(stanza, 'Version', origin),
    directory,
    files,
    binaries: binaryNames(stanza.get('Binary')),
  };
}

/** `a, b,\n c`; in .changes files parted by blanks alone. */
export function binaryNames(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(/[\s,]+/).filter((name) => name !== '');
}
