import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, formatVersion, parseVersion } from '../../../src/formats/apt/version.ts';
import { thrown } from '../support.ts';

/** Pieces on which the order turns, so that generated pairs are close to each other. */
const piece = fc.constantFrom(
  ...['0', '00', '1', '01', '9', '10', '2147483648', '99999999999999999999999', 'a', 'A', 'b', 'z', 'Z', 'rc'],
  ...['~', '~~', '+', '.', '..', '+dfsg', '~rc1', '+b1', '-', '~bpo12+1', 'ubuntu'],
);
const revisionPiece = piece.filter((text) => !text.includes('-'));
const text = (pieces: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(pieces, { maxLength }).map((all) => all.join(''));
const version = fc
  .tuple(
    fc.constantFrom('', '', '', '0:', '1:', '01:', '2:', '2147483647:'),
    fc.constantFrom('0', '1', '00', '12', '012'),
    text(piece, 4),
    fc.option(text(revisionPiece, 3), { nil: undefined }),
  )
  // A hyphen at the end would begin an empty revision, which dpkg refuses.
  .map(([epoch, digit, rest, revision]) =>
    `${epoch}${digit}${rest}${revision ? `-${revision}` : ''}`.replace(/-+$/, ''),
  );
/** Two versions of which one is often a small change of the other. */
const pair = fc.oneof(
  fc.tuple(version, version),
  fc.tuple(version, piece, fc.nat({ max: 12 })).map(([base, extra, at]): [string, string] => {
    const place = base.indexOf(':') + 2 + at;
    return [base, `${base.slice(0, place)}${extra}${base.slice(place)}`.replace(/-+$/, '')];
  }),
);

const sign = (order: number) => Math.sign(order);

describe('the order of versions', () => {
  const ascending = [
    '~',
    '0~~',
    '0~',
    '0',
    '0A',
    '0a',
    '0+',
    '0.',
    '1~rc1',
    '1',
    '1-0a',
    '1-1',
    '1.0',
    '1.2',
    '1.10',
    '1:0~',
  ];
  it('sorts a table', () => {
    for (const [i, a] of ascending.entries())
      for (const [j, b] of ascending.entries())
        expect([a, b, sign(compareVersions(a, b))]).toEqual([a, b, sign(i - j)]);
  });

  it.each([
    ['1', '1-0'],
    ['1', '0:1'],
    ['1.0', '1.00'],
    ['1a', '1a0'],
    ['01:1', '1:1'],
    ['1-', '1'],
    ['', '0'],
  ])('holds %s and %s for the same', (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
    expect(compareVersions(b, a)).toBe(0);
  });

  it('is that of dpkg: 5,000 pairs against Dpkg::Version', () => {
    const pairs = fc.sample(pair, 5000);
    const script =
      'use Dpkg::Version; while (<STDIN>) { chomp; my ($x, $y) = split / /; print version_compare($x, $y), "\\n" }';
    const input = pairs.map((both) => `${both.join(' ')}\n`).join('');
    const orders = execFileSync('perl', ['-e', script], { input, encoding: 'utf8', stdio: 'pipe' }).trim().split('\n');
    expect(orders.length).toBe(pairs.length);
    const wrong = pairs.filter(([a, b], i) => sign(compareVersions(a, b)) !== Number(orders[i]));
    expect(wrong).toEqual([]);
    // The generator must not give trivial pairs only.
    expect(new Set(orders).size).toBe(3);
  });

  it('is that of the dpkg program: 40 pairs', () => {
    const pairs = fc.sample(pair, 40);
    const script = `while read -r a b; do
      if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" gt "$b"; then echo 1; else echo 0; fi
    done`;
    const input = pairs.map((both) => `${both.join(' ')}\n`).join('');
    const orders = execFileSync('sh', ['-c', script], { input, encoding: 'utf8', stdio: 'pipe' }).trim().split('\n');
    const wrong = pairs.filter(([a, b], i) => sign(compareVersions(a, b)) !== Number(orders[i]));
    expect(wrong).toEqual([]);
  });

  it('is a total order over any text', () => {
    const any = fc.oneof(version, fc.string({ unit: fc.constantFrom(...'01a~+-.: é') }));
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(sign(compareVersions(a, b))).toBe(-sign(compareVersions(b, a)) + 0);
        expect(compareVersions(a, a)).toBe(0);
        const [x, y, z] = [a, b, c].sort(compareVersions) as [string, string, string];
        expect(compareVersions(x, z)).toBeLessThanOrEqual(0);
        if (compareVersions(x, y) === 0) expect(sign(compareVersions(x, z))).toBe(sign(compareVersions(y, z)));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes linear time for long versions', () => {
    const long = '1.'.repeat(50_000);
    expect(compareVersions(`${long}1`, `${long}2`)).toBeLessThan(0);
  });
});

describe('a version', () => {
  it('has an epoch, an upstream part and a revision', () => {
    expect(parseVersion('1:2.0-a-3~x')).toEqual({ epoch: 1, upstream: '2.0-a', revision: '3~x' });
    expect(parseVersion('2.0')).toEqual({ epoch: 0, upstream: '2.0', revision: '' });
    expect(parseVersion('0:1:2-3')).toEqual({ epoch: 0, upstream: '1:2', revision: '3' });
  });

  it('is written so that it compares the same', () => {
    fc.assert(
      fc.property(version, (one) => {
        expect(compareVersions(formatVersion(parseVersion(one)), one)).toBe(0);
        expect(parseVersion(formatVersion(parseVersion(one)))).toEqual(parseVersion(one));
      }),
    );
  });

  it.each(['', 'a1', '1-', ':1', '1:', 'x:1', '-1:1', '2147483648:1', '1 2', '1_2', '1-a:b', '1\n', 'é'])(
    'refuses %j',
    (bad) => {
      expect(thrown(() => parseVersion(bad, 'Packages:7')).code).toBe('format.syntax');
      expect(thrown(() => parseVersion(bad, 'Packages:7')).message).toContain('parse Packages:7: ');
    },
  );
});
