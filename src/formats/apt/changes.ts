/** Descriptions of uploads (deb-changes(5)). */
import { unverifiedContent } from './clearsign.ts';
import { parseStanza, type Stanza } from './deb822.ts';
import type { Checksums } from './digest.ts';
import { sourceOf, token } from './packages.ts';
import { readSourceFiles } from './source-files.ts';
import { binaryNames } from './sources.ts';
import { words } from './syntax.ts';

export interface ChangedFile extends Checksums {
  readonly name: string;
  readonly section: string;
  readonly priority: string;
}

export interface Changes {
  readonly stanza: Stanza;
  readonly source: string;
  readonly version: string;
  /** The suites it is meant for. */
  readonly distributions: readonly string[];
  readonly architectures: readonly string[];
  readonly binaries: readonly string[];
  readonly files: readonly ChangedFile[];
}

/** Parses a .changes, clearsigned or not. The signature is not looked at: verify first where it matters. */
export function parseChanges(content: Uint8Array, origin: string): Changes {
  const stanza = parseStanza(unverifiedContent(content, origin), origin);
  const places = new Map<string, { readonly section: string; readonly priority: string }>();
  // In Files, "section priority name" follows the size; in the other lists the name alone.
  const files = readSourceFiles(stanza, origin, (rest, field) => {
    if (field !== 'Files') return rest;
    const [section, priority, name, ...more] = words(rest);
    if (section === undefined || priority === undefined || name === undefined || more.length > 0) return undefined;
    places.set(name, { section, priority });
    return name;
  });
  const version = token(stanza, 'Version', origin);
  return {
    stanza,
    source: sourceOf(stanza.get('Source'), '', version).name,
    version,
    distributions: words(stanza.get('Distribution')),
    architectures: words(stanza.get('Architecture')),
    binaries: binaryNames(stanza.get('Binary')),
    files: [...files].map(([name, sums]) => ({ section: '-', priority: '-', ...places.get(name), name, ...sums })),
  };
}
