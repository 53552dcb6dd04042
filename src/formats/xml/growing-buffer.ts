/** Bytes that come in chunks and are taken from the front as views: no byte is copied more than twice on average. */
export class GrowingBuffer {
  readonly #reuses: boolean;
  #isOwn = false;
  #memory: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  /** `reuse`: nobody keeps a view of what was taken. */
  constructor({ reuse = false }: { readonly reuse?: boolean } = {}) {
    this.#reuses = reuse;
  }

  get bytes(): Buffer {
    return this.#memory.subarray(this.#from, this.#to);
  }

  append(chunk: Buffer): void {
    const held = this.#to - this.#from;
    if (held === 0) {
      this.#memory = chunk;
      this.#isOwn = false;
      this.#from = 0;
      this.#to = chunk.length;
      return;
    }
    // Views of what was taken may be in use: memory is never written twice then, and a chunk given to us not at all.
    if (this.#to + chunk.length > this.#memory.length) {
      const isWide = this.#reuses && this.#isOwn && 2 * (held + chunk.length) <= this.#memory.length;
      const grown = isWide ? this.#memory : Buffer.allocUnsafeSlow(2 * (held + chunk.length));
      this.bytes.copy(grown);
      this.#memory = grown;
      this.#isOwn = true;
      this.#from = 0;
      this.#to = held;
    }
    chunk.copy(this.#memory, this.#to);
    this.#to += chunk.length;
  }

  /** The first `count` bytes; the rest moves up. */
  take(count: number): Buffer {
    const taken = this.#memory.subarray(this.#from, this.#from + count);
    this.#from += count;
    return taken;
  }
}
