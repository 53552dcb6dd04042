/** Translation indexes: the long descriptions (https://wiki.debian.org/DebianRepository/Format#A.22Translation.22_Indices). */
import { createHash } from 'node:crypto';
import { Stanza } from './deb822.ts';
import { parseHex } from './digest.ts';
import { token } from './packages.ts';
import { quoted, syntaxError } from './syntax.ts';

const DESCRIPTION_PREFIX = 'description-';

export interface TranslationEntry {
  readonly stanza: Stanza;
  readonly name: string;
  /** What packages refer to by their own Description-md5. */
  readonly descriptionMd5: string;
  /** `en`, `pt_BR`. */
  readonly language: string;
  /** Synopsis, then the further lines with the blank that they begin with. */
  readonly description: string;
}

/** Checks a stanza of a Translation index; `format.syntax` with origin:line. */
export function translationEntry(stanza: Stanza, origin: string): TranslationEntry {
  const name = token(stanza, 'Package', origin);
  const md5 = parseHex(stanza.get('Description-md5') ?? '', 'md5');
  if (md5 === undefined)
    throw syntaxError(
      origin,
      stanza.lineOf('Description-md5'),
      `description of ${quoted(name)} lacks its Description-md5`,
    );
  for (const field of stanza.fields()) {
    const lower = field.name.toLowerCase();
    if (!lower.startsWith(DESCRIPTION_PREFIX) || lower === 'description-md5') continue;
    const language = field.name.slice(DESCRIPTION_PREFIX.length);
    return { stanza, name, descriptionMd5: md5, language, description: field.value };
  }
  throw syntaxError(origin, stanza.line, `description of ${quoted(name)} is in no language`);
}

/** The stanza of a Translation index. */
export function translationStanza(entry: Omit<TranslationEntry, 'stanza' | 'descriptionMd5'>): Stanza {
  return Stanza.of([
    { name: 'Package', value: entry.name },
    { name: 'Description-md5', value: descriptionMd5(entry.description) },
    { name: `Description-${entry.language}`, value: entry.description },
  ]);
}

/** The checksum that ties a package to its long description: of the untranslated value and a newline. */
export function descriptionMd5(description: string): string {
  return createHash('md5').update(`${description}\n`).digest('hex');
}
