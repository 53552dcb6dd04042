import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePaths } from '../../src/formats/path.ts';
import type { KeptPiece, MetadataRecord } from '../../src/formats/rpm/publication.ts';
import { cutAt } from '../../src/publish/cut-at.ts';
import { beginsPiece, MAX_PIECE_BYTES } from '../../src/publish/piece-cutting.ts';
import { type PieceFacts, touchedPieces } from '../../src/publish/piece-list.ts';
import { metadataPieces } from '../../src/publish/yum/record-pieces.ts';

const SPARE = Buffer.alloc(MAX_PIECE_BYTES / 2 - 100, 'x');
const BEGINNERS = Array.from({ length: 20_000 }, (_, n) => `n${n}`).filter((name) => beginsPiece(Buffer.from(name)));
const NAMES = BEGINNERS.slice(0, 3).flatMap((name) => ['', '-a', '-b', '-c', '-d'].map((rest) => `${name}${rest}`));

/** Two in a piece, so that pieces end within what lies between two names. */
const recordOf = (name: string): MetadataRecord => ({ name, bytes: Buffer.concat([Buffer.from(name), SPARE]) });

async function* given<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function cut(records: readonly (MetadataRecord | KeptPiece)[]): Promise<KeptPiece[]> {
  const count = records.reduce((sum, each) => sum + ('packed' in each ? each.packages : 1), 0);
  const pieces: KeptPiece[] = [];
  for await (const { first, begins, packages, content } of metadataPieces('other', count, given(records)))
    pieces.push({ first, begins, packages, content: Buffer.from(content), packed: Buffer.alloc(0) });
  return pieces;
}

test('pieces that no change touches are those of the whole cut anew', async () => {
  const subset = fc.subarray(NAMES).map((names) => [...names].sort(comparePaths));
  await fc.assert(
    fc.asyncProperty(subset, subset, async (before, after) => {
      const pieces = (await cut(before.map(recordOf))).slice(1, -1);
      const changed = NAMES.filter((name) => before.includes(name) !== after.includes(name));
      const touched = touchedPieces(pieces as unknown as PieceFacts[], changed);
      let at = 0;
      const kept: { name: string; part: MetadataRecord | KeptPiece }[] = [];
      for (const [index, piece] of pieces.entries()) {
        const names = before.slice(at, at + piece.packages);
        at += piece.packages;
        if (!touched[index]) kept.push({ name: piece.first, part: piece });
        else for (const name of names) if (after.includes(name)) kept.push({ name, part: recordOf(name) });
      }
      for (const name of after) if (!before.includes(name)) kept.push({ name, part: recordOf(name) });
      kept.sort((a, b) => comparePaths(a.name, b.name));
      const patched = await cut(kept.map(({ part }) => part));
      const whole = await cut(after.map(recordOf));
      const shown = (all: readonly KeptPiece[]) =>
        all.map(({ first, begins, packages, content }) => ({ first, begins, packages, bytes: content.length }));
      expect(shown(patched)).toEqual(shown(whole));
      for (const [index, { content }] of whole.entries()) expect(patched[index]?.content.equals(content)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('a stream is cut at the given lengths however it comes, and read to its end', async () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.array(fc.nat({ max: 60 })), fc.array(fc.nat({ max: 60 })), async (all, cuts, chunks) => {
      const ranges = (at: readonly number[]) => {
        const ends = [...at.filter((end) => end < all.length).sort((a, b) => a - b), all.length];
        return ends.map((end, index) => Buffer.from(all.subarray(ends[index - 1] ?? 0, end)));
      };
      let ended = false;
      async function* source() {
        yield* ranges(chunks);
        ended = true;
      }
      const wanted = ranges(cuts);
      const got: Buffer[] = [];
      for await (const piece of cutAt(
        source(),
        wanted.map(({ length }) => length),
      ))
        got.push(piece);
      expect(got).toEqual(wanted);
      expect(ended).toBe(true);
    }),
  );
});
