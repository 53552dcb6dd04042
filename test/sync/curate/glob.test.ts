import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob } from '../../../src/sync/curate/glob.ts';

test('matches as the same pattern written as a regular expression', () => {
  const word = (unit: string[]) => fc.string({ unit: fc.constantFrom(...unit), maxLength: 10 });
  fc.assert(
    fc.property(word(['a', 'b', '*', '?', '.']), word(['a', 'b', '.']), (pattern, text) => {
      const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      expect(matchesGlob(pattern, text)).toBe(new RegExp(`^${source}$`, 's').test(text));
    }),
    { numRuns: 2000 },
  );
});

test('does not run away', () => {
  expect(matchesGlob(`${'*a'.repeat(1000)}b`, 'a'.repeat(20_000))).toBe(false);
});
