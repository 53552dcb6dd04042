/** Writes what mirrors list into the catalog, as differences. */
import { hash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { eq } from 'drizzle-orm';
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { mirrors, WORDS } from './schema.ts';
import type { ListingChange, PackageRow, RecordedMirror } from './types.ts';

/** Rows of one transaction while they are gathered. */
const ROWS_A_BATCH = 1000;
const VARIANT_DIGITS = 16;
const COLUMNS = 'sha256, variant, family, name, version, architecture, source, section, description';

/**
 * drizzle for the small things; the bulk is set-based SQL on the connection itself. Rows are gathered in a temporary
 * table (this connection's own, in a file that vanishes with it) and then merged in the order of their hashes: in that
 * order the indexes are walked and not searched, which makes a first recording of a million packages ten times as fast.
 * Recordings of one process run one after the other, those of several under the writer's lock of the store.
 */
export class Recorder {
  readonly #database: Database.Database;
  readonly #db: BetterSQLite3Database;
  readonly #insertStaged: Database.Statement;
  #last: Promise<unknown> = Promise.resolve();

  constructor(database: Database.Database, db: BetterSQLite3Database) {
    this.#database = database;
    this.#db = db;
    database.exec(`CREATE TEMP TABLE staged (path, ${COLUMNS});
                   CREATE TEMP TABLE incoming (package_id INTEGER, path TEXT, PRIMARY KEY (package_id, path)) WITHOUT ROWID;
                   CREATE TEMP TABLE outgoing (package_id INTEGER, path TEXT)`);
    this.#insertStaged = database.prepare(
      `INSERT INTO staged (path, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  mirror(name: string, root: string, rows: AsyncIterable<PackageRow> | Iterable<PackageRow>): Promise<RecordedMirror> {
    return this.#inTurn(async () => {
      let batch: PackageRow[] = [];
      for await (const row of rows) {
        batch.push(row);
        if (batch.length < ROWS_A_BATCH) continue;
        this.#stage(batch);
        batch = [];
      }
      this.#stage(batch);
      return this.#inTransaction(() => {
        const id = this.#mirrorId(name, root);
        this.#resolve();
        this.#run(
          `INSERT INTO outgoing SELECT package_id, path FROM listing l WHERE mirror_id = ?
           AND NOT EXISTS (SELECT 1 FROM incoming i WHERE i.package_id = l.package_id AND i.path = l.path)`,
          id,
        );
        return this.#settle(id);
      });
    });
  }

  change(name: string, { before, root, added, removed }: ListingChange): Promise<boolean> {
    return this.#inTurn(async () =>
      this.#inTransaction(() => {
        if (this.#rootOf(name) !== before) return false;
        const id = this.#mirrorId(name, root);
        this.#stage(added);
        this.#resolve();
        this.#run(
          `INSERT INTO outgoing SELECT listing.package_id, listing.path
           FROM json_each(?) JOIN package ON package.sha256 = value ->> 0
           JOIN listing ON listing.package_id = package.id AND listing.mirror_id = ? AND listing.path = value ->> 1`,
          JSON.stringify(removed.map(({ sha256, path }) => [sha256, path])),
          id,
        );
        this.#settle(id);
        return true;
      }),
    );
  }

  forget(name: string): Promise<void> {
    return this.#inTurn(async () =>
      this.#inTransaction(() => {
        if (this.#rootOf(name) === undefined) return;
        const id = this.#mirrorId(name, '');
        this.#run('INSERT INTO outgoing SELECT package_id, path FROM listing WHERE mirror_id = ?', id);
        this.#settle(id);
        this.#db.delete(mirrors).where(eq(mirrors.id, id)).run();
      }),
    );
  }

  #stage(rows: readonly PackageRow[]): void {
    this.#inTransaction(() => {
      for (const row of rows) this.#insertStaged.run(staged(row));
    });
  }

  /** Makes sure that the staged packages are on record, and fills `incoming` with where they are. */
  #resolve(): void {
    const newest = this.#database.prepare('SELECT ifnull(max(id), 0) FROM package').pluck().get() as number;
    this.#run(`INSERT OR IGNORE INTO package (${COLUMNS}) SELECT ${COLUMNS} FROM staged ORDER BY sha256, variant`);
    // SQLite numbers new rows from the largest id on.
    this.#run(`INSERT INTO ${WORDS} (rowid, description) SELECT id, description FROM package WHERE id > ?`, newest);
    this.#run(
      `INSERT OR IGNORE INTO incoming SELECT package.id, path
       FROM (SELECT sha256, variant, path FROM staged ORDER BY sha256, variant) AS s
       CROSS JOIN package ON package.sha256 = s.sha256 AND package.variant = s.variant`,
    );
  }

  /** Takes `outgoing` from the listing and adds `incoming`; drops packages that nobody lists any more. */
  #settle(mirrorId: number): RecordedMirror {
    const removed = this.#run(
      'DELETE FROM listing WHERE mirror_id = ? AND (package_id, path) IN (SELECT package_id, path FROM outgoing)',
      mirrorId,
    );
    const added = this.#run('INSERT OR IGNORE INTO listing SELECT package_id, ?, path FROM incoming', mirrorId);
    const unlisted = `SELECT package_id FROM outgoing
       WHERE NOT EXISTS (SELECT 1 FROM listing WHERE listing.package_id = outgoing.package_id)`;
    this.#run(`DELETE FROM ${WORDS} WHERE rowid IN (${unlisted})`);
    this.#run(`DELETE FROM package WHERE id IN (${unlisted})`);
    return { added, removed };
  }

  #rootOf(name: string): string | undefined {
    return this.#db.select().from(mirrors).where(eq(mirrors.name, name)).get()?.root;
  }

  #mirrorId(name: string, root: string): number {
    return this.#db
      .insert(mirrors)
      .values({ name, root })
      .onConflictDoUpdate({ target: mirrors.name, set: { root } })
      .returning({ id: mirrors.id })
      .get().id;
  }

  #run(statement: string, ...values: readonly (string | number)[]): number {
    return this.#database.prepare(statement).run(...values).changes;
  }

  /** Waits for the lock of another process now rather than in the middle. */
  #inTransaction<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      this.#clear();
      const result = await work();
      this.#clear();
      return result;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #clear(): void {
    this.#database.exec('DELETE FROM staged; DELETE FROM incoming; DELETE FROM outgoing');
  }
}

/** Path, then COLUMNS in their order. */
function staged(row: PackageRow): readonly string[] {
  const columns = [row.family, row.name, row.version, row.architecture, row.source, row.section, row.description];
  const variant = hash('sha256', JSON.stringify(columns), 'hex').slice(0, VARIANT_DIGITS);
  return [row.path, row.sha256, variant, ...columns];
}
