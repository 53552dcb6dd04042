/**
 * Release files (https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files). Give `parseRelease` the signed content
 * that trust/ has taken out of an InRelease, never the InRelease itself.
 */
import { formatReleaseDate, parseReleaseDate } from './date.ts';
import { type Field, parseStanza, Stanza } from './deb822.ts';
import type { Checksums } from './digest.ts';
import { FILE_LIST_FIELDS, readFileLists, renderFileList } from './release-files.ts';
import { words } from './syntax.ts';

export interface Release {
  readonly origin?: string | undefined;
  readonly label?: string | undefined;
  /** May hold slashes. */
  readonly suite?: string | undefined;
  readonly version?: string | undefined;
  readonly codename?: string | undefined;
  readonly date?: Date | undefined;
  readonly validUntil?: Date | undefined;
  readonly notAutomatic: boolean;
  readonly butAutomaticUpgrades: boolean;
  readonly acquireByHash: boolean;
  /** `No-Support-for-Architecture-all: Packages`: arch:all packages are in every architecture's index. */
  readonly noSupportForArchitectureAll: boolean;
  /** As given, `all` and `source` included. */
  readonly architectures: readonly string[];
  /** As given: `main`, `updates/main`. Empty for flat repositories. */
  readonly components: readonly string[];
  readonly description?: string | undefined;
  /** Constrains the next Release: drop or rewrite it when you sign anew. */
  readonly signedBy?: string | undefined;
  /** By canonical path, relative to the Release's folder, in the order given. Listed is not present. */
  readonly files: ReadonlyMap<string, Checksums>;
  /** The fields that are none of the above, in their order. */
  readonly other: readonly Field[];
  /** Names in the order in which they were read and are written; those not named here follow in the customary order. */
  readonly order?: readonly string[] | undefined;
}

const CUSTOMARY_ORDER = [
  ...['Origin', 'Label', 'Suite', 'Version', 'Codename', 'Date', 'Valid-Until', 'NotAutomatic', 'ButAutomaticUpgrades'],
  ...['Acquire-By-Hash', 'No-Support-for-Architecture-all', 'Architectures', 'Components', 'Description', 'Signed-By'],
];
const KNOWN = new Set(
  [...CUSTOMARY_ORDER, ...FILE_LIST_FIELDS.map(([name]) => name)].map((name) => name.toLowerCase()),
);

/** Throws `format.syntax` with origin:line, `format.path` for a listed path that escapes, `format.limit`. */
export function parseRelease(content: Uint8Array | string, origin: string): Release {
  const stanza = parseStanza(content, origin);
  const date = (field: string) => {
    const text = stanza.get(field);
    return text === undefined || text === ''
      ? undefined
      : parseReleaseDate(text, { origin, line: stanza.lineOf(field) });
  };
  const yes = (field: string) => stanza.get(field)?.toLowerCase() === 'yes';
  const all = stanza.fields();
  const lastOf = new Map(all.map((field) => [field.name.toLowerCase(), field]));
  const fields = all.filter((field) => lastOf.get(field.name.toLowerCase()) === field);
  return {
    origin: stanza.get('Origin'),
    label: stanza.get('Label'),
    suite: stanza.get('Suite'),
    version: stanza.get('Version'),
    codename: stanza.get('Codename'),
    date: date('Date'),
    validUntil: date('Valid-Until'),
    notAutomatic: yes('NotAutomatic'),
    butAutomaticUpgrades: yes('ButAutomaticUpgrades'),
    acquireByHash: yes('Acquire-By-Hash'),
    noSupportForArchitectureAll: words(stanza.get('No-Support-for-Architecture-all')).includes('Packages'),
    architectures: words(stanza.get('Architectures')),
    components: words(stanza.get('Components')),
    description: stanza.get('Description'),
    signedBy: stanza.get('Signed-By'),
    files: readFileLists(stanza, origin),
    other: fields.filter((field) => !KNOWN.has(field.name.toLowerCase())),
    order: fields.map((field) => field.name),
  };
}

/** The text to sign. What `parseRelease` reads from it equals `release`; a Release of Debian's comes out to the byte. */
export function writeRelease(release: Release): string {
  const values = new Map<string, Field>();
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) values.set(name.toLowerCase(), { name, value });
  };
  set('Origin', release.origin);
  set('Label', release.label);
  set('Suite', release.suite);
  set('Version', release.version);
  set('Codename', release.codename);
  set('Date', release.date && formatReleaseDate(release.date));
  set('Valid-Until', release.validUntil && formatReleaseDate(release.validUntil));
  set('NotAutomatic', release.notAutomatic ? 'yes' : undefined);
  set('ButAutomaticUpgrades', release.butAutomaticUpgrades ? 'yes' : undefined);
  set('Acquire-By-Hash', release.acquireByHash ? 'yes' : undefined);
  set('No-Support-for-Architecture-all', release.noSupportForArchitectureAll ? 'Packages' : undefined);
  set('Architectures', release.architectures.join(' ') || undefined);
  set('Components', release.components.join(' ') || undefined);
  set('Description', release.description);
  set('Signed-By', release.signedBy);
  for (const field of release.other) values.set(field.name.toLowerCase(), field);
  for (const [name, algorithm] of FILE_LIST_FIELDS) set(name, renderFileList(release.files, algorithm));
  return Stanza.of(inOrder(values, release.order ?? [])).raw.toString();
}

function inOrder(values: Map<string, Field>, order: readonly string[]): Field[] {
  const names = new Set([...order, ...CUSTOMARY_ORDER].map((name) => name.toLowerCase()));
  const lists = FILE_LIST_FIELDS.map(([name]) => name.toLowerCase());
  for (const name of values.keys()) if (!lists.includes(name)) names.add(name);
  for (const name of lists) names.add(name);
  return [...names].flatMap((name) => values.get(name) ?? []);
}
