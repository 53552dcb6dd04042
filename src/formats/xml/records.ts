/**
 * Large XML files of many equal records, cut without being parsed: primary, filelists and other hold hundreds of
 * megabytes, of which most is only carried on.
 *
 * In well-formed XML a literal `<` begins markup, so the bytes `</package>` end a record, unless they lie in a comment,
 * CDATA or processing instruction. What writes these files uses none of those within the root; where they do occur, the
 * rest of the file goes through the SAX parser and is written down plainly.
 */
import { KubedosError } from '../../errors.ts';
import { asBuffer, type ByteSource } from '../byte-source.ts';
import { xmlChildren } from './elements.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { hasForeignMarkup, isTag, skipBlank, startsWith } from './plain-record.ts';
import { elementText } from './write.ts';

/** Of one record: the file lists of the largest packages (200,000 files) stay below. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
/** Of all that stands before the first record. */
const MAX_HEAD_BYTES = 64 * 1024;

export interface RecordsOptions {
  readonly origin: string;
  /** Name of the root: `metadata`. */
  readonly root: string;
  /** Name of a record: `package`. */
  readonly record: string;
  readonly onRoot?: ((attributes: Readonly<Record<string, string>>) => void) | undefined;
}

export type Chunks = AsyncIterator<Uint8Array> | Iterator<Uint8Array>;

export function chunksOf(source: ByteSource): Chunks {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/**
 * The records with their tags, as many at once as a chunk completes; views that stay as they are. What stands in a
 * record is not looked at. `format.syntax` where the file ends early or holds something else between the records,
 * `format.limit` beyond the bounds above.
 */
export async function* xmlRecords(source: ByteSource, options: RecordsOptions): AsyncGenerator<Buffer[]> {
  const chunks = chunksOf(source);
  const held = new GrowingBuffer();
  try {
    if (!(await readHead(chunks, held, options))) {
      yield* parsedRecords(chunks, held, options);
      return;
    }
    const rest = splitAfter(`</${options.record}>`, chunks);
    if (yield* cutRecords(rest, held, options)) return;
    // The root begins once more for the parser.
    const again = new GrowingBuffer();
    again.append(Buffer.concat([Buffer.from(`<${options.root}>`), held.bytes]));
    yield* parsedRecords(rest, again, { ...options, onRoot: undefined });
  } finally {
    await chunks.return?.();
  }
}

/** Takes the head away and checks it; false where it needs the parser, and all is still held then. */
export async function readHead(chunks: Chunks, held: GrowingBuffer, options: RecordsOptions): Promise<boolean> {
  const { origin, root, record, onRoot } = options;
  const [start, stop] = [`<${record}`, `</${root}`];
  for (let searched = 0; ; ) {
    const { bytes } = held;
    const ends = [bytes.indexOf(start, searched), bytes.indexOf(stop, searched)].filter((at) => at >= 0);
    searched = Math.max(0, bytes.length - start.length - stop.length);
    if (ends.length > 0) {
      const head = bytes.subarray(0, Math.min(...ends));
      if (head.includes('<!')) return false;
      for await (const _ of xmlChildren([head, Buffer.from(`</${root}>`)], { origin, root: [root], onRoot }));
      held.take(head.length);
      return true;
    }
    if (bytes.length > MAX_HEAD_BYTES)
      throw new KubedosError('format.limit', `parse ${origin}: no <${record}> within ${MAX_HEAD_BYTES} bytes`);
    const next = await chunks.next();
    // The parser has the words for what is wrong.
    if (next.done) return false;
    held.append(asBuffer(next.value));
  }
}

/** Each chunk in two, behind the first end of a record: what is held completes, and the rest of the chunk needs no copy. */
async function* splitAfter(end: string, chunks: Chunks): AsyncGenerator<Buffer> {
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    const chunk = asBuffer(next.value);
    const at = chunk.indexOf(end);
    if (at >= 0) yield chunk.subarray(0, at + end.length);
    if (at >= 0) yield chunk.subarray(at + end.length);
    else yield chunk;
  }
}

/** True at the end of the file; false where the parser has to go on with what is held. */
async function* cutRecords(
  chunks: Chunks,
  held: GrowingBuffer,
  { origin, root, record }: RecordsOptions,
): AsyncGenerator<Buffer[], boolean> {
  const start = Buffer.from(`<${record}`);
  const stop = Buffer.from(`</${record}>`);
  const rootStop = Buffer.from(`</${root}>`);
  let searched = 0;
  for (;;) {
    const records: Buffer[] = [];
    const { bytes } = held;
    let from = skipBlank(bytes, 0);
    let plain = true;
    while (plain && isTag(bytes, from, start)) {
      const end = bytes.indexOf(stop, Math.max(from, searched));
      if (end < 0) break;
      const record = bytes.subarray(from, end + stop.length);
      plain = !hasForeignMarkup(record);
      if (!plain) break;
      records.push(record);
      from = skipBlank(bytes, end + stop.length);
    }
    held.take(from);
    const left = bytes.length - from;
    searched = Math.max(0, left - stop.length);
    if (records.length > 0) yield records;
    // What is neither a record nor the end of the root, nor may become one with more bytes.
    if (plain && left > stop.length) plain = isTag(bytes, from, start) || startsWith(bytes, from, rootStop);
    if (!plain) return false;
    if (left > MAX_RECORD_BYTES)
      throw new KubedosError('format.limit', `parse ${origin}: a record is larger than ${MAX_RECORD_BYTES} bytes`);
    const next = await chunks.next();
    if (next.done) return held.bytes.toString('latin1').trim() === rootStop.toString();
    held.append(asBuffer(next.value));
  }
}

async function* parsedRecords(chunks: Chunks, held: GrowingBuffer, options: RecordsOptions): AsyncGenerator<Buffer[]> {
  const { origin, root, record, onRoot } = options;
  const source = (async function* () {
    yield held.bytes;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
  for await (const element of xmlChildren(source, { origin, root: [root], onRoot })) {
    if (element.name !== record)
      throw new KubedosError('format.syntax', `parse ${origin}: expected <${record}>, got <${element.name}>`);
    yield [Buffer.from(elementText(element).trimEnd())];
  }
}
