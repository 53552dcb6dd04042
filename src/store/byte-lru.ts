/** A cache bounded by what its values weigh; the least recently used go first. Loads of one key run once. */
export class ByteLru<V> {
  readonly #maxBytes: number;
  readonly #weigh: (value: V) => number;
  readonly #values = new Map<string, V>();
  readonly #loading = new Map<string, Promise<V>>();
  #bytes = 0;
  #newest: string | undefined;

  constructor(maxBytes: number, weigh: (value: V) => number) {
    this.#maxBytes = maxBytes;
    this.#weigh = weigh;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): V | undefined {
    const value = this.#values.get(key);
    if (value !== undefined && key !== this.#newest) {
      this.#values.delete(key);
      this.#values.set(key, value);
      this.#newest = key;
    }
    return value;
  }

  /** Failures are not kept: the next call loads again. */
  async load(key: string, make: () => Promise<V>): Promise<V> {
    const running = this.#loading.get(key);
    if (running !== undefined) return running;
    const loading = make();
    this.#loading.set(key, loading);
    try {
      const value = await loading;
      this.#add(key, value);
      return value;
    } finally {
      this.#loading.delete(key);
    }
  }

  #add(key: string, value: V): void {
    this.#values.set(key, value);
    this.#newest = key;
    this.#bytes += this.#weigh(value);
    for (const [oldest, weight] of this.#values) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#values.delete(oldest);
      this.#bytes -= this.#weigh(weight);
    }
  }
}
