import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatReleaseDate, parseReleaseDate } from '../../../src/formats/apt/date.ts';
import { thrown } from '../support.ts';

const place = { origin: 'Release', line: 7 };

describe('the dates of a Release', () => {
  it.each([
    ['Sat, 11 Jul 2026 10:16:37 UTC', '2026-07-11T10:16:37.000Z'],
    ['Sat, 11 jul 2026 10:16:37 GMT', '2026-07-11T10:16:37.000Z'],
    ['Sat,  1 Jul 2026  9:06:07 +0000', '2026-07-01T09:06:07.000Z'],
    ['1 Jan 1970 0:00 Z', '1970-01-01T00:00:00.000Z'],
    ['Thu, 29 Feb 2024 23:30:00 -0130', '2024-03-01T01:00:00.000Z'],
    ['Fri, 01 Mar 2024 00:30:00 +0200', '2024-02-29T22:30:00.000Z'],
    ['Sat, 31 Dec 2016 23:59:60 UTC', '2017-01-01T00:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(parseReleaseDate(text, place).toISOString()).toBe(expected);
  });

  it.each(
    [
      [
        '',
        'yesterday',
        '2026-07-11T10:16:37Z',
        'Sat, 11 Jul 2026',
        'Sat, 11 Jul 2026 10:16:37',
        'Sat, 11 Jul 26 10:16:37 UTC',
      ],
      ['Sat, 31 Feb 2026 10:16:37 UTC', 'Sat, 0 Jan 2026 10:16:37 UTC', 'Sat, 11 Jul 2026 24:00:00 UTC'],
      ['Sat, 11 Jul 2026 10:60:00 UTC', 'Sat, 11 Jly 2026 10:16:37 UTC', 'Sat, 11 Jul 2026 10:16:37 CEST'],
      ['Sat, 11 Jul 2026 10:16:37 +0099', 'Sat, 11 Jul 2026 10:16:37 UTC extra x', `${'1 '.repeat(1_000_000)}`],
    ].flat(),
  )('refuse %.40j', (text) => {
    expect(thrown(() => parseReleaseDate(text, place))).toMatchObject({
      code: 'format.syntax',
      message: expect.stringContaining('parse Release:7: expected a date'),
    });
  });

  it('are read back as they were written', () => {
    const seconds = fc.integer({ min: 0, max: 253402300799 });
    fc.assert(
      fc.property(seconds, (time) => {
        const text = formatReleaseDate(new Date(time * 1000));
        expect(parseReleaseDate(text, place).getTime()).toBe(time * 1000);
        // The customary form is also what JavaScript calls it, but for the name of the zone.
        expect(text).toBe(new Date(time * 1000).toUTCString().replace('GMT', 'UTC'));
      }),
    );
  });
});
