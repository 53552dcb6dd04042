import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import type { DocumentFolder } from './documents.ts';
import { isoSeconds } from './schemas.ts';
import { nap, throwIfStopped } from './stop.ts';

/** Between two looks at a lock that another process holds. */
const RETRY_MS = 50;

/** Who holds a lock; for people, never for decisions. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly command: string;
  readonly since: string;
}

export interface LockOptions {
  /** How long to wait for another process before `store.locked`; default 0. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Mutual exclusion across processes by an SQLite file held with BEGIN EXCLUSIVE. SQLite takes fcntl locks, which the
 * kernel drops with the process, kill -9 included; Node itself has no call for them. A JSON file beside it names the
 * holder. (Nothing else in the process may open the file: closing any descriptor of it drops the locks, says POSIX.)
 * Within the process calls queue, and calls from inside `work` run at once.
 */
export class ProcessLock {
  readonly #file: string;
  readonly #documents: DocumentFolder;
  readonly #inside = new AsyncLocalStorage<boolean>();
  readonly #defaults: LockOptions;
  #queue: Promise<unknown> = Promise.resolve();
  #database: Database.Database | undefined;

  /** `file` without ending: `.sqlite` and `.json` are made. */
  constructor(file: string, documents: DocumentFolder, defaults: LockOptions = {}) {
    this.#file = file;
    this.#documents = documents;
    this.#defaults = defaults;
  }

  async hold<T>(command: string, work: () => Promise<T>, options: LockOptions = this.#defaults): Promise<T> {
    if (this.#inside.getStore()) return work();
    const turn = this.#queue.then(() => this.#holdAlone(command, work, options));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** What the file beside the lock says; it may be left over from a holder that was killed. */
  async holder(): Promise<LockHolder | undefined> {
    const bytes = await this.#documents.read(`${this.#file}.json`);
    try {
      return bytes && (JSON.parse(bytes.toString()) as LockHolder);
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  async #holdAlone<T>(command: string, work: () => Promise<T>, { waitMs = 0, signal }: LockOptions): Promise<T> {
    const attempts = Math.ceil(waitMs / RETRY_MS);
    for (let attempt = 0; !this.#tryAcquire(); attempt++) {
      throwIfStopped(signal, 'wait for the lock of the store');
      if (attempt >= attempts) throw this.#refusal(await this.holder());
      await nap(RETRY_MS, signal, 'wait for the lock of the store');
    }
    try {
      await this.#nameHolder(command);
      return await this.#inside.run(true, work);
    } finally {
      // Node watches every promise of the process as long as this is on.
      this.#inside.disable();
      this.#release();
    }
  }

  async #nameHolder(command: string): Promise<void> {
    const holder: LockHolder = { pid: process.pid, host: hostname(), command, since: isoSeconds(new Date()) };
    try {
      await this.#documents.writeVolatile(`${this.#file}.json`, Buffer.from(`${JSON.stringify(holder)}\n`));
    } catch (error) {
      // On a full disk `store gc` must go on: it is what makes room.
      if (!(error instanceof KubedosError) || error.code !== 'store.no-space') throw error;
    }
  }

  #tryAcquire(): boolean {
    try {
      this.#database ??= openLockFile(`${this.#file}.sqlite`);
      this.#database.exec('BEGIN EXCLUSIVE');
      return true;
    } catch (error) {
      if (error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code)) return false;
      throw storageError(`lock ${this.#file}.sqlite`, error);
    }
  }

  #release(): void {
    // A store closed from within `work` has given the lock back already.
    if (this.#database?.inTransaction) this.#database.exec('ROLLBACK');
  }

  #refusal(holder: LockHolder | undefined): KubedosError {
    const by = holder
      ? `${holder.command} (process ${holder.pid} on ${holder.host}, since ${holder.since})`
      : 'another process';
    return new KubedosError('store.locked', `write to the store: ${by} is writing to it`, {
      hint: 'wait until it ends, or stop that process; the lock goes with it',
      retryable: true,
      details: { holder },
    });
  }
}

function openLockFile(file: string): Database.Database {
  try {
    // Made here, since SQLite does not say why it cannot; never opened where it is there (see ProcessLock).
    closeSync(openSync(file, 'wx', 0o644));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const database = new Database(file, { timeout: 0 });
  // Nothing is ever written; a journal on disk would take room that a full disk does not have.
  database.pragma('journal_mode = MEMORY');
  return database;
}
