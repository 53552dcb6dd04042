/** Bounded parallel work over a stream of items. */

/**
 * Runs `work` over the items, `limit` at a time, drawing an item only when there is room for it. At the first failure
 * no more items are drawn and the others are told to stop by `signal`; the failure is thrown once all have ended.
 */
export async function eachParallel<T>(
  items: AsyncIterable<T> | Iterable<T>,
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const running = new Set<Promise<void>>();
  let failure: { readonly reason: unknown } | undefined;
  try {
    for await (const item of items) {
      if (failure) break;
      signal.throwIfAborted();
      const task = work(item, signal)
        .catch((reason: unknown) => {
          failure ??= { reason };
          stop.abort(reason);
        })
        .finally(() => running.delete(task));
      running.add(task);
      if (running.size >= options.limit) await Promise.race(running);
    }
  } catch (reason) {
    failure ??= { reason };
    stop.abort(reason);
  }
  await Promise.all(running);
  if (failure) throw failure.reason;
}
