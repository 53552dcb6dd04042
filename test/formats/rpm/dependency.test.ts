import { describe, expect, test } from 'vitest';
import { KubedosError } from '../../../src/errors.ts';
import {
  capabilityText,
  type Dependency,
  dependencyText,
  isRich,
  parseDependency,
  rangesOverlap,
} from '../../../src/formats/rpm/dependency.ts';

const parse = (text: string): Dependency => parseDependency(text, 'test');
const codeOf = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof KubedosError) return error.code;
    throw error;
  }
  return 'none';
};

describe('parsing', () => {
  test.each([
    'foo',
    'foo >= 1:2.0-1',
    'libfoo.so.1(FOO_1.0)(64bit)',
    '(a or b)',
    '(a and b and (c or d))',
    '(a if b else c)',
    '(python3.9dist(x) >= 1 with python3.9dist(x) < 2)',
    '(font(:lang=en) unless font(x))',
    '(a without b)',
    '/usr/bin/perl',
  ])('%s says the same when it is written again', (text) => expect(dependencyText(parse(text))).toBe(text));

  test('brackets around a single name are none', () => expect(dependencyText(parse('(  foo )'))).toBe('foo'));
  test('=> and =< are old ways to write', () => expect(dependencyText(parse('foo => 1'))).toBe('foo >= 1'));

  test.each([
    '',
    '(a or',
    '(a b)',
    '(a or b and c)',
    '(a if b if c)',
    '(a without b without c)',
    'a <> 1',
    'a >=',
    'a b',
    '(a else b)',
    ')',
  ])('%j is refused', (text) => expect(codeOf(text)).toBe('format.syntax'));
  test('nested without end is refused', () => expect(codeOf('('.repeat(100_000))).toBe('format.limit'));
});

describe('ranges', () => {
  test.each([
    ['a', 'a = 1', true],
    ['a = 1', 'a', true],
    ['a = 1-5', 'a = 1', true],
    ['a = 1-5', 'a = 1-6', false],
    ['a = 1-5', 'a >= 1', true],
    ['a = 1-5', 'a > 1', false],
    ['a = 1:1', 'a > 5', true],
    ['a = 1', 'a < 1', false],
    ['a = 1~rc1', 'a < 1', true],
    ['a >= 2', 'a <= 2', true],
    ['a > 2', 'a <= 2', false],
    ['a > 2', 'a > 9', true],
    ['a < 2', 'a > 1', true],
  ])('%s and %s: %s', (provided, wanted, expected) => {
    const [a, b] = [parse(provided), parse(wanted)];
    if (isRich(a) || isRich(b)) throw new Error('rich');
    expect(rangesOverlap(a, b)).toBe(expected);
    expect(rangesOverlap(b, a)).toBe(expected);
    expect(capabilityText(a)).toBe(provided);
  });
});
