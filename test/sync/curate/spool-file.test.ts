import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { SpoolFile } from '../../../src/sync/curate/spool-file.ts';

function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'spool-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('gives back what was put aside, in any order and while more comes', () => {
  const dir = temporaryFolder();
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { maxLength: 40 }), fc.infiniteStream(fc.nat()), (lengths, picks) => {
      const file = new SpoolFile(join(dir, 'file'));
      const kept: { place: number; bytes: Buffer }[] = [];
      for (const [at, length] of lengths.entries()) {
        const bytes = Buffer.alloc(length, at + 1);
        kept.push({ place: file.append(bytes), bytes });
        const pick = kept[(picks.next().value as number) % kept.length];
        if (pick !== undefined) expect(file.read(pick.place, pick.bytes.length).equals(pick.bytes)).toBe(true);
      }
      file.close();
    }),
    { numRuns: 30 },
  );
});

test('reads more blocks than it keeps', () => {
  const file = new SpoolFile(join(temporaryFolder(), 'file'));
  const places: number[] = [];
  for (let at = 0; at < 400; at++) places.push(file.append(Buffer.alloc(50_000, at)));
  for (const turn of [0, 1])
    for (const [at, place] of places.entries())
      expect(file.read(place, 50_000).equals(Buffer.alloc(50_000, at)), `${turn} ${at}`).toBe(true);
  file.close();
});

test('leaves no file behind, and says what it cannot read', () => {
  const dir = temporaryFolder();
  const file = new SpoolFile(join(dir, 'file'));
  file.append(Buffer.from('abc'));
  expect(readdirSync(dir)).toEqual([]);
  expect(() => file.read(0, 4)).toThrow(expect.objectContaining({ code: 'store.io' }));
  file.close();
  expect(() => new SpoolFile(join(dir, 'absent/file'))).toThrow(expect.objectContaining({ code: 'store.io' }));
});
