import type { Dispatcher } from 'undici';
import { cancelled, onAbort } from './abort.ts';
import type { Answer } from './answer.ts';
import { stalled } from './failures.ts';
import type { RateLimit } from './rate.ts';
import type { StallWatch, Watched } from './stall.ts';

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

/** One GET, no redirects. Settles when the body has been taken whole and every promise of the sink has settled. */
export function exchange(
  dispatcher: Dispatcher,
  request: Pick<Dispatcher.DispatchOptions, 'origin' | 'path'> & { readonly headers: Record<string, string> },
  receive: Receive,
  context: ExchangeContext & { readonly signal: AbortSignal | undefined; readonly shown: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let answer: Answer | undefined;
    let sink: Sink | undefined;
    let drained = 0;
    let busy: Promise<void> | undefined;
    let over = false;
    let wake: () => void = () => {};

    const settle = (finish: () => void): void => {
      if (over) return;
      over = true;
      unwatch();
      unhook();
      wake();
      finish();
    };
    const fail = (error: unknown): void => {
      settle(() => {
        // The sink may still be writing: it must be at rest before the caller touches the file.
        if (busy === undefined) reject(error);
        else void busy.then(() => reject(error));
      });
      controller?.abort(error instanceof Error ? error : new Error(String(error)));
    };
    const transfer: Watched = {
      bytes: 0,
      paused: false,
      fail: () => fail(stalled(context.shown, transfer.bytes)),
    };
    const unwatch = context.stalls.watch(transfer);
    const unhook = onAbort(context.signal, () => fail(cancelled()));
    if (context.signal?.aborted) {
      fail(cancelled());
      return;
    }

    const hold = (work: Promise<void>): void => {
      controller?.pause();
      transfer.paused = true;
      const mine = Promise.all([busy, work]).then(
        () => {
          if (busy !== mine) return;
          busy = undefined;
          transfer.paused = false;
          if (!over) controller?.resume();
        },
        (error: unknown) => {
          if (busy === mine) busy = undefined;
          fail(error);
        },
      );
      busy = mine;
    };

    const nap = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });

    dispatcher.dispatch(
      { method: 'GET', ...request },
      {
        onRequestStart(started) {
          controller = started;
          if (over) controller.abort(new Error('given up before it began'));
        },
        onResponseStart(_controller, status, headers) {
          if (status < 200) return;
          try {
            answer = { status, header: (name) => first(headers[name]) };
            sink = receive(answer);
          } catch (error) {
            fail(error);
          }
        },
        onResponseData(_controller, chunk) {
          if (over) return;
          transfer.bytes += chunk.length;
          if (sink === undefined) {
            drained += chunk.length;
            if (drained > DRAIN_BYTES && answer !== undefined) {
              const head = answer;
              settle(() => resolve(head));
              controller?.abort(new Error('enough of it'));
            }
            return;
          }
          try {
            const work = sink(chunk);
            const waitMs = context.rate?.take(chunk.length) ?? 0;
            if (waitMs > 0) hold(nap(waitMs));
            if (work !== undefined) hold(work);
          } catch (error) {
            fail(error);
          }
        },
        onResponseEnd() {
          const head = answer;
          const end = (): void => {
            if (busy !== undefined) void busy.then(end);
            else if (head !== undefined) settle(() => resolve(head));
          };
          end();
        },
        onResponseError(_controller, error) {
          fail(error);
        },
      },
    );
  });
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
