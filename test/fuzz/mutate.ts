/** Real files in which something was changed: bits, ends, numbers in headers, pieces of others, pieces a thousand times. */
import type { Random } from './random.ts';

export const MAX_INPUT_BYTES = 64 * 1024;

/** What formats trip over, whatever they are. */
const TOKENS = [
  ...[
    '',
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    '\0',
    ':',
    '-',
    '- ',
    '#',
    '/',
    '//',
    '../',
    '\\',
    '|',
    ',',
    '(',
    '<',
    '>',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    '=',
    '"',
    "'",
    '&',
    '%',
    '%2F',
    '%00',
    '\u001b[2J',
    '\ufeff',
    '\u00a0',
    '\u2028',
    '\u0001',
    'é',
  ],
  ...[
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    'NaN',
    'null',
    '-1',
    '0',
    '1e9',
    '99999999999999999999',
  ],
  ...['-----BEGIN PGP SIGNED MESSAGE-----\n', '-----BEGIN PGP SIGNATURE-----\n', '---\n', '...\n', '\ud83d\ude00'],
];
const TEXT_NUMBERS = ['0', '-1', '007', '2147483648', '4294967296', '9007199254740992', '1e400', '0x10', ''];
const INTEGERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

type Change = (bytes: Buffer, random: Random, of: Material) => Buffer;

export interface Material {
  readonly samples: readonly Buffer[];
  /** Words of the format. */
  readonly tokens: readonly string[];
}

const spliced = (bytes: Buffer, at: number, removed: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + removed)]);

const range = (bytes: Buffer, random: Random): readonly [number, number] => {
  const at = random.below(bytes.length + 1);
  return [at, Math.min(bytes.length, at + random.below(random.pick([4, 64, 1024, bytes.length + 1])))];
};

const token = (random: Random, { tokens }: Material): Buffer =>
  Buffer.from(random.pick(random.below(2) === 0 && tokens.length > 0 ? tokens : TOKENS));

const CHANGES: readonly Change[] = [
  function flipBit(bytes, random) {
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    if (copy.length > 0) copy[at] = (copy[at] as number) ^ (1 << random.below(8));
    return copy;
  },
  function setByte(bytes, random) {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  function cutOff(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function remove(bytes, random) {
    const [from, to] = range(bytes, random);
    return spliced(bytes, from, to - from, Buffer.alloc(0));
  },
  function repeat(bytes, random) {
    const [from, to] = range(bytes, random);
    return spliced(bytes, to, 0, times(bytes.subarray(from, to), random));
  },
  function putToken(bytes, random, of) {
    return spliced(bytes, random.below(bytes.length + 1), random.below(20), token(random, of));
  },
  function putManyTokens(bytes, random, of) {
    const piece = Buffer.concat([token(random, of), ...(random.below(2) === 0 ? [token(random, of)] : [])]);
    return spliced(bytes, random.below(bytes.length + 1), random.below(20), times(piece, random));
  },
  function takeFromOther(bytes, random, { samples }) {
    const other = random.pick(samples);
    const [from, to] = range(other, random);
    return spliced(bytes, random.below(bytes.length + 1), random.below(64), other.subarray(from, to));
  },
  function putInteger(bytes, random) {
    const width = random.pick([1, 2, 4, 8]);
    if (bytes.length < width) return bytes;
    const copy = Buffer.from(bytes);
    const value = (random.pick(INTEGERS) + random.pick([0, 0, 1, -1])) >>> 0;
    const at = random.below(2) === 0 ? random.below(copy.length - width) : 4 * random.below((copy.length - width) / 4);
    const field = Buffer.alloc(12);
    if (random.below(3) > 0) field.writeUInt32BE(value, 4);
    else field.writeUInt32LE(value, 8 - width);
    field.copy(copy, at, 8 - width, 8);
    return copy;
  },
  function putNumber(bytes, random) {
    const digits = [...bytes.toString('latin1').matchAll(/\d+/g)];
    if (digits.length === 0) return bytes;
    const found = random.pick(digits);
    return spliced(bytes, found.index, found[0].length, Buffer.from(random.pick(TEXT_NUMBERS)));
  },
];

/** So often that the whole stays within bounds; long ones show what is worse than linear. */
function times(piece: Buffer, random: Random): Buffer {
  const most = Math.floor(MAX_INPUT_BYTES / Math.max(1, piece.length));
  const count = Math.min(most, random.pick([1, 2, 40, 1000, most]));
  return Buffer.concat(Array.from({ length: piece.length === 0 ? 0 : count }, () => piece));
}

export function mutated(random: Random, of: Material): Buffer {
  let bytes = random.pick(of.samples);
  for (let left = random.pick([1, 1, 2, 3, 8]); left > 0; left--)
    bytes = random.pick(CHANGES)(bytes, random, of).subarray(0, MAX_INPUT_BYTES);
  return bytes;
}
