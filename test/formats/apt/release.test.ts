import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Checksums } from '../../../src/formats/apt/digest.ts';
import { parseRelease, type Release, writeRelease } from '../../../src/formats/apt/release.ts';
import { golden } from '../golden.ts';
import { thrown } from '../support.ts';

const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';
const SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const OTHER = 'f'.repeat(64);

describe('a Release', () => {
  it('of Debian is read, and comes out to the byte', () => {
    const text = golden('Release-security');
    const release = parseRelease(text, 'Release');
    expect(release).toMatchObject({
      origin: 'Debian',
      codename: 'bookworm-security',
      components: ['updates/main', 'updates/contrib', 'updates/non-free-firmware', 'updates/non-free'],
      architectures: ['amd64', 'arm64', 'armhf', 'i386', 'ppc64el'],
      acquireByHash: true,
      noSupportForArchitectureAll: false,
      notAutomatic: false,
    });
    expect(release.validUntil?.getTime()).toBe((release.date?.getTime() ?? 0) + 7 * 86_400_000);
    // Size 0 is legal, MD5Sum is absent, what is listed need not be there.
    expect(release.files.get('contrib/Contents-amd64')).toEqual({ sizeBytes: 0, sha256: SHA256 });
    expect(release.files.size).toBe(292);
    expect(writeRelease(release)).toBe(text.toString());
  });

  it('may be that of a flat repository, in lists that third parties write', () => {
    const text = `Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMD5Sum:\r\n ${MD5}\t0 ./Packages\r\nSHA256:\n\t${OTHER.toUpperCase()}  12   with blank\n ${SHA256} 0 Packages\nX-Own: kept\n`;
    const release = parseRelease(text, 'Release');
    expect(release.components).toEqual([]);
    expect([...release.files]).toEqual([
      ['Packages', { sizeBytes: 0, md5: MD5, sha256: SHA256 }],
      ['with blank', { sizeBytes: 12, sha256: OTHER }],
    ]);
    expect(release.other).toEqual([{ name: 'X-Own', value: 'kept' }]);
    expect(release.date?.toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  it('has no dates where they are absent or blank', () => {
    const release = parseRelease('Suite: stable/rolling\nDate:\nSHA256:\n', 'Release');
    expect(release.date).toBeUndefined();
    expect(release.suite).toBe('stable/rolling');
    expect(release.files.size).toBe(0);
  });

  it('knows that arch:all is in every index', () => {
    expect(parseRelease('No-Support-for-Architecture-all: Packages\n', 'r').noSupportForArchitectureAll).toBe(true);
  });

  it.each([
    ['a date of words', 'Suite: x\nDate: soon\n', 'format.syntax', 'Release:2: '],
    ['a hash that is none', `SHA256:\n ${MD5} 0 Packages\n`, 'format.syntax', 'Release:2: '],
    ['a size that is none', `A: b\nSHA256:\n ${SHA256} 0 a\n ${SHA256} -1 Packages\n`, 'format.syntax', 'Release:4: '],
    ['no path', `SHA256:\n ${SHA256} 0 \n`, 'format.syntax', 'Release:2: '],
    [
      'two sizes',
      `MD5Sum:\n ${MD5} 0 P\nSHA256:\n ${SHA256} 1 P\n`,
      'format.syntax',
      'Release:4: "P" is listed with 0 bytes',
    ],
    ['two hashes', `SHA256:\n ${SHA256} 1 P\n ${OTHER} 1 P\n`, 'format.syntax', 'Release:3: '],
    ['an escape', `SHA256:\n ${SHA256} 1 main/../../P\n`, 'format.path', 'Release:2: '],
    ['an absolute path', `SHA256:\n ${SHA256} 1 /etc/P\n`, 'format.path', 'Release:2: '],
    ['NUL', `SHA256:\n ${SHA256} 1 a\u0000b\n`, 'format.path', 'Release:2: '],
    ['two stanzas', 'Suite: x\n\nSuite: y\n', 'format.syntax', 'Release:3: '],
    ['armour', '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSuite: x\n', 'format.syntax', 'clearsigned'],
    ['nothing', '', 'format.syntax', 'Release:1: '],
  ])('is refused with %s', (_, text, code, message) => {
    const error = thrown(() => parseRelease(text, 'Release'));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('is refused with a field of 10 MB', () => {
    const text = Buffer.concat([Buffer.from('Suite: '), Buffer.alloc(10_000_000, 'x')]);
    expect(thrown(() => parseRelease(text, 'Release')).code).toBe('format.limit');
  });

  it('is read back as it was written', () => {
    const word = fc
      .array(fc.constantFrom(...'abz09/-._'), { minLength: 1, maxLength: 9 })
      .map((all) => `a${all.join('')}`);
    const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
    const date = maybe(fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000)));
    const name = word.map((text) => text.replaceAll('/', ''));
    // Every file has the same kinds of checksums, as in all real ones: else the order of the lists is not one order.
    const files = fc
      .tuple(fc.subarray(['md5', 'sha1', 'sha512']), fc.array(fc.tuple(name, fc.nat()), { maxLength: 5 }))
      .map(([kinds, named]) => new Map(named.map(([path, sizeBytes]) => [path, sumsOf(sizeBytes, kinds)])));
    const release: fc.Arbitrary<Release> = fc.record({
      ...{ origin: maybe(word), label: maybe(word), suite: maybe(word), version: maybe(word), codename: word },
      ...{ date, validUntil: date, notAutomatic: fc.boolean(), butAutomaticUpgrades: fc.boolean() },
      ...{ acquireByHash: fc.boolean(), noSupportForArchitectureAll: fc.boolean() },
      ...{ architectures: fc.array(word, { maxLength: 3 }), components: fc.array(word, { maxLength: 3 }) },
      ...{ description: maybe(word), signedBy: maybe(word), files },
      other: fc.constantFrom([], [{ name: 'X-Own', value: 'kept\n as it is' }]),
    });
    fc.assert(
      fc.property(release, (one) => {
        const text = writeRelease(one);
        const { order, ...back } = parseRelease(text, 'Release');
        expect({ ...back, files: [...back.files] }).toEqual({ ...one, files: [...one.files] });
        expect(writeRelease({ ...back, order })).toBe(text);
      }),
    );
  });
});

function sumsOf(sizeBytes: number, kinds: readonly string[]): Checksums {
  const hex = (digits: number) => String(sizeBytes % 10).repeat(digits);
  return {
    sizeBytes,
    ...(kinds.includes('md5') && { md5: hex(32) }),
    ...(kinds.includes('sha1') && { sha1: hex(40) }),
    sha256: hex(64),
    ...(kinds.includes('sha512') && { sha512: hex(128) }),
  };
}
