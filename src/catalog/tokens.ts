/** Tokens of those who may upload. Only their hashes are kept: a stolen catalog lets nobody in. */
import { hash, randomBytes } from 'node:crypto';
import { and, asc, eq, isNull } from 'drizzle-orm';
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { tokens } from './schema.ts';
import type { NewToken, Token, TokenScope } from './types.ts';

/** 256 bits from the system: such a secret needs no slow hash. */
const SECRET_BYTES = 32;
const PREFIX = 'kubedos_';

type Row = typeof tokens.$inferSelect;

export function createToken(db: BetterSQLite3Database, wanted: NewToken): { token: Token; secret: string } {
  const secret = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  const row: Row = {
    id: randomBytes(6).toString('hex'),
    name: wanted.name,
    scope: wanted.scope,
    repos: wanted.repos ?? null,
    hash: hashOf(secret),
    created: seconds(wanted.now),
    expires: wanted.expires === undefined ? null : seconds(wanted.expires),
    revoked: null,
  };
  db.insert(tokens).values(row).run();
  return { token: tokenOf(row), secret };
}

/** Looked up by hash: how long that takes tells nothing about the secret. */
export function verifyToken(
  db: BetterSQLite3Database,
  { secret, scope, now }: { readonly secret: string; readonly scope: TokenScope; readonly now: Date },
): Token | undefined {
  const row = db
    .select()
    .from(tokens)
    .where(and(eq(tokens.hash, hashOf(secret)), eq(tokens.scope, scope), isNull(tokens.revoked)))
    .get();
  if (row === undefined || (row.expires !== null && row.expires <= seconds(now))) return undefined;
  return tokenOf(row);
}

export function revokeToken(db: BetterSQLite3Database, id: string, now: Date): boolean {
  const revoked = seconds(now);
  return (
    db
      .update(tokens)
      .set({ revoked })
      .where(and(eq(tokens.id, id), isNull(tokens.revoked)))
      .run().changes > 0
  );
}

export function listTokens(db: BetterSQLite3Database): Token[] {
  return db.select().from(tokens).orderBy(asc(tokens.created), asc(tokens.id)).all().map(tokenOf);
}

function tokenOf({ id, name, scope, repos, created, expires, revoked }: Row): Token {
  return {
    id,
    name,
    scope,
    repos: repos ?? undefined,
    created: dateOf(created),
    expires: maybeDate(expires),
    revoked: maybeDate(revoked),
  };
}

function hashOf(secret: string): string {
  return hash('sha256', secret, 'hex');
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function dateOf(value: number): Date {
  return new Date(value * 1000);
}

function maybeDate(value: number | null): Date | null {
  return value === null ? null : dateOf(value);
}
