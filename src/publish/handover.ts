/**
 * Hands items from a producer to a consumer that iterates, a few ahead. Used where one pass over an index feeds
 * several outputs: each is a stream that the store pulls, and the slowest sets the pace.
 */
export class Handover<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #state: 'open' | 'ended' | 'failed' | 'left' = 'open';
  #error: unknown;
  #wakeConsumer: (() => void) | undefined;
  #wakeProducer: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Waits for room. False where the consumer has left: then nothing more is wanted. */
  async push(item: T): Promise<boolean> {
    while (this.#state === 'open' && this.#items.length >= this.#capacity) {
      await new Promise<void>((resolve) => {
        this.#wakeProducer = resolve;
      });
    }
    if (this.#state !== 'open') return false;
    this.#items.push(item);
    this.#wakeConsumer?.();
    return true;
  }

  /** No more items come. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wakeConsumer?.();
  }

  /** The consumer's iteration throws this next. */
  fail(error: unknown): void {
    if (this.#state === 'open') this.#state = 'failed';
    this.#error = error;
    this.#wakeConsumer?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        if (this.#state === 'failed') throw this.#error;
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#wakeProducer?.();
          yield item;
        } else if (this.#state === 'ended') return;
        else
          await new Promise<void>((resolve) => {
            this.#wakeConsumer = resolve;
          });
      }
    } finally {
      this.leave();
    }
  }

  /** The consumer wants no more. */
  leave(): void {
    this.#state = 'left';
    this.#wakeProducer?.();
  }
}
