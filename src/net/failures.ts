import { errnoOf, KubedosError } from '../errors.ts';
import type { Answer } from './answer.ts';

/** A server that asks for more patience than this is taken as failing (each try waits at most this long). */
const MAX_RETRY_AFTER_MS = 120_000;

/** Certificate trouble does not pass by trying again. */
const TLS_REFUSALS = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;

export function stalled(shown: string, bytes: number): KubedosError {
  return new KubedosError('net.stalled', `fetch ${shown}: the transfer moved too slowly, ${bytes} bytes had come`, {
    retryable: true,
  });
}

export function notFound(shown: string): KubedosError {
  return new KubedosError('net.not-found', `fetch ${shown}: not there`);
}

export function wrongSize(shown: string, what: string, retryable: boolean): KubedosError {
  return new KubedosError('net.size', `fetch ${shown}: ${what}`, { retryable });
}

/** What socket, TLS, DNS or undici threw, as an error of the catalogue. KubedosErrors pass. */
export function networkError(shown: string, cause: unknown): KubedosError {
  if (cause instanceof KubedosError) return cause;
  const code = errnoOf(cause) ?? '';
  const reason = cause instanceof Error ? cause.message || code : String(cause);
  if (TLS_REFUSALS.test(code)) {
    return new KubedosError('net.failed', `fetch ${shown}: certificate not accepted: ${reason}`, {
      hint: 'for an upstream with a private authority, set NODE_EXTRA_CA_CERTS to its certificate file',
      cause,
    });
  }
  return new KubedosError('net.failed', `fetch ${shown}: ${reason}`, { retryable: true, cause });
}

/** An answer that is neither the file nor a redirect. `nowMs` is for a Retry-After that gives a date. */
export function statusError(shown: string, answer: Answer, nowMs: number): KubedosError {
  const { status } = answer;
  if (status === 404 || status === 410) return notFound(shown);
  if (status === 401 || status === 403 || status === 407) {
    const who = status === 407 ? 'the proxy' : 'upstream';
    return new KubedosError('net.auth', `fetch ${shown}: ${who} answered ${status}`, {
      hint: 'give credentials for this host in a netrc file (`kubedos sync --netrc FILE`)',
    });
  }
  const retryable = status >= 500 || status === 429 || status === 408 || status === 425;
  const retryAfterMs = retryable ? parseRetryAfter(answer.header('retry-after'), nowMs) : undefined;
  return new KubedosError('net.status', `fetch ${shown}: upstream answered ${status}`, {
    retryable,
    details: { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

/** Seconds or an HTTP date (RFC 9110 §10.2.3), bounded by `MAX_RETRY_AFTER_MS`. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const ms = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

export function retryAfterOf(error: KubedosError): number | undefined {
  const { retryAfterMs } = error.details;
  return typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
}

/** What is said when no upstream gave the file: the most telling failure, with the others behind it. */
export function combined(shown: string, failures: readonly KubedosError[]): KubedosError {
  const others = failures.filter(({ code }) => code !== 'net.not-found');
  const told = others.length > 0 ? others : failures;
  const mismatch = told.find(({ code }) => code === 'net.hash-mismatch');
  const [only] = told;
  if (only === undefined) return new KubedosError('net.failed', `fetch ${shown}: there is no upstream to ask`);
  const same = told.every(({ code }) => code === only.code);
  if (told.length === 1) return only;
  return new KubedosError(
    mismatch?.code ?? (same ? only.code : 'net.failed'),
    `fetch ${shown}: no upstream gave it: ${told.map(({ message }) => message).join('; ')}`,
    { retryable: told.some(({ retryable }) => retryable), hint: only.hint, cause: new AggregateError(told) },
  );
}
