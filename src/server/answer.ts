import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ByteRange, ObjectRef } from '../store/types.ts';

/** An object opened for one answer. `bytes` are shared with the cache: nobody writes to them. */
export type OpenObject =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Its size was found to be right; who takes it closes it. */
  | { readonly kind: 'file'; readonly handle: FileHandle }
  /** From a backend that is no folder: each range is a stream of its own. */
  | { readonly kind: 'stream'; readonly open: (range: ByteRange) => Promise<Readable> };

/** Literal bytes (frames of multipart/byteranges) and parts of the object, in the order in which they are sent. */
export type BodyPart = Uint8Array | ByteRange;

export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array | string }
  | {
      readonly kind: 'object';
      readonly ref: ObjectRef;
      readonly object: OpenObject;
      readonly parts: readonly BodyPart[];
    };

/**
 * What a request gets, before it is known whether it goes out through a socket (`send-socket.ts`) or as a web
 * Response (`send-response.ts`): the one place where routes of files decide is neither of them.
 */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value…: the form that node:http writes without looking at it again. */
  readonly headers: readonly string[];
  readonly body: Body;
}

export const NO_BODY: Body = { kind: 'none' };

/** A short answer of text, with what every answer carries. */
export function textAnswer(status: number, text: string, headers: readonly string[] = []): Answer {
  const bytes = Buffer.from(text);
  return {
    status,
    headers: [
      'Content-Type',
      'text/plain; charset=utf-8',
      'Content-Length',
      String(bytes.length),
      'X-Content-Type-Options',
      'nosniff',
      ...headers,
    ],
    body: { kind: 'bytes', bytes },
  };
}

export function htmlAnswer(status: number, html: { toString(): string }): Answer {
  const bytes = Buffer.from(html.toString());
  return {
    status,
    headers: [
      'Content-Type',
      'text/html; charset=utf-8',
      'Content-Length',
      String(bytes.length),
      'Cache-Control',
      'no-cache',
      ...PAGE_HEADERS,
    ],
    body: { kind: 'bytes', bytes },
  };
}

/** Our own pages load their style and nothing else, and are framed by nobody. */
export const PAGE_HEADERS: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Content-Security-Policy',
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Referrer-Policy',
  'no-referrer',
];
