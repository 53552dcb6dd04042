import type { Answer } from './answer.ts';
import type { Receive } from './exchange.ts';
import type { HttpClient } from './http.ts';
import { getLocalFile } from './local-file.ts';
import type { Validators } from './types.ts';
import { placeBelow, redactUrl, type Upstream, urlOf } from './url.ts';

export interface GetRequest {
  readonly upstream: Upstream;
  readonly path: string;
  /** First byte wanted; 0 for all. */
  readonly start: number;
  readonly validators?: Validators | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One GET below an upstream, over http, https or a local folder. */
export function get(http: HttpClient, request: GetRequest, receive: Receive): Promise<Answer> {
  const { upstream, start, validators, signal } = request;
  const place = placeBelow(upstream, request.path);
  if (place.origin === 'file:')
    return getLocalFile({ url: urlOf(place), start, etag: validators?.etag, signal }, receive);
  const headers: Record<string, string> = {};
  if (start > 0) headers.range = `bytes=${start}-`;
  if (validators?.etag !== undefined) headers['if-none-match'] = validators.etag;
  if (validators?.lastModified !== undefined) headers['if-modified-since'] = validators.lastModified;
  return http.get({ place, upstream, headers, signal }, receive);
}

/** How the file is named in messages. */
export function shownUrl(upstream: Upstream, path: string): string {
  return redactUrl(urlOf(placeBelow(upstream, path)));
}

/** Content-Length, if it is there and a number. */
export function contentLength(answer: Answer): number | undefined {
  const value = answer.header('content-length');
  return value !== undefined && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
}

/** First byte and size of the whole, from Content-Range of a 206 (RFC 9110 §14.4). */
export function contentRange(answer: Answer): { start: number; total: number | undefined } | undefined {
  const found = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16}|\*)$/.exec(answer.header('content-range')?.trim() ?? '');
  if (found === null) return undefined;
  return { start: Number(found[1]), total: found[2] === '*' ? undefined : Number(found[2]) };
}
