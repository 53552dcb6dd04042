/**
 * Files of stanzas: Packages, Sources, Translation, Release, control, .dsc, .changes (deb822(5)). Stanzas are parted by
 * empty lines; a line of blanks alone continues a field, as apt reads it. Lines may end in CR LF.
 */
import { asBuffer, type ByteSource } from '../byte-source.ts';
import { Stanza } from './stanza.ts';
import { limitError, syntaxError } from './syntax.ts';

export { type Field, Stanza, writeStanza, writeStanzas } from './stanza.ts';

/** Largest stanza: what must be held in memory at once. */
export const MAX_STANZA_BYTES = 16 * 1024 * 1024;
/** Small chunks are gathered to at least this before they are searched. */
const MIN_BLOCK_BYTES = 64 * 1024;

const [LF, CR] = [10, 13];
const SEPARATOR = Buffer.from('\n\n');
const CR_SEPARATOR = Buffer.from('\n\r\n');
const EMPTY = Buffer.alloc(0);

/** The stanzas of a file in order. Holds one block and one stanza; a stanza keeps the block alive that it came in. */
export async function* parseStanzas(source: ByteSource, origin: string): AsyncGenerator<Stanza> {
  const splitter = new StanzaSplitter(origin);
  for await (const chunk of source) if (splitter.offer(chunk)) for (const stanza of splitter.take()) yield stanza;
  for (const stanza of splitter.rest()) yield stanza;
}

/** The same for a file that is in memory. */
export function* parseStanzasOf(content: Uint8Array | string, origin: string): Generator<Stanza> {
  const splitter = new StanzaSplitter(origin);
  splitter.offer(typeof content === 'string' ? Buffer.from(content) : content);
  yield* splitter.take();
  yield* splitter.rest();
}

/** The only stanza of a file that must hold exactly one (Release, control, .dsc, .changes); else `format.syntax`. */
export function parseStanza(content: Uint8Array | string, origin: string): Stanza {
  let only: Stanza | undefined;
  for (const stanza of parseStanzasOf(content, origin)) {
    if (only !== undefined) throw syntaxError(origin, stanza.line, 'expected one stanza, got a second');
    only = stanza;
  }
  if (only === undefined) throw syntaxError(origin, 1, 'expected one stanza, got an empty file');
  return only;
}

/** Cuts blocks of bytes into stanzas, in linear time whatever the sizes of the chunks. */
class StanzaSplitter {
  readonly #origin: string;
  /** Begins with the stanza that is not complete yet. */
  #block: Buffer = EMPTY;
  /** Before this byte of the block no separator begins. */
  #searched = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #line = 1;
  /** Byte of the file at which the block begins. */
  #offset = 0;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Takes a chunk; true when there is enough for `take`. */
  offer(chunk: Uint8Array): boolean {
    this.#pending.push(asBuffer(chunk));
    this.#pendingBytes += chunk.length;
    // At least as much as is carried over: so each byte is copied a constant number of times.
    return this.#pendingBytes >= Math.max(MIN_BLOCK_BYTES, this.#block.length);
  }

  /** The stanzas that are complete. */
  *take(): Generator<Stanza> {
    let chunk = this.#pending.length === 1 && this.#pending[0] ? this.#pending[0] : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (this.#block.length > 0) {
      // Only the stanza that lies over the boundary is copied, not the chunk.
      const end = endOfFirstSeparator(chunk);
      yield* this.#cut(Buffer.concat([this.#block, chunk.subarray(0, end)]));
      chunk = chunk.subarray(end);
    }
    if (chunk.length > 0) yield* this.#cut(chunk);
  }

  /** Gives the complete stanzas of a block and keeps its rest. */
  *#cut(block: Buffer): Generator<Stanza> {
    const hasCr = block.includes(CR);
    let nextCr = -1;
    let start = this.#skipBlankLines(block, 0);
    let from = Math.max(start, this.#searched);
    for (;;) {
      let end = block.indexOf(SEPARATOR, from);
      if (hasCr) {
        if (nextCr < from) nextCr = endless(block.indexOf(CR_SEPARATOR, from));
        if (nextCr < endless(end)) end = nextCr;
      }
      if (end < 0) break;
      yield this.#stanza(block, start, end + 1);
      start = this.#skipBlankLines(block, end + 1);
      from = start;
    }
    this.#block = block.subarray(start);
    this.#offset += start;
    this.#searched = Math.max(0, this.#block.length - CR_SEPARATOR.length + 1);
    this.#refuseTooLarge(this.#block.length);
  }

  /** The last stanza, at the end of the file. */
  *rest(): Generator<Stanza> {
    yield* this.take();
    const block = this.#block;
    if (block.length === 0 || (block.length === 1 && block[0] === CR)) return;
    const raw = block[block.length - 1] === LF ? block : Buffer.concat([block, SEPARATOR.subarray(1)]);
    yield this.#stanza(raw, 0, raw.length);
  }

  #stanza(block: Buffer, start: number, end: number): Stanza {
    this.#refuseTooLarge(end - start);
    const raw = start === 0 && end === block.length ? block : block.subarray(start, end);
    const stanza = new Stanza(raw, { origin: this.#origin, line: this.#line, offset: this.#offset + start });
    this.#line += stanza.lines;
    return stanza;
  }

  #skipBlankLines(block: Buffer, start: number): number {
    let at = start;
    for (;;) {
      if (block[at] === LF) at += 1;
      else if (block[at] === CR && block[at + 1] === LF) at += 2;
      else return at;
      this.#line++;
    }
  }

  #refuseTooLarge(bytes: number): void {
    if (bytes > MAX_STANZA_BYTES)
      throw limitError(this.#origin, this.#line, `a stanza is larger than ${MAX_STANZA_BYTES} bytes`);
  }
}

/** Length of the chunk where there is no separator. */
function endOfFirstSeparator(chunk: Buffer): number {
  const plain = endless(chunk.indexOf(SEPARATOR)) + SEPARATOR.length;
  const withCr = chunk.includes(CR) ? endless(chunk.indexOf(CR_SEPARATOR)) + CR_SEPARATOR.length : plain;
  return Math.min(plain, withCr, chunk.length);
}

function endless(position: number): number {
  return position < 0 ? Number.POSITIVE_INFINITY : position;
}
