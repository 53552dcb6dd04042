/** Buffers of two, lent to answers that stream a file: one is read into while the other is being sent. */
const BIG_BUFFER_BYTES = 1024 * 1024;
const SMALL_BUFFER_BYTES = 64 * 1024;
/** Big buffers in all, lent or waiting. A thousand slow clients make do with small ones. */
const MAX_BIG_PAIRS = 64;

export type BufferPair = readonly [Buffer, Buffer];

/** Keeps big pairs for the next answer: allocating and clearing 2 MiB for each costs a tenth of the speed. */
export class SendBuffers {
  readonly #free: BufferPair[] = [];
  readonly #maxBigPairs: number;
  #lent = 0;

  constructor(maxBigPairs: number = MAX_BIG_PAIRS) {
    this.#maxBigPairs = maxBigPairs;
  }

  lend(neededBytes: number): BufferPair {
    if (neededBytes <= SMALL_BUFFER_BYTES || this.#lent >= this.#maxBigPairs) return pair(SMALL_BUFFER_BYTES);
    this.#lent++;
    return this.#free.pop() ?? pair(BIG_BUFFER_BYTES);
  }

  /** `clean`: nothing reads from them any more. After a broken connection that is not known, and they are let go. */
  giveBack(buffers: BufferPair, clean: boolean): void {
    if (buffers[0].length !== BIG_BUFFER_BYTES) return;
    this.#lent--;
    if (clean) this.#free.push(buffers);
  }
}

function pair(bytes: number): BufferPair {
  return [Buffer.allocUnsafeSlow(bytes), Buffer.allocUnsafeSlow(bytes)];
}
