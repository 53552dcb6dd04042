/** SQLite: what can be searched, and what is alive. Packages can be recorded anew from the store at any time. */
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { KubedosError, storageError } from '../errors.ts';
import { Recorder } from './record.ts';
import { migrate } from './schema.ts';
import { packagesByObject, recordedMirrors, search } from './search.ts';
import { createToken, listTokens, revokeToken, verifyToken } from './tokens.ts';
import type { Catalog } from './types.ts';

export type { Catalog, FoundPackage, ListingChange, PackageRow, Token, TokenScope } from './types.ts';

/** Another process may be recording. */
const BUSY_TIMEOUT_MS = 30_000;
const CACHE_KIB = 4 * 1024;

/** Makes the file if need be. Several processes may have it open; readers are not blocked by a writer. */
export function openCatalog(file: string): Catalog {
  const database = openDatabase(file);
  const db = drizzle(database);
  const recorder = new Recorder(database, db);
  /** A full disk is told as such. What the rows throw passes. */
  const written = async <T>(write: () => Promise<T>): Promise<T> => {
    try {
      return await write();
    } catch (cause) {
      if (cause instanceof Database.SqliteError) throw storageError(`write catalog ${file}`, cause);
      throw cause;
    }
  };
  return {
    recordMirror: (mirror, root, rows) => written(() => recorder.mirror(mirror, root, rows)),
    recordChange: (mirror, change) => written(() => recorder.change(mirror, change)),
    forgetMirror: (mirror) => written(() => recorder.forget(mirror)),
    recordedMirrors: () => recordedMirrors(db),
    packagesByObject: (sha256s) => packagesByObject(db, sha256s),
    search: (text, options) => search(db, text, options),
    createToken: (wanted) => createToken(db, wanted),
    verifyToken: (secret, scope, now) => verifyToken(db, { secret, scope, now }),
    revokeToken: (id, now) => revokeToken(db, id, now),
    listTokens: () => listTokens(db),
    close: () => database.close(),
  };
}

function openDatabase(file: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    database.pragma('journal_mode = WAL');
    // A power cut may undo the last changes, which a rebuild brings back; it does not damage the file.
    database.pragma('synchronous = NORMAL');
    database.pragma('foreign_keys = ON');
    database.pragma('temp_store = FILE');
    database.pragma(`cache_size = -${CACHE_KIB}`);
    migrate(database, file);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof KubedosError) throw cause;
    const code = cause instanceof Database.SqliteError ? cause.code : undefined;
    if (code === 'SQLITE_NOTADB' || code?.startsWith('SQLITE_CORRUPT')) {
      throw new KubedosError('store.corrupt', `open catalog ${file}: it is no intact SQLite database`, {
        hint: 'delete it and run `kubedos store rebuild`; upload tokens have to be made anew',
        cause,
      });
    }
    throw storageError(`open catalog ${file}`, cause);
  }
}
