/** Source package descriptions (dsc(5)). */
import { unverifiedContent } from './clearsign.ts';
import { parseStanza, type Stanza } from './deb822.ts';
import type { Checksums } from './digest.ts';
import { token } from './packages.ts';
import { readSourceFiles } from './source-files.ts';
import { binaryNames } from './sources.ts';
import { words } from './syntax.ts';

export interface Dsc {
  readonly stanza: Stanza;
  readonly format: string;
  readonly source: string;
  readonly version: string;
  readonly architectures: readonly string[];
  readonly binaries: readonly string[];
  /** By name; each a single part of a path. */
  readonly files: ReadonlyMap<string, Checksums>;
}

/** Parses a .dsc, clearsigned or not. The signature is not looked at: verify first where it matters. */
export function parseDsc(content: Uint8Array, origin: string): Dsc {
  const stanza = parseStanza(unverifiedContent(content, origin), origin);
  return {
    stanza,
    format: stanza.get('Format') ?? '1.0',
    source: token(stanza, 'Source', origin),
    version: token(stanza, 'Version', origin),
    architectures: words(stanza.get('Architecture')),
    binaries: binaryNames(stanza.get('Binary')),
    files: readSourceFiles(stanza, origin),
  };
}
