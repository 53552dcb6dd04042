import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/store/canonical-json.ts';

test('keys are sorted by UTF-16 units, there is no white space, undefined members are left out', () => {
  // The example of RFC 8785 §3.2.3, whose order differs from that of code points.
  const value = {
    '\u20ac': 1,
    '\r': 2,
    '\ufb33': 3,
    '1': 4,
    '\u{1f600}': 5,
    '\u0080': 6,
    '\u00f6': 7,
    gone: undefined,
  };
  expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  expect(canonicalJson({ b: [true, null, -0], a: { d: 'x"\u0001/', c: 1e15 } })).toBe(
    '{"a":{"c":1000000000000000,"d":"x\\"\\u0001/"},"b":[true,null,0]}',
  );
});

test.each([0.5, Number.NaN, 2 ** 53, '\ud800', () => 1, 1n, [undefined]])('refuses %s', (value) => {
  expect(() => canonicalJson({ value })).toThrowError(expect.objectContaining({ code: 'internal.bug' }));
});

test('parses back to the same value, and does not depend on the order of keys', () => {
  const leaf = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (object) => {
      const reversed = Object.fromEntries(Object.entries(object).reverse());
      expect(canonicalJson(reversed)).toBe(canonicalJson(object));
      expect(canonicalJson(JSON.parse(canonicalJson(object)))).toBe(canonicalJson(object));
      expect(JSON.parse(canonicalJson(object))).toEqual(JSON.parse(JSON.stringify(object)));
    }),
    { numRuns: 40 },
  );
});
