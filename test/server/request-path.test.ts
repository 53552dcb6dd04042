import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import { canonicalPath } from '../../src/formats/path.ts';
import { encodePath, parseFileTarget, targetPath } from '../../src/server/request-path.ts';

describe('targetPath', () => {
  test.each([
    ['/c/a/b?x=1', '/c/a/b'],
    ['/c/a/b#x', '/c/a/b'],
    ['http://user:secret@example.org:80/c/a/b?x', '/c/a/b'],
    ['http://example.org', '/'],
    ['*', '/'],
    ['c/a', '/'],
  ])('%s', (target, path) => expect(targetPath(target)).toBe(path));
});

describe('parseFileTarget', () => {
  test.each([
    [
      '/c/stable/debian/pool/main/g/g++-12/g++-12_12.2.0-14+deb12u1_amd64.deb',
      'pool/main/g/g++-12/g++-12_12.2.0-14+deb12u1_amd64.deb',
    ],
    ['/c/stable/debian/pool/g%2B%2B_1%3a2%7Erc1%2Bb1.deb', 'pool/g++_1:2~rc1+b1.deb'],
    ['/c/stable/debian/pool/a~b_1%25.deb', 'pool/a~b_1%.deb'],
    ['/c/stable/debian/./Packages.gz', 'Packages.gz'],
    ['/c/stable/debian//dists//x', 'dists/x'],
    ['/c/stable/debian/%2e/x', 'x'],
    ['/c/stable/debian/%E2%82%AC', '€'],
    ['/c/stable/debian/...', '...'],
  ])('%s', (target, path) => {
    expect(parseFileTarget(target)).toEqual({
      area: 'c',
      reference: 'stable',
      mirror: 'debian',
      path,
      directory: false,
    });
  });

  test.each([
    ['/s/', '', '', '', true],
    ['/s/12-ab', '12-ab', '', '', false],
    ['/s/12-ab/debian', '12-ab', 'debian', '', false],
    ['/s/12-ab/debian/', '12-ab', 'debian', '', true],
    ['/s/12-ab/debian/dists/', '12-ab', 'debian', 'dists', true],
  ])('%s', (target, reference, mirror, path, directory) => {
    expect(parseFileTarget(target)).toEqual({ area: 's', reference, mirror, path, directory });
  });

  test.each(['/', '/c', '/cc/x', '/x/c/', '/api/mirrors', ''])('%s is not a file', (target) => {
    expect(parseFileTarget(target)).toBeUndefined();
  });

  test.each([
    '/c/a/b/../x',
    '/c/a/..',
    '/c/../../etc/passwd',
    '/c/a/b/%2e%2e/x',
    '/c/a/b/.%2E/x',
    '/c/a/b/x%2Fy',
    '/c/a/b/x%2f..%2fy',
    '/c/a/b/x%00',
    '/c/a/b/x%5Cy',
    '/c/a/b/x\\y',
    '/c/a/b/%0d%0a',
    '/c/a/b/%7f',
    '/c/a/b/%',
    '/c/a/b/%zz',
    '/c/a/b/%ff',
    '/c/a/b/%C0%AF',
    '/c/a/b/%ED%A0%80',
    `/c/a/b/${'x'.repeat(5000)}`,
    `/c/a/b/${'x'.repeat(20_000)}`,
  ])('%s is refused', (target) => {
    expect(() => parseFileTarget(target)).toThrow(KubedosError);
    expect(() => parseFileTarget(target)).toThrow(/parse request path/);
  });

  test('encoding and parsing a path of a manifest gives it back', () => {
    const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }).filter((text) => {
      try {
        return canonicalPath(text, 'x') === text && !text.includes('/');
      } catch {
        return false;
      }
    });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
        const path = segments.join('/');
        expect(parseFileTarget(`/c/x/y/${encodePath(path)}`)?.path).toBe(path);
      }),
    );
  });

  test('any text gives a canonical path or a KubedosError', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('/', '.', '..', '%', '2e', '2F', '00', 'a', '+', '\\'), { maxLength: 12 }),
        (parts) => {
          try {
            const path = parseFileTarget(`/c/x/y/${parts.join('')}`)?.path;
            if (path) expect(canonicalPath(path, 'x')).toBe(path);
          } catch (error) {
            expect(error).toBeInstanceOf(KubedosError);
          }
        },
      ),
    );
  });
});
