import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEvr, compareVersionPart, parseEvr } from '../../../src/formats/rpm/version.ts';

/** Pieces on which the order turns. */
const piece = fc.constantFrom(
  ...['0', '00', '1', '01', '9', '10', '2147483648', '99999999999999999999999', 'a', 'A', 'b', 'z', 'Z', 'rc', 'el9'],
  ...['~', '~~', '^', '^^', '+', '.', '..', '_', '~rc1', '^git1', '~^', '^~'],
);
const part = fc.array(piece, { minLength: 1, maxLength: 5 }).map((all) => all.join(''));
/** Two of which one is often a small change of the other. */
const partPair = fc.oneof(
  fc.tuple(part, part),
  fc.tuple(part, piece, fc.nat({ max: 12 })).map(([base, extra, at]): [string, string] => {
    return [base, `${base.slice(0, at)}${extra}${base.slice(at)}`];
  }),
);
const evr = fc
  .tuple(fc.constantFrom('', '', '0:', '1:', '01:', '2:', '2147483647:'), part, fc.option(part))
  .map(([epoch, version, release]) => `${epoch}${version}${release === null ? '' : `-${release}`}`);

/** -1, 0 or 1 for each pair, by an expression of rpm's own Lua over the texts `a` and `b`. */
function askRpm(pairs: readonly (readonly [string, string])[], expression: string): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'kubedos-rpm-'));
  try {
    const file = join(folder, 'pairs');
    writeFileSync(file, pairs.map((both) => `${both.join(' ')}\n`).join(''));
    const lua = `for l in io.lines("${file}") do local a, b = l:match("(%S+) (%S+)") print((${expression}).."\\n") end`;
    const out = execFileSync('rpm', ['--eval', `%{lua: ${lua}}`], { encoding: 'utf8', maxBuffer: 1 << 24 });
    return out.trim().split(/\n+/).map(Number);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const sign = (order: number): number => Math.sign(order);

describe('the order of versions', () => {
  it('sorts a table', () => {
    const ascending = ['1~~', '1~rc1', '1', '1^', '1^git1', '1^git1.1', '1.a', '1.0', '1.00.1', '1.1', '1.10', '2'];
    for (const [i, a] of ascending.entries())
      for (const [j, b] of ascending.entries())
        expect([a, b, sign(compareVersionPart(a, b))]).toEqual([a, b, sign(i - j)]);
  });

  it.each([
    ['1.0', '1_0'],
    ['1.0', '1..0'],
    ['1.01', '1.1'],
    ['a.b', 'a b'],
    ['1.', '1'],
  ])('holds %s and %s for the same', (a, b) => {
    expect(compareVersionPart(a, b)).toBe(0);
    expect(compareVersionPart(b, a)).toBe(0);
  });

  it('is that of rpm: 5,000 pairs', () => {
    const pairs = fc.sample(partPair, 5000);
    const orders = askRpm(pairs, 'rpm.vercmp(a, b)');
    expect(orders.length).toBe(pairs.length);
    expect(pairs.filter(([a, b], i) => sign(compareVersionPart(a, b)) !== orders[i])).toEqual([]);
    // The generator must not give trivial pairs only.
    expect(new Set(orders).size).toBe(3);
  });

  it('is that of rpm with epochs and releases: 3,000 pairs', () => {
    const near = fc
      .tuple(
        fc.constantFrom('', '0:', '1:', '01:'),
        fc.constantFrom('', '0:', '1:'),
        part,
        fc.option(part),
        fc.option(part),
      )
      .map(([e, f, version, r, s]): [string, string] => [
        `${e}${version}${r === null ? '' : `-${r}`}`,
        `${f}${version}${s === null ? '' : `-${s}`}`,
      ]);
    const pairs = fc.sample(fc.oneof(fc.tuple(evr, evr), near), 3000);
    const orders = askRpm(pairs, '(rpm.ver(a) < rpm.ver(b)) and -1 or ((rpm.ver(a) > rpm.ver(b)) and 1 or 0)');
    expect(orders.length).toBe(pairs.length);
    const wrong = pairs.filter(([a, b], i) => sign(compareEvr(parseEvr(a), parseEvr(b))) !== orders[i]);
    expect(wrong).toEqual([]);
    expect(new Set(orders).size).toBe(3);
  });

  it('is antisymmetric over any text', () => {
    const any = fc.oneof(part, fc.string({ unit: fc.constantFrom(...'01a~^+-.: é') }));
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(sign(compareVersionPart(a, b))).toBe(-sign(compareVersionPart(b, a)) + 0);
        expect(compareVersionPart(a, a)).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes linear time for long versions', () => {
    const long = '1.'.repeat(50_000);
    expect(compareVersionPart(`${long}1`, `${long}2`)).toBeLessThan(0);
  });
});

it('is split at the first colon and the last hyphen', () => {
  expect(parseEvr('1:2.0-3.el9')).toEqual({ epoch: '1', version: '2.0', release: '3.el9' });
  expect(parseEvr('2.0')).toEqual({ epoch: '0', version: '2.0', release: '' });
  expect(parseEvr(':2-0-1')).toEqual({ epoch: '0', version: '2-0', release: '1' });
  expect(parseEvr('a:2')).toEqual({ epoch: '0', version: 'a:2', release: '' });
});
