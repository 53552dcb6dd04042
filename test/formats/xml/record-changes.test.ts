/** What two files of records differ in is what reading both would tell. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RecordChanges, recordChanges } from '../../../src/formats/xml/record-changes.ts';
import { xmlRecords } from '../../../src/formats/xml/records.ts';
import { chunked } from '../support.ts';

const OPTIONS = { origin: 'primary.xml', root: 'metadata', record: 'package' };
const MIB = 1024 * 1024;

const record = (name: string, text = ''): string => `<package type="rpm">\n  <name>${name}</name>${text}\n</package>`;
const file = (records: readonly string[], { head = '', gap = '\n', tail = '\n' } = {}): string =>
  `<?xml version="1.0"?>\n<metadata packages="${records.length}">${head}\n${records.join(gap)}\n</metadata>${tail}`;

function changes(before: string, after: string, { size = 1000, most = 100 } = {}): Promise<RecordChanges | undefined> {
  const bytes = (text: string) => chunked(Buffer.from(text), size);
  return recordChanges(bytes(before), bytes(after), { ...OPTIONS, most });
}

async function allRecords(text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of xmlRecords([Buffer.from(text)], OPTIONS)) found.push(...batch.map(String));
  return found;
}

/** Those of the first that the second lacks, as often as it lacks them; sorted. */
function without(from: readonly string[], other: readonly string[]): string[] {
  const left = [...from];
  for (const each of other) {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
  }
  return left.sort();
}

const shown = (records: readonly Buffer[] = []): string[] => records.map(String).sort();

async function expectSame(before: string, after: string, size?: number): Promise<void> {
  const [old, now] = [await allRecords(before), await allRecords(after)];
  const found = await changes(before, after, { size });
  expect(shown(found?.removed)).toEqual(without(old, now));
  expect(shown(found?.added)).toEqual(without(now, old));
}

describe('what is told', () => {
  test('is what one has and the other lacks, in any order, however the bytes come', async () => {
    const name = fc.constantFrom('a', 'ab', 'b', 'c', 'd', 'e');
    const records = fc.array(
      fc.record({ name, text: fc.constantFrom('', '<x/>', ' ! ? ') }).map(({ name, text }) => record(name, text)),
      { maxLength: 12 },
    );
    const layout = fc.record({ gap: fc.constantFrom('', '\n', '  \n'), tail: fc.constantFrom('', '\n') });
    await fc.assert(
      fc.asyncProperty(
        records,
        records,
        layout,
        layout,
        fc.integer({ min: 1, max: 60 }),
        async (old, now, a, b, size) => expectSame(file(old, a), file(now, b), size),
      ),
      { numRuns: 300 },
    );
  });

  test('after an insertion, removal or update in the middle of what is larger than any window', async () => {
    const names = Array.from({ length: 3000 }, (_, n) => record(`name-${n}`, `<d>${'x'.repeat(1500)}</d>`));
    const long = [record('one'), record('two'), ...names.slice(0, 1400)];
    const edits: [readonly string[], readonly string[]][] = [
      [names, [...names.slice(0, 1700), record('new'), ...names.slice(1700)]],
      [names, [...names.slice(0, 900), ...names.slice(905)]],
      [names, [...names.slice(0, 10), record('other'), ...names.slice(11, 2999), record('last')]],
      [names, []],
      [names.slice(0, 5), names],
      // Longer than what is looked at for where it goes on.
      [[...names.slice(1400)], [...long, ...names.slice(1400)]],
    ];
    for (const [old, now] of edits) {
      const [before, after] = [file(old), file(now)];
      expect(Math.max(before.length, after.length)).toBeGreaterThan(4 * MIB);
      const found = await changes(before, after, { size: 100_000, most: 5000 });
      expect([found?.removed.length, found?.added.length]).toEqual([
        without(old, now).length,
        without(now, old).length,
      ]);
      expect(shown(found?.added)).toEqual(without(now, old));
    }
  });

  test('of records that are larger than a window', async () => {
    const large = (name: string): string => record(name, `<d>${name.repeat(3 * MIB)}</d>`);
    await expectSame(file([large('a'), large('b')]), file([large('a'), large('c'), record('d')]), 500_000);
  });
});

describe('all has to be read', () => {
  const plain = file([record('a'), record('b')]);

  test.each([
    ['a comment between records', file([record('a'), '<!-- b -->', record('c')])],
    ['a comment in a record', file([record('a', '<!-- </package> -->'), record('b')])],
    ['a comment that looks like two records', file([record('a', '<!-- </package><package> -->'), record('b')])],
    ['CDATA', file([record('a', '<d><![CDATA[</package>]]></d>'), record('b')])],
    ['an instruction', file([record('a', '<?php </package> ?>'), record('b')])],
    ['a record in a record', file([record('a', record('b')), record('c')])],
    ['a DOCTYPE', `<!DOCTYPE metadata><metadata>${record('a')}</metadata>`],
    ['another element', file([record('a'), '<other/>', record('b')])],
    ['an end before the end', plain.slice(0, -15)],
    ['an end in a record', plain.slice(0, -40)],
    ['something behind the end', `${plain}<more/>`],
  ])('where there is %s', async (_, other) => {
    expect(await changes(plain, other)).toBeUndefined();
    expect(await changes(other, plain)).toBeUndefined();
    expect(await changes(plain, plain)).toEqual({ removed: [], added: [] });
  });

  test('where a comment stands in what both have', async () => {
    const [a, b] = [record('a', '<!-- </package> -->'), record('b')];
    expect(await changes(file([a, b]), file([a, record('c')]))).toBeUndefined();
  });

  test('where more differs than is wanted', async () => {
    const names = (from: number) => Array.from({ length: 20 }, (_, n) => record(`name-${from + n}`));
    expect(await changes(file(names(0)), file(names(20)), { most: 30 })).toBeUndefined();
    expect((await changes(file(names(0)), file(names(20)), { most: 40 }))?.added).toHaveLength(20);
  });
});
