import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RANGES, multipartFrames, parseRange } from '../../src/server/range.ts';

describe('parseRange', () => {
  test.each([
    ['bytes=0-0', [[0, 1]]],
    ['bytes=0-99', [[0, 100]]],
    ['bytes=0-5000', [[0, 100]]],
    ['bytes=90-', [[90, 100]]],
    ['bytes=-1', [[99, 100]]],
    ['bytes=-500', [[0, 100]]],
    ['BYTES=1-2', [[1, 3]]],
    [
      'bytes=1-2, 5-6',
      [
        [1, 3],
        [5, 7],
      ],
    ],
    [
      'bytes= 1-2 ,,5-6,',
      [
        [1, 3],
        [5, 7],
      ],
    ],
    [
      'bytes=5-6,1-2',
      [
        [5, 7],
        [1, 3],
      ],
    ],
    ['bytes=0-4,5-9', [[0, 10]]],
    ['bytes=0-50,20-60', [[0, 61]]],
    ['bytes=1-2,200-300', [[1, 3]]],
    ['bytes=100-', []],
    ['bytes=100-200', []],
    ['bytes=-0', []],
  ])('%s of 100 bytes', (header, expected) => {
    expect(parseRange(header, 100)?.map(({ start, end }) => [start, end])).toEqual(expected);
  });

  test.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-4',
    'bytes=1-2-3',
    'bytes=0x1-2',
    'items=0-1',
    'bytes=1',
    'bytes=-1-',
    'bytes=+1-2',
    'bytes=99999999999999999999-',
    // Asks for more than the file: everything is sent once instead.
    'bytes=50-99,0-99',
    `bytes=${'0-0,9-9,'.repeat(MAX_RANGES)}`,
  ])('%s is ignored', (header) => {
    expect(parseRange(header, 100)).toBeUndefined();
  });

  test('an empty file satisfies nothing', () => {
    expect(parseRange('bytes=0-', 0)).toEqual([]);
    expect(parseRange('bytes=-5', 0)).toEqual([]);
  });

  test('whatever is asked, the ranges lie inside and are never more than the file together', () => {
    const spec = fc.tuple(fc.option(fc.nat(300)), fc.option(fc.nat(300))).map(([a, b]) => `${a ?? ''}-${b ?? ''}`);
    fc.assert(
      fc.property(fc.array(spec, { maxLength: 70 }), fc.nat(200), (specs, size) => {
        const ranges = parseRange(`bytes=${specs.join(',')}`, size);
        let sum = 0;
        for (const { start, end } of ranges ?? []) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(size);
          sum += end - start;
        }
        expect(sum).toBeLessThanOrEqual(size);
      }),
    );
  });
});

test('the length of a multipart body is that of its frames and ranges', () => {
  const ranges = [
    { start: 0, end: 3 },
    { start: 10, end: 12 },
  ];
  const frames = multipartFrames(ranges, { boundary: 'b', contentType: 'text/plain', sizeBytes: 20 });
  expect(frames.heads.map(String)).toEqual([
    '\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/20\r\n\r\n',
    '\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 10-11/20\r\n\r\n',
  ]);
  expect(String(frames.tail)).toBe('\r\n--b--\r\n');
  expect(frames.totalBytes).toBe(frames.heads.reduce((sum, { length }) => sum + length, frames.tail.length) + 5);
});
