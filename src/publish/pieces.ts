/**
 * Cuts an index where the names of its packages say so. A changed package changes the piece that it stands in and no
 * other, so each piece is compressed once and serves every later publication.
 */
import { KubedosError } from '../errors.ts';
import { asBuffer, type ByteSource } from '../formats/byte-source.ts';
import { beginsPiece, Gatherer, MAX_PIECE_BYTES, type Piece } from './piece-cutting.ts';
import { BLANK_LINE, compareNames, type NameAt, nameOf } from './stanza-names.ts';

/**
 * Takes chunks as `IndexInput.stanzas` gives them. They must be sorted by the bytes of Package; `internal.bug`
 * otherwise, since later merges rely on it.
 */
export async function* cutPieces(chunks: ByteSource, origin: string): AsyncGenerator<Piece> {
  const gathered = new Gatherer();
  let previous: NameAt | undefined;
  for await (const chunk of chunks) {
    const block = asBuffer(chunk);
    // Stanzas are copied as runs, not one by one.
    let run = 0;
    for (let at = 0; at < block.length; ) {
      const blank = block.indexOf(BLANK_LINE, at);
      const next = blank < 0 ? block.length : blank + BLANK_LINE.length;
      const name = nameOf(block, at, next, origin);
      const order = previous === undefined ? -1 : compareNames(previous, name);
      if (order > 0) throw outOfOrder(origin, previous as NameAt, name);
      const full = gathered.bytes + (next - run) > MAX_PIECE_BYTES;
      if (full || (order < 0 && beginsPiece(name.bytes, name.start, name.end))) {
        gathered.add(block.subarray(run, at));
        if (gathered.bytes > 0) yield gathered.take();
        run = at;
      }
      previous = name;
      at = next;
    }
    gathered.add(block.subarray(run));
    gathered.add(LINE_END);
    // The caller may use the chunk's memory again.
    if (previous !== undefined)
      previous = {
        bytes: Buffer.from(previous.bytes.subarray(previous.start, previous.end)),
        start: 0,
        end: previous.end - previous.start,
      };
  }
  if (gathered.bytes > 0) yield gathered.take();
}

const LINE_END = BLANK_LINE.subarray(1);

function outOfOrder(origin: string, before: NameAt, after: NameAt): KubedosError {
  const text = ({ bytes, start, end }: NameAt) => bytes.toString('utf8', start, end);
  const got = `${text(after)} after ${text(before)}`;
  return new KubedosError('internal.bug', `publish ${origin}: expected stanzas sorted by Package, got ${got}`);
}
