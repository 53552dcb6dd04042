import { KubedosError } from '../errors.ts';

/** One listener a signal, however many transfers hang on it: Node warns of leaks at eleven listeners. */
const handlers = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `handler` when the signal aborts; the returned function takes it back. */
export function onAbort(signal: AbortSignal | undefined, handler: () => void): () => void {
  if (signal === undefined) return () => {};
  let set = handlers.get(signal);
  if (set === undefined) {
    const fresh = new Set<() => void>();
    signal.addEventListener(
      'abort',
      () => {
        for (const each of [...fresh]) each();
      },
      { once: true },
    );
    handlers.set(signal, fresh);
    set = fresh;
  }
  set.add(handler);
  return () => set.delete(handler);
}

export function cancelled(): KubedosError {
  return new KubedosError('cancelled', 'stopped; run the same command again to go on');
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled();
}

export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(cancelled());
      return;
    }
    const timer = setTimeout(() => {
      stop();
      resolve();
    }, ms);
    const stop = onAbort(signal, () => {
      stop();
      clearTimeout(timer);
      reject(cancelled());
    });
  });
}
