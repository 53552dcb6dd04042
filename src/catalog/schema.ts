/** The tables of the catalog, and how an older catalog becomes a newer one. */
import type Database from 'better-sqlite3';
import { index, integer, primaryKey, sqliteTable, text, unique } from 'drizzle-orm/sqlite-core';
import { KubedosError } from '../errors.ts';

/** Mirrors whose newest state is recorded. */
export const mirrors = sqliteTable('mirror', {
  id: integer('id').primaryKey(),
  name: text('name').notNull().unique(),
  /** Root of the manifest that the listing below was read from. */
  root: text('root').notNull(),
});

/** A package as an index describes it. Two indexes that describe one object in two ways give two rows. */
export const packages = sqliteTable(
  'package',
  {
    id: integer('id').primaryKey(),
    sha256: text('sha256').notNull(),
    /** Hash over all that follows: tells descriptions of one object apart. */
    variant: text('variant').notNull(),
    family: text('family').$type<'apt' | 'yum'>().notNull(),
    name: text('name').notNull(),
    version: text('version').notNull(),
    architecture: text('architecture').notNull(),
    source: text('source').notNull(),
    section: text('section').notNull(),
    description: text('description').notNull(),
  },
  (table) => [unique('package_object').on(table.sha256, table.variant), index('package_name').on(table.name)],
);

/** Words of the descriptions, by the id of the package (SQLite FTS5): drizzle has no notion of it. */
export const WORDS = 'package_words';

/** Which mirrors list which packages, and where. By package first: that is how searches ask; a recording reads all. */
export const listings = sqliteTable(
  'listing',
  {
    packageId: integer('package_id')
      .notNull()
      .references(() => packages.id),
    mirrorId: integer('mirror_id')
      .notNull()
      .references(() => mirrors.id),
    path: text('path').notNull(),
  },
  (table) => [primaryKey({ columns: [table.packageId, table.mirrorId, table.path] })],
);

export const tokens = sqliteTable('token', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  scope: text('scope').$type<'upload'>().notNull(),
  /** JSON array of the repositories it is for; null: all. */
  repos: text('repos', { mode: 'json' }).$type<readonly string[]>(),
  /** SHA-256 of the secret; the secret itself is shown once and kept nowhere. */
  hash: text('hash').notNull().unique(),
  /** Seconds since 1970, as are the others. */
  created: integer('created').notNull(),
  expires: integer('expires'),
  revoked: integer('revoked'),
});

/** Step n brings version n to n + 1. Steps that were released are never edited. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE mirror (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     root TEXT NOT NULL
   );
   CREATE TABLE package (
     id INTEGER PRIMARY KEY,
     sha256 TEXT NOT NULL,
     variant TEXT NOT NULL,
     family TEXT NOT NULL,
     name TEXT NOT NULL,
     version TEXT NOT NULL,
     architecture TEXT NOT NULL,
     source TEXT NOT NULL,
     section TEXT NOT NULL,
     description TEXT NOT NULL,
     UNIQUE (sha256, variant)
   );
   CREATE INDEX package_name ON package (name);
   CREATE VIRTUAL TABLE package_words USING fts5 (description, content = '', contentless_delete = 1, detail = none);
   CREATE TABLE listing (
     package_id INTEGER NOT NULL REFERENCES package (id),
     mirror_id INTEGER NOT NULL REFERENCES mirror (id),
     path TEXT NOT NULL,
     PRIMARY KEY (package_id, mirror_id, path)
   ) WITHOUT ROWID;
   CREATE TABLE token (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     scope TEXT NOT NULL,
     repos TEXT,
     hash TEXT NOT NULL UNIQUE,
     created INTEGER NOT NULL,
     expires INTEGER,
     revoked INTEGER
   );`,
];

/** Each step in a transaction with its number; a catalog of a newer kubedos is `store.version`. */
export function migrate(database: Database.Database, file: string): void {
  const step = database.transaction((version: number) => {
    database.exec(MIGRATIONS[version] as string);
    database.pragma(`user_version = ${version + 1}`);
  });
  for (;;) {
    const version = Number(database.pragma('user_version', { simple: true }));
    if (version > MIGRATIONS.length) {
      throw new KubedosError(
        'store.version',
        `open catalog ${file}: its version ${version} is newer than this kubedos`,
        {
          hint: 'use the kubedos that wrote it, or delete the file and run `kubedos store rebuild`',
        },
      );
    }
    if (version === MIGRATIONS.length) return;
    // Two processes may open a new catalog at once: the second waits, then finds the step done.
    const stepOnce = database.transaction(() => {
      if (Number(database.pragma('user_version', { simple: true })) === version) step(version);
    });
    stepOnce.immediate();
  }
}
