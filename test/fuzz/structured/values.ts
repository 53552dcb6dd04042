/** What stands in files of rpm repositories. */
import fc, { type Arbitrary } from 'fast-check';
import { CHECKSUM_ALGORITHMS } from '../../../src/formats/rpm/repomd.ts';
import { anyText } from './xml.ts';

export const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'ab', 'bash', 'core', 'lib-x', 'java-1.8.0-openjdk', 'kernel') },
  anyText.map((text) => `n${text.trim()}`),
);
export const version = fc.constantFrom('1', '2.10', '1.0~rc1', '1^20240101', '0', '1.0_2');
export const epoch = fc.constantFrom('0', '1', '', '4294967295');
export const arch = fc.constantFrom('x86_64', 'noarch', 'src', 'aarch64');
export const count = fc.oneof(fc.nat().map(String), fc.constantFrom('0', '', '-1', '1.5', '9007199254740993', 'x'));
export const flag = fc.constantFrom('true', 'false', 'maybe', 'TRUE', '1', '0', '', ' true ');
export const date = fc
  .oneof(
    fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }).map((each) => {
      const iso = each.toISOString().slice(0, 19);
      return [iso, iso.replace('T', ' '), iso.slice(0, 16).replace('T', ' '), iso.slice(0, 10), `${+each}`];
    }),
  )
  .chain((forms) => fc.constantFrom(...forms, 'soon', '2024-02-30', ''));

export const hex = (digits: number): Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: digits, maxLength: digits });
const DIGITS = { sha256: 64, sha512: 128, sha384: 96, sha224: 56, sha1: 40, md5: 32 } as const;
/** Algorithm and digits. */
export const checksum = fc
  .constantFrom(...CHECKSUM_ALGORITHMS)
  .chain((algorithm) => fc.tuple(fc.constant(algorithm), hex(DIGITS[algorithm])));

const part = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('a', 'Packages', 'repodata', 'x.rpm', 'os', 'a+b', 'a b', 'é', 'a%2Bb', '%'),
  },
  fc.constantFrom('.', '..', '', '%2F', 'a%25b'),
);
export const path = fc
  .tuple(fc.array(part, { maxLength: 3 }), fc.constantFrom('f', 'repomd.xml', 'vmlinuz', 'é%.rpm'))
  .map(([parts, last]) => [...parts, last].join('/'));
