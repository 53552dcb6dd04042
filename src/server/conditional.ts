/** Preconditions of RFC 9110 §13. Our entity tags are strong: the SHA-256 of the bytes. */

/** The request headers that decide what of a file is sent. */
export interface FileHeaders {
  readonly range?: string | undefined;
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-modified-since'?: string | undefined;
  readonly 'if-range'?: string | undefined;
}

/**
 * Whether the client's copy of that date is what we would send. Only exact dates of known states count: a channel
 * that was rolled back must not answer "unchanged" to a client that has the newer state.
 */
export type SameAsOf = (date: string) => Promise<boolean> | boolean;

export type Precondition = 'go' | 'unchanged' | 'failed';

/** If-Match, If-None-Match, and where that is absent If-Modified-Since, in the order of §13.2.2. */
export async function checkPreconditions(
  headers: FileHeaders,
  etag: string,
  sameAsOf: SameAsOf,
): Promise<Precondition> {
  const match = headers['if-match'];
  if (match !== undefined && !listsTag(match, etag, false)) return 'failed';
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return listsTag(noneMatch, etag, true) ? 'unchanged' : 'go';
  const since = headers['if-modified-since'];
  if (since !== undefined && (await sameAsOf(since))) return 'unchanged';
  return 'go';
}

/** Whether Range is to be honoured: no If-Range, or one that names exactly this state (§13.1.5). */
export async function rangeApplies(headers: FileHeaders, etag: string, sameAsOf: SameAsOf): Promise<boolean> {
  const validator = headers['if-range']?.trim();
  if (validator === undefined) return true;
  if (validator.startsWith('"')) return validator === etag;
  return validator.startsWith('W/') ? false : sameAsOf(validator);
}

function listsTag(list: string, etag: string, weak: boolean): boolean {
  return list.split(',').some((item) => {
    const tag = item.trim();
    return tag === '*' || tag === etag || (weak && tag === `W/${etag}`);
  });
}

/** The date of HTTP in its one modern form: `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function httpDate(date: Date): string {
  return date.toUTCString();
}

/** Milliseconds since 1970 of any of HTTP's three date forms, or undefined. */
export function parseHttpDate(text: string): number | undefined {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) || text.length > 40) return undefined;
  // asctime's form names no zone; HTTP says that it is GMT.
  const parsed = Date.parse(/(GMT|UTC)$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(parsed) ? undefined : parsed;
}
