/** The indexes of a curated mirror: the stanzas of what was chosen, as upstream wrote them but for moved paths. */
import { Stanza } from '../../formats/apt/deb822.ts';
import type { IndexInput } from '../../formats/apt/publication.ts';
import { sourceEntry } from '../../formats/apt/sources.ts';
import { translationEntry } from '../../formats/apt/translation.ts';
import type { ObjectStore } from '../../store/types.ts';
import type { ChosenFile, PoolPlaces } from '../curate/pool-places.ts';
import type { PackageTable, Row } from './curate/package-table.ts';
import type { Selection } from './curate/select.ts';
import { type PresentIndex, quickestForm } from './index-fetch.ts';
import { storedStanzas, strongDigest } from './index-read.ts';

export interface CuratedParts {
  readonly objects: ObjectStore;
  readonly table: PackageTable;
  readonly selection: Selection;
  /** Of the table's indexes, in its order. */
  readonly indexes: readonly PresentIndex[];
  readonly component: string;
  readonly architectures: readonly string[];
  /** Chosen, and not to be had: left out of the indexes. */
  readonly without: ReadonlySet<string>;
}

/** The package of a row as a file. */
export function chosenFile({ table, indexes }: Pick<CuratedParts, 'table' | 'indexes'>, row: Row): ChosenFile {
  const entry = table.entry(row);
  return {
    path: entry.path,
    sizeBytes: entry.sizeBytes,
    sha256: strongDigest(entry.digest, `${table.describe(row)}: ${entry.path}`),
    upstreamIndex: indexes[table.index(row)]?.upstreamIndex ?? 0,
  };
}

/** One Packages index an architecture; packages of `all` are in each. */
export function packagesIndexes(parts: CuratedParts, places: PoolPlaces): IndexInput[] {
  const { table, selection, component, without } = parts;
  return parts.architectures.map((architecture) => ({
    component,
    kind: 'Packages',
    architecture,
    *stanzas() {
      for (const row of selection.rows) {
        const of = table.architecture(row);
        if (of !== architecture && of !== 'all') continue;
        const file = chosenFile(parts, row);
        const path = places.place(file);
        if (!without.has(path)) yield withField(table.stanza(row), 'Filename', path).raw;
      }
    },
  }));
}

/** The stanza with another value of a field; the same stanza where it has that value. */
export function withField(stanza: Stanza, name: string, value: string): Stanza {
  if (stanza.get(name) === value) return stanza;
  const fields = stanza
    .fields()
    .map((field) => (field.name.toLowerCase() === name.toLowerCase() ? { ...field, value } : field));
  return Stanza.of(fields);
}

/** Long descriptions of what was chosen, one index a language that has any. */
export async function translationIndexes(
  parts: CuratedParts,
  translations: readonly PresentIndex[],
): Promise<IndexInput[]> {
  const wanted = new Set<string>();
  for (const row of parts.selection.rows)
    wanted.add(`${parts.table.name(row)} ${parts.table.entry(row).descriptionMd5 ?? ''}`);
  const byLanguage = new Map<string, Map<string, Buffer>>();
  for (const index of translations) {
    const file = quickestForm(index);
    for await (const stanza of storedStanzas(parts.objects, file)) {
      const entry = translationEntry(stanza, file.path);
      const key = `${entry.name} ${entry.descriptionMd5}`;
      if (!wanted.has(key)) continue;
      const found = byLanguage.get(entry.language) ?? new Map<string, Buffer>();
      byLanguage.set(entry.language, found);
      // A copy: the stanza may be a part of a large block.
      if (!found.has(key)) found.set(key, Buffer.from(stanza.raw));
    }
  }
  return [...byLanguage].sort(byKey).map(([language, found]) => {
    const stanzas = [...found].sort(byKey).map(([, raw]) => raw);
    return { component: parts.component, kind: 'Translation', architecture: language, stanzas: () => stanzas };
  });
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

export interface ChosenSource {
  readonly stanza: Stanza;
  readonly files: readonly ChosenFile[];
  readonly directory: string;
}

/** The sources of what was chosen, by name and version, each once: of the first upstream that has it. */
export async function chosenSources(parts: CuratedParts, sources: readonly PresentIndex[]): Promise<ChosenSource[]> {
  const wanted = new Set<string>();
  for (const row of parts.selection.rows) {
    const { name, version } = parts.table.entry(row).source;
    wanted.add(`${name} ${version}`);
  }
  const found = new Map<string, ChosenSource>();
  for (const index of sources) {
    const file = quickestForm(index);
    for await (const stanza of storedStanzas(parts.objects, file)) {
      const entry = sourceEntry(stanza, file.path);
      const key = `${entry.name} ${entry.version}`;
      if (!wanted.has(key) || found.has(key)) continue;
      const files = entry.files.map(({ path, sizeBytes, digest }) => ({
        path,
        sizeBytes,
        sha256: strongDigest(digest, `${file.path}: ${path}`),
        upstreamIndex: index.upstreamIndex,
      }));
      const raw = Buffer.from(stanza.raw);
      found.set(key, {
        stanza: new Stanza(raw, { origin: file.path, line: 1, offset: 0 }),
        files,
        directory: entry.directory,
      });
    }
  }
  return [...found].sort(byKey).map(([, source]) => source);
}

/** All files of a source lie in one folder: if one must move, all do. */
export function placeSource(
  source: ChosenSource,
  places: PoolPlaces,
): { readonly directory: string; readonly paths: readonly string[] } {
  const moved = source.files.some((file) => places.isContested(file));
  const paths = source.files.map((file) => places.place(file, moved));
  const [first = ''] = paths;
  return { directory: first.slice(0, first.lastIndexOf('/')) || '.', paths };
}

export function sourcesIndex(parts: CuratedParts, sources: readonly ChosenSource[], places: PoolPlaces): IndexInput[] {
  if (sources.length === 0) return [];
  return [
    {
      component: parts.component,
      kind: 'Sources',
      architecture: 'source',
      *stanzas() {
        for (const source of sources) {
          const { directory, paths } = placeSource(source, places);
          if (!paths.some((path) => parts.without.has(path)))
            yield withField(source.stanza, 'Directory', directory).raw;
        }
      },
    },
  ];
}
