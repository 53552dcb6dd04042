import type { Dispatcher } from 'undici';
import { cancelled, onAbort } from './abort.ts';
import type { Answer } from './answer.ts';
import { networkError, stalled } from './failures.ts';
import type { RateLimit } from './rate.ts';
import type { StallWatch, Watched } from './stall.ts';
import { type Place, redactUrl, urlOf } from './url.ts';

/** Takes the body, chunk by chunk. A promise makes the reading wait for it. Throwing ends the transfer. */
export type Sink = (chunk: Buffer) => Promise<void> | undefined;

/** Sees the head before the body: gives a sink, or nothing if the body does not matter, or throws to refuse it. */
export type Receive = (answer: Answer) => Sink | undefined;

/** A body that does not matter (an error page) is read up to this, so that the connection can be used again. */
const DRAIN_BYTES = 64 * 1024;

export interface ExchangeContext {
  readonly stalls: StallWatch;
  readonly rate: RateLimit | undefined;
}

export interface ExchangeOptions extends ExchangeContext {
  readonly signal: AbortSignal | undefined;
  /** For messages. */
  readonly place: Place;
}

type Request = Pick<Dispatcher.DispatchOptions, 'origin' | 'path'> & { readonly headers: Record<string, string> };

/** One GET, redirects not followed (their bodies never reach `receive`). A class, since it is made for each file. */
export class Exchange implements Dispatcher.DispatchHandler, Watched {
  readonly #receive: Receive;
  readonly #options: ExchangeOptions;
  readonly #unwatch: () => void;
  readonly #unhook: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #answer: Answer | undefined;
  #sink: Sink | undefined;
  /** What the reading waits for: the sink, or our own rate limit. */
  #busy: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #over = false;
  #resolve: (answer: Answer) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  bytes = 0;
  paused = false;

  constructor(receive: Receive, options: ExchangeOptions) {
    this.#receive = receive;
    this.#options = options;
    this.#unwatch = options.stalls.watch(this);
    this.#unhook = onAbort(options.signal, () => this.#fail(cancelled()));
  }

  /**
   * Settles when the body has been taken whole and every promise of the sink has settled. What the sink or `receive`
   * threw comes as it is, what the network did as `net.failed` or `net.stalled`.
   */
  run(dispatcher: Dispatcher, request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#options.signal?.aborted) this.#fail(cancelled());
      else dispatcher.dispatch({ method: 'GET', ...request }, this);
    });
  }

  /** For the stall watch. */
  fail(): void {
    this.#fail(stalled(this.#shown(), this.bytes));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('given up before it began'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    try {
      this.#answer = { status, header: (name) => first(headers[name]) };
      this.#sink = redirectOf(this.#answer) === undefined ? this.#receive(this.#answer) : undefined;
    } catch (error) {
      this.#fail(error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    this.bytes += chunk.length;
    if (this.#sink === undefined) {
      if (this.bytes <= DRAIN_BYTES) return;
      this.#finish();
      controller.abort(new Error('enough of it'));
      return;
    }
    try {
      const work = this.#sink(chunk);
      const waitMs = this.#options.rate?.take(chunk.length) ?? 0;
      if (waitMs > 0) this.#hold(this.#nap(waitMs));
      if (work !== undefined) this.#hold(work);
    } catch (error) {
      this.#fail(error);
    }
  }

  onResponseEnd(): void {
    if (this.#busy === undefined) this.#finish();
    else void this.#busy.then(() => this.onResponseEnd());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#over) this.#fail(networkError(this.#shown(), error));
  }

  #shown(): string {
    return redactUrl(urlOf(this.#options.place));
  }

  #finish(): void {
    if (this.#over || this.#answer === undefined) return;
    this.#settle();
    this.#resolve(this.#answer);
  }

  #fail(error: unknown): void {
    if (!this.#over) {
      this.#settle();
      // The sink may still be writing: it must be at rest before the caller touches the file.
      if (this.#busy === undefined) this.#reject(error);
      else void this.#busy.then(() => this.#reject(error));
    }
    this.#controller?.abort(error instanceof Error ? error : new Error(String(error)));
  }

  #settle(): void {
    this.#over = true;
    this.#unwatch();
    this.#unhook();
    this.#wake?.();
  }

  #hold(work: Promise<void>): void {
    this.#controller?.pause();
    this.paused = true;
    const mine = Promise.all([this.#busy, work]).then(
      () => {
        if (this.#busy !== mine) return;
        this.#busy = undefined;
        this.paused = false;
        if (!this.#over) this.#controller?.resume();
      },
      (error: unknown) => {
        if (this.#busy === mine) this.#busy = undefined;
        this.#fail(error);
      },
    );
    this.#busy = mine;
  }

  /** Ends early when the transfer does. */
  #nap(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Where an answer sends us on to, if it does. */
export function redirectOf(answer: Answer): string | undefined {
  return [301, 302, 303, 307, 308].includes(answer.status) ? answer.header('location') : undefined;
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
