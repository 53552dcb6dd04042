import { describe, expect, test } from 'vitest';
import { checkPreconditions, httpDate, parseHttpDate, rangeApplies } from '../../src/server/conditional.ts';

const ETAG = '"abc"';
const DATE = 'Sun, 31 May 2026 20:00:00 GMT';
const sameAsOf = (date: string): boolean => date === DATE;

describe('checkPreconditions', () => {
  test.each([
    [{}, 'go'],
    [{ 'if-none-match': ETAG }, 'unchanged'],
    [{ 'if-none-match': 'W/"abc"' }, 'unchanged'],
    [{ 'if-none-match': '"x", "abc"' }, 'unchanged'],
    [{ 'if-none-match': '*' }, 'unchanged'],
    [{ 'if-none-match': '"ab"' }, 'go'],
    [{ 'if-modified-since': DATE }, 'unchanged'],
    [{ 'if-modified-since': 'Sun, 31 May 2026 20:00:01 GMT' }, 'go'],
    // The tag decides where there is one (RFC 9110 §13.1.3).
    [{ 'if-none-match': '"ab"', 'if-modified-since': DATE }, 'go'],
    [{ 'if-match': ETAG }, 'go'],
    [{ 'if-match': '*' }, 'go'],
    [{ 'if-match': 'W/"abc"' }, 'failed'],
    [{ 'if-match': '"ab"' }, 'failed'],
  ] as const)('%j', async (headers, expected) => {
    expect(await checkPreconditions(headers, ETAG, sameAsOf)).toBe(expected);
  });
});

describe('rangeApplies', () => {
  test.each([
    [undefined, true],
    [ETAG, true],
    ['"ab"', false],
    ['W/"abc"', false],
    [DATE, true],
    ['Sun, 31 May 2026 19:00:00 GMT', false],
  ])('%s', async (validator, expected) => {
    const headers = validator === undefined ? {} : { 'if-range': validator };
    expect(await rangeApplies(headers, ETAG, sameAsOf)).toBe(expected);
  });
});

describe('dates', () => {
  test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    '%s',
    (text) => expect(parseHttpDate(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37)),
  );

  test.each(['', '1994', 'yesterday', 'Sun', '2026-01-01T00:00:00Z'])('%s is none', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });

  test('written as read', () => {
    expect(httpDate(new Date('1994-11-06T08:49:37Z'))).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });
});
