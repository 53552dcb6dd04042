import { asBuffer, type ByteSource } from './byte-source.ts';

/** Bits from the highest of each byte on. */
export class Bits {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #early: () => Error;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bits taken of the current byte. */
  #taken = 0;
  #done = false;

  /** `early` makes the error for a source that ends before what is wanted. */
  constructor(source: ByteSource, early: () => Error) {
    this.#chunks = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#early = early;
  }

  /** Has so many bits at hand, unless the source ends before. */
  async need(bits: number): Promise<void> {
    while (!this.#done && (this.#bytes.length - this.#at) * 8 - this.#taken < bits) {
      const next = await this.#chunks.next();
      if (next.done) this.#done = true;
      else this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), asBuffer(next.value)]);
      if (!next.done) this.#at = 0;
    }
  }

  async read(bits: number): Promise<number> {
    if ((this.#bytes.length - this.#at) * 8 - this.#taken < bits) await this.need(bits);
    return this.take(bits);
  }

  /** Of those at hand, at most 24. */
  take(bits: number): number {
    let value = 0;
    for (let missing = bits; missing > 0; ) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw this.#early();
      const left = 8 - this.#taken;
      const count = Math.min(left, missing);
      value = (value << count) | ((byte >> (left - count)) & ((1 << count) - 1));
      missing -= count;
      this.#taken += count;
      if (this.#taken === 8) {
        this.#taken = 0;
        this.#at += 1;
      }
    }
    return value;
  }

  align(): void {
    if (this.#taken > 0) this.take(8 - this.#taken);
  }

  async ended(): Promise<boolean> {
    await this.need(8);
    return this.#at >= this.#bytes.length;
  }
}
