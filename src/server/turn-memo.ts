/**
 * Remembers answers for the rest of this turn of the event loop. Requests that the kernel hands over together are
 * handled in one turn: they share one stat instead of each making its own. Nothing outlives the turn, so what a
 * request learns is never older than the moment at which its turn began.
 */
export class TurnMemo<V> {
  readonly #values = new Map<string, V>();
  #clearing = false;

  get(key: string, make: () => V): V {
    const known = this.#values.get(key);
    if (known !== undefined || this.#values.has(key)) return known as V;
    const value = make();
    this.#values.set(key, value);
    if (!this.#clearing) {
      this.#clearing = true;
      setImmediate(() => {
        this.#clearing = false;
        this.#values.clear();
      });
    }
    return value;
  }
}
