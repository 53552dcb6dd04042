import { KubedosError } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { Sink } from './exchange.ts';
import { combined, statusError, wrongSize } from './failures.ts';
import type { Hosts } from './hosts.ts';
import type { HttpClient } from './http.ts';
import { contentLength, get, shownUrl } from './transport.ts';
import type { DocumentAnswer, Validators } from './types.ts';
import { redactUrl, type Upstream } from './url.ts';

export interface DocumentJob {
  readonly http: HttpClient;
  readonly hosts: Hosts;
  readonly upstreams: readonly Upstream[];
  readonly path: string;
  readonly maxBytes: number;
  readonly validators: Validators | undefined;
  readonly signal: AbortSignal | undefined;
}

/** See `Fetcher.document`. */
export async function fetchDocument(job: DocumentJob): Promise<DocumentAnswer> {
  const failures: KubedosError[] = [];
  for (const upstream of job.hosts.inOrder(job.upstreams)) {
    try {
      return await job.hosts.withTries(upstream, {
        signal: job.signal,
        progress: () => 0,
        run: () => once(job, upstream),
      });
    } catch (error) {
      if (!(error instanceof KubedosError) || !error.code.startsWith('net.')) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0 && failures.every(({ code }) => code === 'net.not-found')) return { status: 'missing' };
  throw combined(job.path, failures);
}

async function once(job: DocumentJob, upstream: Upstream): Promise<DocumentAnswer> {
  const { http, path, validators, signal, maxBytes } = job;
  const shown = (): string => shownUrl(upstream, path);
  const chunks: Buffer[] = [];
  const receive = (head: Answer): Sink | undefined => {
    if (head.status !== 200) return undefined;
    if ((contentLength(head) ?? 0) > maxBytes) throw tooLong(shown(), maxBytes);
    let bytes = 0;
    return (chunk) => {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLong(shown(), maxBytes);
      chunks.push(chunk);
      return undefined;
    };
  };
  const answer = await get(http, { upstream, path, start: 0, validators, signal }, receive);
  if (answer.status === 304 && validators !== undefined) return { status: 'unchanged' };
  if (answer.status !== 200) throw statusError(shown(), answer, Date.now());
  return {
    status: 'ok',
    bytes: Buffer.concat(chunks),
    validators: { etag: answer.header('etag'), lastModified: answer.header('last-modified') },
    upstream: redactUrl(upstream.root),
  };
}

function tooLong(shown: string, maxBytes: number): KubedosError {
  return wrongSize(shown, `it is longer than the ${maxBytes} bytes allowed`, false);
}
