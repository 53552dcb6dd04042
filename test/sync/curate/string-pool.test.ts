import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StringPool } from '../../../src/sync/curate/string-pool.ts';

test('numbers strings as a Map would, and gives them back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 300 }), (texts) => {
      const pool = new StringPool();
      const model = new Map<string, number>();
      for (const text of texts) {
        expect(pool.find(text)).toBe(model.get(text) ?? -1);
        if (!model.has(text)) model.set(text, model.size);
        expect(pool.intern(text)).toBe(model.get(text));
      }
      expect(pool.count).toBe(model.size);
      for (const [text, id] of model) expect(pool.get(id)).toBe(text);
    }),
  );
});

test('orders strings by their bytes', () => {
  const pool = new StringPool();
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const order = pool.compare(pool.intern(a), pool.intern(b));
      expect(Math.sign(order)).toBe(Buffer.from(a).compare(Buffer.from(b)));
    }),
  );
});

test('keeps 200,000 strings over many blocks and slots', () => {
  const pool = new StringPool();
  const name = (at: number) => `package-with-a-name-${at}`;
  for (let at = 0; at < 200_000; at++) pool.intern(name(at));
  for (let at = 0; at < 200_000; at += 997) {
    expect(pool.find(name(at))).toBe(at);
    expect(pool.get(at)).toBe(name(at));
  }
  expect(pool.find('absent')).toBe(-1);
});

test('refuses a monstrous string', () => {
  expect(() => new StringPool().intern('x'.repeat(10_000))).toThrow(expect.objectContaining({ code: 'format.limit' }));
});
