import { KubedosError } from '../errors.ts';
import { asBuffer, type ByteSource } from './byte-source.ts';

/** Reads a source by counts of bytes: for formats of headers and members. Holds one chunk. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #origin: string;
  #rest: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(source: ByteSource, origin: string) {
    this.#chunks = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#origin = origin;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  async ended(): Promise<boolean> {
    return !(await this.#fill());
  }

  /** Exactly `count` bytes, held in memory; `format.syntax` where the source ends before. */
  async read(count: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.pieces(count)) pieces.push(piece);
    return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
  }

  /** The next `count` bytes as they come; `format.syntax` where the source ends before. */
  async *pieces(count: number): AsyncGenerator<Buffer> {
    for (let missing = count; missing > 0; ) {
      if (!(await this.#fill()))
        throw new KubedosError(
          'format.syntax',
          `read ${this.#origin}: ends at byte ${this.#position}, ${missing} bytes early`,
        );
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      this.#position += piece.length;
      missing -= piece.length;
      yield piece;
    }
  }

  async skip(count: number): Promise<void> {
    for await (const _ of this.pieces(count));
  }

  /** All that is left, as it comes. */
  async *rest(): AsyncGenerator<Buffer> {
    while (await this.#fill()) {
      const piece = this.#rest;
      this.#rest = piece.subarray(piece.length);
      this.#position += piece.length;
      yield piece;
    }
  }

  async skipToEnd(): Promise<void> {
    for await (const _ of this.rest());
  }

  /** Gives up the source. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#rest = asBuffer(next.value);
    }
    return true;
  }
}
