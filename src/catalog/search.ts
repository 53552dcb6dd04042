/** What the catalog answers about packages. Answers depend on what is recorded alone, not on the order of recording. */
import { and, asc, desc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { listings, mirrors, packages, WORDS } from './schema.ts';
import type { FoundPackage, PackageRow, SearchOptions } from './types.ts';

/** SQLite takes at most 32,766 parameters. */
const OBJECTS_A_QUERY = 1000;

export function recordedMirrors(db: BetterSQLite3Database): { mirror: string; root: string }[] {
  return db.select({ mirror: mirrors.name, root: mirrors.root }).from(mirrors).orderBy(asc(mirrors.name)).all();
}

export function packagesByObject(db: BetterSQLite3Database, sha256s: Iterable<string>): Map<string, PackageRow> {
  const found = new Map<string, PackageRow>();
  const wanted = [...new Set(sha256s)];
  for (let at = 0; at < wanted.length; at += OBJECTS_A_QUERY) {
    const rows = db
      .select({ ...rowColumns, path: listings.path })
      .from(packages)
      .innerJoin(listings, eq(listings.packageId, packages.id))
      .innerJoin(mirrors, eq(mirrors.id, listings.mirrorId))
      .where(inArray(packages.sha256, wanted.slice(at, at + OBJECTS_A_QUERY)))
      .orderBy(asc(packages.sha256), asc(mirrors.name), asc(listings.path), asc(packages.variant))
      .all();
    for (const row of rows) if (!found.has(row.sha256)) found.set(row.sha256, row);
  }
  return found;
}

/** Stages from the best matches on; the later ones are asked only while the limit is not reached. */
export function search(db: BetterSQLite3Database, text: string, { mirror, limit }: SearchOptions): FoundPackage[] {
  const found = new Map<number, FoundPackage>();
  if (limit < 1) return [];
  for (const stage of stagesOf(text.trim())) {
    if (found.size >= limit) break;
    // What earlier stages found matches again: ask for so many more.
    for (const { id, row } of matches(db, stage, { mirror, limit: limit + found.size })) {
      if (found.size < limit && !found.has(id)) found.set(id, row);
    }
  }
  return [...found.values()];
}

/** Conditions, each answered from an index alone. */
function stagesOf(text: string): SQL[] {
  if (text === '') return [];
  const lower = text.toLowerCase();
  const holds = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const stages = [
    sql`${packages.name} = ${lower}`,
    sql`${packages.name} >= ${lower} AND ${packages.name} < ${`${lower}\u{10ffff}`}`,
    sql`${packages.id} IN (SELECT id FROM package INDEXED BY package_name WHERE name LIKE ${holds} ESCAPE '\\')`,
  ];
  // The words as FTS5 parts them; each may be the beginning of one.
  const words = text.match(/[\p{L}\p{N}\p{Co}]+/gu) ?? [];
  const query = words.map((word) => `"${word}"*`).join(' AND ');
  if (query !== '')
    stages.push(sql`${packages.id} IN (SELECT rowid FROM ${sql.raw(WORDS)} WHERE ${sql.raw(WORDS)} MATCH ${query})`);
  return stages;
}

const rowColumns = {
  family: packages.family,
  name: packages.name,
  version: packages.version,
  architecture: packages.architecture,
  source: packages.source,
  section: packages.section,
  description: packages.description,
  sha256: packages.sha256,
};

function matches(
  db: BetterSQLite3Database,
  condition: SQL,
  { mirror, limit }: SearchOptions,
): { id: number; row: FoundPackage }[] {
  const listed =
    mirror === undefined
      ? sql`EXISTS (SELECT 1 FROM ${listings} WHERE ${listings.packageId} = ${packages.id})`
      : sql`EXISTS (SELECT 1 FROM ${listings} JOIN ${mirrors} ON ${mirrors.id} = ${listings.mirrorId} WHERE ${listings.packageId} = ${packages.id} AND ${mirrors.name} = ${mirror})`;
  const rows = db
    .select({ id: packages.id, ...rowColumns })
    .from(packages)
    .where(and(condition, listed))
    .orderBy(
      asc(packages.name),
      desc(packages.version),
      asc(packages.architecture),
      asc(packages.sha256),
      asc(packages.variant),
    )
    .limit(limit)
    .all();
  const places = placesOf(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map(({ id, ...row }) => {
    const at = places.get(id) ?? [];
    const first = at.find((place) => mirror === undefined || place.mirror === mirror);
    return { id, row: { ...row, path: first?.path ?? '', mirrors: [...new Set(at.map((place) => place.mirror))] } };
  });
}

/** Where packages are listed, by mirror and path. */
function placesOf(
  db: BetterSQLite3Database,
  ids: readonly number[],
): Map<number, { readonly mirror: string; readonly path: string }[]> {
  const places = new Map<number, { mirror: string; path: string }[]>();
  for (let at = 0; at < ids.length; at += OBJECTS_A_QUERY) {
    const rows = db
      .select({ id: listings.packageId, mirror: mirrors.name, path: listings.path })
      .from(listings)
      .innerJoin(mirrors, eq(mirrors.id, listings.mirrorId))
      .where(inArray(listings.packageId, ids.slice(at, at + OBJECTS_A_QUERY)))
      .orderBy(asc(mirrors.name), asc(listings.path))
      .all();
    for (const { id, ...place } of rows) places.set(id, [...(places.get(id) ?? []), place]);
  }
  return places;
}
