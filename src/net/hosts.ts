import pLimit, { type LimitFunction } from 'p-limit';
import { KubedosError } from '../errors.ts';
import { sleep, throwIfAborted } from './abort.ts';
import { retryAfterOf } from './failures.ts';
import type { Upstream } from './url.ts';

/** A host that failed all tries of a file is asked last for this long. */
const SOUR_MS = 60_000;
const MAX_BACKOFF_MS = 30_000;
/** A try that brought this much was not in vain: a large file over a bad line may need many. */
const MIN_PROGRESS_BYTES = 64 * 1024;

interface Host {
  readonly limit: LimitFunction;
  /** Told by Retry-After: nobody asks before. */
  notBeforeMs: number;
  sourUntilMs: number;
}

export interface HostOptions {
  readonly perHost: number;
  readonly tries: number;
  readonly backoffMs: number;
  readonly note: (message: string) => void;
}

export interface Attempt<T> {
  /** Grows with what has come, to tell tries that brought something. */
  readonly progress: () => number;
  readonly signal: AbortSignal | undefined;
  readonly run: () => Promise<T>;
}

/** What is known of each host: its limit of parallel requests, its wish to be left alone, its health. */
export class Hosts {
  readonly #options: HostOptions;
  readonly #hosts = new Map<string, Host>();

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** In the order given, but those that failed lately last. */
  inOrder(upstreams: readonly Upstream[]): Upstream[] {
    const now = performance.now();
    const sour = (upstream: Upstream): boolean => this.#host(upstream.host).sourUntilMs > now;
    return [...upstreams.filter((upstream) => !sour(upstream)), ...upstreams.filter(sour)];
  }

  /** Tries until it works, fails for good, or has failed `tries` times in a row without bringing anything. */
  async withTries<T>(upstream: Upstream, attempt: Attempt<T>): Promise<T> {
    const host = this.#host(upstream.host);
    for (let failed = 0; ; ) {
      await this.#untilWelcome(host, attempt.signal);
      const before = attempt.progress();
      try {
        return await host.limit(() => {
          throwIfAborted(attempt.signal);
          return attempt.run();
        });
      } catch (error) {
        if (!(error instanceof KubedosError) || !error.retryable) throw error;
        failed = attempt.progress() - before >= MIN_PROGRESS_BYTES ? 1 : failed + 1;
        if (failed >= this.#options.tries) {
          host.sourUntilMs = performance.now() + SOUR_MS;
          throw error;
        }
        await this.#pause(host, error, failed, attempt.signal);
      }
    }
  }

  async #pause(host: Host, error: KubedosError, failed: number, signal: AbortSignal | undefined): Promise<void> {
    const asked = retryAfterOf(error);
    // Full steps halved at random, so that many transfers that failed together do not come back together.
    const own = Math.min(MAX_BACKOFF_MS, this.#options.backoffMs * 2 ** (failed - 1)) * (0.5 + Math.random() / 2);
    const waitMs = Math.round(asked ?? own);
    this.#options.note(
      `${error.message}; try ${failed + 1} of ${this.#options.tries} in ${(waitMs / 1000).toFixed(1)} s`,
    );
    if (asked === undefined) return sleep(waitMs, signal);
    host.notBeforeMs = Math.max(host.notBeforeMs, performance.now() + waitMs);
  }

  async #untilWelcome(host: Host, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    for (let waitMs = host.notBeforeMs - performance.now(); waitMs > 0; ) {
      await sleep(waitMs, signal);
      waitMs = host.notBeforeMs - performance.now();
    }
  }

  #host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const made = { limit: pLimit(this.#options.perHost), notBeforeMs: 0, sourUntilMs: 0 };
    this.#hosts.set(name, made);
    return made;
  }
}
