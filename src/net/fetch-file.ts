import { KubedosError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { openDestination } from './destination.ts';
import type { Digests } from './digests.ts';
import type { Sink } from './exchange.ts';
import { combined, statusError, wrongSize } from './failures.ts';
import type { Hosts } from './hosts.ts';
import type { HttpClient } from './http.ts';
import type { Destination } from './taking.ts';
import { contentLength, contentRange, get, shownUrl } from './transport.ts';
import type { FetchedFile, WantedFile } from './types.ts';
import type { Upstream } from './url.ts';

export interface FileJob {
  readonly http: HttpClient;
  readonly hosts: Hosts;
  readonly upstreams: readonly Upstream[];
  readonly wanted: WantedFile;
  readonly partial: string;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (count: number) => void;
}

/** These say that this one copy is of no use; the same upstream may have another under its other path. */
const COPY_FAILURES = new Set(['net.not-found', 'net.hash-mismatch', 'net.size']);

/** See `Fetcher.file`. */
export async function fetchFile(job: FileJob): Promise<FetchedFile> {
  const destination = await openDestination(job.partial, job.wanted);
  let done = false;
  try {
    job.onBytes(destination.position);
    const fetched = await new FileFetch(job, destination).run();
    done = true;
    return fetched;
  } finally {
    const closed = destination.close();
    // A failure on the way says more than one at closing.
    await (done ? closed : closed.catch(() => {}));
  }
}

class FileFetch {
  readonly #job: FileJob;
  readonly #destination: Destination;
  #received = 0;
  /** With `sizeIsLimit`, the limit until an answer says the size. */
  #sizeBytes: number;
  #exact: boolean;

  constructor(job: FileJob, destination: Destination) {
    this.#job = job;
    this.#destination = destination;
    this.#sizeBytes = job.wanted.sizeBytes;
    this.#exact = job.wanted.sizeIsLimit !== true;
  }

  async run(): Promise<FetchedFile> {
    const { hosts, upstreams, wanted } = this.#job;
    const paths = wanted.alternatePath === undefined ? [wanted.path] : [wanted.alternatePath, wanted.path];
    const failures: KubedosError[] = [];
    // A part from an earlier run may be the whole, already.
    const { position } = this.#destination;
    if (position > 0 && (position === wanted.sizeBytes || wanted.sizeIsLimit === true)) {
      const digests = await this.#destination.digests();
      if (digests.wanted === wanted.digest.hex) return this.#fetched(digests);
      if (position === wanted.sizeBytes) this.#restart();
    }
    for (const upstream of hosts.inOrder(upstreams)) {
      for (const path of paths) {
        try {
          return this.#fetched(await this.#from(upstream, path));
        } catch (error) {
          if (!(error instanceof KubedosError) || !error.code.startsWith('net.')) throw error;
          failures.push(error);
          if (!COPY_FAILURES.has(error.code)) break;
        }
      }
    }
    const failure = combined(wanted.path, failures);
    if (failure.code === 'net.hash-mismatch') await this.#destination.discard();
    throw failure;
  }

  #fetched({ sha256 }: Digests): FetchedFile {
    return { file: this.#job.partial, sha256, sizeBytes: this.#destination.position };
  }

  async #from(upstream: Upstream, path: string): Promise<Digests> {
    const { hosts, signal, wanted } = this.#job;
    const shown = (): string => shownUrl(upstream, path);
    this.#sizeBytes = wanted.sizeBytes;
    this.#exact = wanted.sizeIsLimit !== true;
    for (;;) {
      await hosts.withTries(upstream, {
        signal,
        progress: () => this.#received,
        run: () => this.#once(upstream, path, shown),
      });
      const { mixed } = this.#destination;
      const digests = await this.#destination.digests();
      if (digests.wanted === wanted.digest.hex) return digests;
      this.#restart();
      // Parts of two answers may not fit together: once more, from one.
      if (mixed) continue;
      throw new KubedosError(
        'net.hash-mismatch',
        `fetch ${shown()}: expected ${wanted.digest.algorithm} ${wanted.digest.hex}, got ${digests.wanted}`,
        { retryable: true },
      );
    }
  }

  /** One request, for all that is missing. Returns when everything is there. */
  async #once(upstream: Upstream, path: string, shown: () => string): Promise<void> {
    const { http, signal } = this.#job;
    const start = this.#destination.position;
    if (start === this.#sizeBytes && start > 0) return;
    const request = { upstream, path, start, signal };
    const answer = await get(http, request, (head) => this.#receive(head, start, shown));
    if (answer.status === 416 && start > 0) {
      // Shorter there than what we have, or a server that cannot resume: all of it, then.
      this.#restart();
      return this.#once(upstream, path, shown);
    }
    if (answer.status !== 200 && answer.status !== 206) throw statusError(shown(), answer, Date.now());
    if (this.#exact && this.#destination.position < this.#sizeBytes) {
      const got = `the body ended after ${this.#destination.position} of ${this.#sizeBytes} bytes`;
      throw wrongSize(shown(), got, true);
    }
  }

  #receive(answer: Answer, start: number, shown: () => string): Sink | undefined {
    if (answer.status === 200) {
      if (this.#destination.position > 0) this.#restart();
      this.#destination.begin();
      this.#learnSize(contentLength(answer));
    } else if (answer.status === 206) {
      const range = contentRange(answer);
      this.#learnSize(range?.total);
      const fits = range?.start === start && (range.total === undefined || range.total === this.#sizeBytes);
      if (!fits) {
        throw wrongSize(
          shown(),
          `expected bytes from ${start} of ${this.#sizeBytes}, got ${answer.header('content-range')}`,
          false,
        );
      }
      this.#destination.begin();
    } else return undefined;
    const length = contentLength(answer);
    const missing = this.#sizeBytes - this.#destination.position;
    if (length !== undefined && (this.#exact ? length !== missing : length > missing)) {
      throw wrongSize(shown(), `expected ${missing} bytes, upstream announces ${length}`, false);
    }
    return (chunk) => {
      if (this.#destination.position + chunk.length > this.#sizeBytes) {
        // What came is not the file, whatever it is.
        this.#restart();
        throw wrongSize(shown(), `it is longer than the ${this.#sizeBytes} bytes promised`, false);
      }
      this.#received += chunk.length;
      this.#job.onBytes(chunk.length);
      return this.#destination.write(chunk);
    };
  }

  /** Of a file whose size nobody signed, what upstream says is as good as any: the checksum decides. */
  #learnSize(sizeBytes: number | undefined): void {
    if (this.#exact || sizeBytes === undefined || sizeBytes > this.#sizeBytes) return;
    this.#sizeBytes = sizeBytes;
    this.#exact = true;
  }

  #restart(): void {
    this.#job.onBytes(-this.#destination.position);
    this.#destination.restart();
  }
}
