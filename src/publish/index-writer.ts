/** Writes one index in all its compressions, in one pass and with the memory of a few pieces. */
import { createHash } from 'node:crypto';
import type { IndexCompression } from '../formats/apt/publication.ts';
import type { ObjectRef, ObjectStore } from '../store/types.ts';
import { type Codec, codecOf } from './codecs.ts';
import { Handover } from './handover.ts';
import type { PieceCache } from './piece-cache.ts';
import type { Piece } from './piece-cutting.ts';

/** Pieces under way for each compression: enough to keep the thread pool busy. */
const PIECES_AHEAD = 4;

export interface WrittenIndex {
  /** The uncompressed form: named by the Release, not kept. */
  readonly plain: ObjectRef;
  readonly compressed: ReadonlyMap<IndexCompression, ObjectRef>;
  /** The lengths of the compressed pieces, in order. */
  readonly packedBytes: ReadonlyMap<IndexCompression, readonly number[]>;
}

/** A piece that is compressed already, for an index of one compression. */
export interface PackedPiece {
  readonly content: Buffer;
  readonly packed: Buffer;
}

export interface IndexWriterDeps {
  readonly objects: ObjectStore;
  readonly cache: PieceCache;
}

export async function writeIndex<P extends Piece | PackedPiece>(
  { objects, cache }: IndexWriterDeps,
  pieces: AsyncIterable<P>,
  options: {
    readonly compressions: readonly IndexCompression[];
    /** Called for each piece; what it throws stops the writing. */
    readonly onPiece: (piece: P) => void;
  },
): Promise<WrittenIndex> {
  const lanes = options.compressions.map((compression) => openLane(objects, codecOf(compression)));
  const plain = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const piece of pieces) {
      options.onPiece(piece);
      plain.update(piece.content);
      sizeBytes += piece.content.length;
      const members = 'packed' in piece ? lanes.map(() => piece.packed) : await packed(piece, lanes, cache);
      const taken = await Promise.all(lanes.map((lane, at) => lane.push(members[at] as Member)));
      if (taken.includes(false)) break;
    }
    for (const lane of lanes) lane.end();
  } catch (error) {
    for (const lane of lanes) lane.fail(error);
  }
  const settled = await Promise.allSettled(lanes.map((lane) => lane.stored));
  const compressed = new Map<IndexCompression, ObjectRef>();
  const packedBytes = new Map<IndexCompression, readonly number[]>();
  for (const [at, result] of settled.entries()) {
    if (result.status === 'rejected') throw result.reason;
    const { codec, lengths } = lanes[at] as Lane;
    compressed.set(codec.extension, result.value);
    packedBytes.set(codec.extension, lengths);
  }
  return { plain: { sha256: plain.digest('hex'), sizeBytes }, compressed, packedBytes };
}

type Member = Buffer | Promise<Buffer>;

/** For each lane: from the cache, or being compressed. */
async function packed(piece: Piece, lanes: readonly Lane[], cache: PieceCache): Promise<Member[]> {
  const kept = await Promise.all(lanes.map(({ codec }) => cache.kept(piece, codec)));
  // The next piece is cut, in the same memory, while this one is compressed.
  const own = kept.includes(undefined) ? { ...piece, content: Buffer.from(piece.content) } : piece;
  return lanes.map(({ codec }, at) => kept[at] ?? cache.compress(own, codec));
}

interface Lane {
  readonly codec: Codec;
  readonly stored: Promise<ObjectRef>;
  readonly lengths: readonly number[];
  push(member: Member): Promise<boolean>;
  end(): void;
  fail(error: unknown): void;
}

/** One output file: compressed pieces go in, the object store pulls them out. */
function openLane(objects: ObjectStore, codec: Codec): Lane {
  const handover = new Handover<Promise<Buffer>>(PIECES_AHEAD);
  const lengths: number[] = [];
  const stored = objects.put(codec.join(awaited(handover, lengths)));
  // A store that fails may never ask for more; the producer must not wait for it.
  stored.catch(() => handover.leave());
  return {
    codec,
    stored,
    lengths,
    push(member) {
      const coming = Promise.resolve(member);
      // Looked at when its turn comes; until then a failure is not unhandled.
      coming.catch(() => undefined);
      return handover.push(coming);
    },
    end: () => handover.end(),
    fail: (error) => handover.fail(error),
  };
}

async function* awaited(members: AsyncIterable<Promise<Buffer>>, lengths: number[]): AsyncGenerator<Buffer> {
  for await (const member of members) {
    const bytes = await member;
    lengths.push(bytes.length);
    yield bytes;
  }
}
