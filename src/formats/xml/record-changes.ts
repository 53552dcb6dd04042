/**
 * What two files of records differ in. Two states of a repository have most of their hundred megabytes in common: those are
 * compared as bytes; only around what differs are records cut.
 */
import { hash } from 'node:crypto';
import { asBuffer, type ByteSource } from '../byte-source.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { hasForeignMarkup, isTag, skipBlank } from './plain-record.ts';
import { type Chunks, chunksOf, MAX_RECORD_BYTES, type RecordsOptions, readHead } from './records.ts';

export interface RecordChanges {
  /** Each as often as it stands in one file and not in the other. */
  readonly removed: readonly Buffer[];
  readonly added: readonly Buffer[];
}

export interface ChangesOptions extends Omit<RecordsOptions, 'onRoot'> {
  /** Records of one file that the other has not shown yet: what memory must hold. */
  readonly most: number;
}

/** Of each file; what was inserted is recognised as such as long as it is shorter. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * By what xmlRecords would give of both, in any order. Undefined where they have to be read for that: where more differs
 * than `most`, or a file holds what is not cut without a parser. Of the records that both have, only the bytes are looked
 * at: that they are well-formed is known from whoever read one of the two.
 */
export async function recordChanges(
  before: ByteSource,
  after: ByteSource,
  options: ChangesOptions,
): Promise<RecordChanges | undefined> {
  const [old, now] = [new Side(before, options), new Side(after, options)];
  const changes = new Changes();
  try {
    if (!(await old.open()) || !(await now.open())) return undefined;
    for (let window = WINDOW_BYTES; window <= 2 * MAX_RECORD_BYTES; ) {
      await Promise.all([old.fill(window), now.fill(window)]);
      const step = pass(old, now, changes);
      if (step === 'other' || changes.size > options.most) return undefined;
      if (step === 'end') return changes.found();
      window = step === 'short' ? window * 2 : WINDOW_BYTES;
    }
    return undefined;
  } finally {
    await Promise.all([old.close(), now.close()]);
  }
}

/** `short`: nothing is whole within what is held; `other`: something else than records. */
type Step = 'passed' | 'short' | 'end' | 'other';

/** Takes what both have in common, or what stands in one of them alone. */
function pass(old: Side, now: Side, changes: Changes): Step {
  const common = old.recordsWithin(commonLength(old.bytes, now.bytes));
  if (common > 0) {
    if (hasForeignMarkup(old.bytes.subarray(0, common))) return 'other';
    old.take(common);
    now.take(common);
    return 'passed';
  }
  const [gone, come] = [old.first(), now.first()];
  for (const first of [gone, come]) if (typeof first === 'string' && first !== 'end') return first;
  if (gone instanceof Buffer && come instanceof Buffer) {
    const inserted = now.bytes.indexOf(gone);
    if (inserted > 0) return takeUntil(now, inserted, (record) => changes.count(record, 1));
    const deleted = old.bytes.indexOf(come);
    if (deleted > 0) return takeUntil(old, deleted, (record) => changes.count(record, -1));
  }
  if (gone instanceof Buffer) changes.count(old.take(gone.length), -1);
  if (come instanceof Buffer) changes.count(now.take(come.length), 1);
  return gone === 'end' && come === 'end' ? 'end' : 'passed';
}

/** Until what begins at that place is the first; that was whole, so that all before it is. */
function takeUntil(side: Side, place: number, each: (record: Buffer) => void): Step {
  const left = side.bytes.length - place;
  while (side.bytes.length > left) {
    const record = side.first();
    if (!(record instanceof Buffer)) return 'other';
    each(side.take(record.length));
  }
  return 'passed';
}

function commonLength(a: Buffer, b: Buffer): number {
  const isSame = (from: number, to: number): boolean => a.compare(b, from, to, from, to) === 0;
  let [same, other] = [0, Math.min(a.length, b.length)];
  if (isSame(0, other)) return other;
  while (other - same > 1) {
    const middle = (same + other) >> 1;
    if (isSame(same, middle)) same = middle;
    else other = middle;
  }
  return same;
}

/** One of the files, of which a window is held; it begins with a record or the end of the root. */
class Side {
  readonly #chunks: Chunks;
  // What is kept of it is copied.
  readonly #held = new GrowingBuffer({ reuse: true });
  readonly #options: RecordsOptions;
  readonly #start: Buffer;
  readonly #stop: Buffer;
  readonly #end: string;
  #isThrough = false;

  constructor(source: ByteSource, options: RecordsOptions) {
    this.#chunks = chunksOf(source);
    this.#options = options;
    this.#start = Buffer.from(`<${options.record}`);
    this.#stop = Buffer.from(`</${options.record}>`);
    this.#end = `</${options.root}>`;
  }

  get bytes(): Buffer {
    return this.#held.bytes;
  }

  /** Passes the head; false where it needs a parser. */
  open(): Promise<boolean> {
    return readHead(this.#chunks, this.#held, this.#options);
  }

  async fill(window: number): Promise<void> {
    while (!this.#isThrough && this.bytes.length < window) {
      const next = await this.#chunks.next();
      if (next.done) this.#isThrough = true;
      else this.#held.append(asBuffer(next.value));
    }
    this.#skipBlank();
  }

  /** How many of the first bytes are whole records. */
  recordsWithin(length: number): number {
    const last = length < this.#stop.length ? -1 : this.bytes.lastIndexOf(this.#stop, length - this.#stop.length);
    return last < 0 ? 0 : last + this.#stop.length;
  }

  first(): Buffer | Exclude<Step, 'passed'> {
    const { bytes } = this;
    if (isTag(bytes, 0, this.#start)) {
      const stop = bytes.indexOf(this.#stop);
      if (stop < 0) return this.#isThrough ? 'other' : 'short';
      const record = bytes.subarray(0, stop + this.#stop.length);
      return hasForeignMarkup(record) ? 'other' : record;
    }
    const rest = bytes.toString('latin1', 0, this.#end.length);
    if (!this.#end.startsWith(rest)) return 'other';
    if (!this.#isThrough) return 'short';
    return rest === this.#end && skipBlank(bytes, rest.length) === bytes.length ? 'end' : 'other';
  }

  take(length: number): Buffer {
    const taken = this.#held.take(length);
    this.#skipBlank();
    return taken;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #skipBlank(): void {
    this.#held.take(skipBlank(this.bytes, 0));
  }
}

/** Records by how many more of them there are than before. */
class Changes {
  readonly #counts = new Map<string, { readonly record: Buffer; readonly by: number }>();

  get size(): number {
    return this.#counts.size;
  }

  count(record: Buffer, by: number): void {
    const key = hash('sha256', record, 'hex');
    const known = this.#counts.get(key);
    const sum = (known?.by ?? 0) + by;
    // A copy: records are views of large chunks.
    if (sum !== 0) this.#counts.set(key, { record: known?.record ?? Buffer.from(record), by: sum });
    else this.#counts.delete(key);
  }

  found(): RecordChanges {
    const all = [...this.#counts.values()];
    const those = (wanted: 1 | -1): Buffer[] =>
      all.flatMap(({ record, by }) => Array.from({ length: Math.max(0, wanted * by) }, () => record));
    return { removed: those(-1), added: those(1) };
  }
}
