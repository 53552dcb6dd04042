import type { Stanza } from './deb822.ts';
import type { Checksums, DigestAlgorithm } from './digest.ts';
import { FileTable, fileLines } from './release-files.ts';
import { quoted, syntaxError } from './syntax.ts';

/** The lists of .dsc, .changes and Sources. `Files` gives MD5. */
const SOURCE_LIST_FIELDS = [
  ['Files', 'md5'],
  ['Checksums-Sha1', 'sha1'],
  ['Checksums-Sha256', 'sha256'],
  ['Checksums-Sha512', 'sha512'],
] as const satisfies readonly (readonly [string, DigestAlgorithm])[];

/**
 * The files that a stanza lists by name, the lists merged. A name is one part of a path and no `.` or `..`; `format.syntax`
 * for others, for lists that contradict each other and where there is no file at all.
 */
export function readSourceFiles(
  stanza: Stanza,
  origin: string,
  nameOf: (rest: string, field: string) => string | undefined = (rest) => rest,
): ReadonlyMap<string, Checksums> {
  const table = new FileTable(origin);
  for (const [field, algorithm] of SOURCE_LIST_FIELDS) {
    for (const entry of fileLines(stanza, field, { origin, algorithm })) {
      const name = nameOf(entry.rest, field);
      if (name === undefined || name === '.' || name === '..' || !isFileName(name))
        throw syntaxError(origin, entry.line, `expected the name of a file in ${field}, got ${quoted(entry.rest)}`);
      table.add(name, algorithm, entry);
    }
  }
  if (table.files.size === 0) throw syntaxError(origin, stanza.line, 'stanza lists no files');
  return table.files;
}

function isFileName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    // White space, `/`, `\` and control characters.
    if (code <= 32 || code === 127 || code === 47 || code === 92) return false;
  }
  return name !== '';
}
