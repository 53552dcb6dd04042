import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPath, comparePaths, MAX_PATH_BYTES } from '../../src/formats/path.ts';
import { thrown } from './support.ts';

describe('a path from outside', () => {
  it.each([
    ['pool/main/g/g++/g++_4%3a12~rc1+b1_amd64.deb', 'pool/main/g/g++/g++_4%3a12~rc1+b1_amd64.deb'],
    ['./Packages', 'Packages'],
    ['a//b/./c/', 'a/b/c'],
    ['a/...', 'a/...'],
    ['..a/b..', '..a/b..'],
    ['dists/größe', 'dists/größe'],
    ['a b', 'a b'],
  ])('%j becomes %j', (path, expected) => {
    expect(canonicalPath(path, 'Release:3')).toBe(expected);
  });

  it.each([
    ['/etc/passwd', 'absolute'],
    ['//host/x', 'absolute'],
    ['../x', '..'],
    ['a/../b', '..'],
    ['a/..', '..'],
    ['..', '..'],
    ['./..', '..'],
    ['', 'empty'],
    ['.', 'empty'],
    ['././/', 'empty'],
    ['a\u0000b', 'control'],
    ['a\nb', 'control'],
    ['a\u001b[2J', 'control'],
    ['a\u007f', 'control'],
    ['..\\..\\x', 'backslash'],
    ['a\ud800', 'Unicode'],
    ['x'.repeat(MAX_PATH_BYTES + 1), 'longer'],
    ['é'.repeat(MAX_PATH_BYTES / 2 + 1), 'longer'],
  ])('%.20j is refused: %s', (path, why) => {
    const error = thrown(() => canonicalPath(path, 'Release:3'));
    expect(error.code).toBe('format.path');
    expect(error.message).toContain('Release:3: path ');
    expect(error.message).toContain(why);
    expect(error.message.length).toBeLessThan(1500);
  });

  it('is canonical once and for all, and never leaves its root', () => {
    const piece = fc.constantFrom('a', '.', '..', '/', '//', '\\', '\u0000', 'é', ' ', '...', '%2e');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        let path: string;
        try {
          path = canonicalPath(pieces.join(''), 'x');
        } catch (error) {
          expect(error).toMatchObject({ name: 'KubedosError', code: 'format.path' });
          return;
        }
        expect(canonicalPath(path, 'x')).toBe(path);
        expect(posix.resolve('/root', path)).toBe(`/root/${path}`);
        expect(path.split('/')).not.toContain('..');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the order of paths', () => {
  it('is that of their UTF-8 bytes', () => {
    const text = fc
      .array(fc.constantFrom('a', '/', 'é', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'), { maxLength: 5 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(comparePaths(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 300 },
    );
  });

  it('puts what UTF-16 would turn round the right way', () => {
    expect(comparePaths('\uffff', '\u{10000}')).toBeLessThan(0);
    expect(comparePaths('a', 'a/b')).toBeLessThan(0);
  });
});
