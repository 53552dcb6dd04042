import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import { decompress } from '../../src/formats/compression.ts';
import { chunked, joined } from './support.ts';

const bzip2 = (bytes: Uint8Array, ...args: string[]): Buffer =>
  execFileSync('bzip2', ['-c', ...args], { input: bytes, maxBuffer: 1 << 28 });
const bunzip2 = (bytes: Uint8Array, size = 64 * 1024, maxBytes = 1 << 28): Promise<Buffer> =>
  joined(decompress(chunked(bytes, size), 'bz2', { origin: 'x.bz2', maxBytes }));

/** A block of `-1` holds 100,000 bytes but 19; `randomBytes` has hardly a run that would change its length. */
const BLOCK_BYTES = 100_000 - 19;
const text = Buffer.from('<package><name>hello</name></package>\n'.repeat(60_000));
const SAMPLES: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['a byte', Buffer.from('x')],
  ['four equal bytes', Buffer.from('aaaa')],
  ['five', Buffer.from('aaaaa')],
  ['runs of all lengths', Buffer.concat(Array.from({ length: 300 }, (_, n) => Buffer.alloc(n, n & 1)))],
  ['a run over blocks', Buffer.alloc(3_000_000, 'r')],
  ['a block less a byte', randomBytes(BLOCK_BYTES - 1)],
  ['a block to the byte', randomBytes(BLOCK_BYTES)],
  ['a block and a byte', randomBytes(BLOCK_BYTES + 1)],
  ['two blocks', randomBytes(2 * BLOCK_BYTES)],
  ['noise', randomBytes(300_000)],
  ['text', text],
  [
    '5 MB of all kinds',
    Buffer.concat([text, randomBytes(1_000_000), Buffer.alloc(1_000_000, 0), text.subarray(0, 1_000_000)]),
  ],
  ['all bytes', Buffer.from(Array.from({ length: 2048 }, (_, n) => n & 255))],
];

describe('bzip2', () => {
  it.each(SAMPLES)('reads %s', async (_, bytes) => {
    for (const level of ['-1', '-9']) expect((await bunzip2(bzip2(bytes, level))).equals(bytes)).toBe(true);
  });

  it('reads several streams, however the bytes come', async () => {
    const whole = Buffer.concat([bzip2(Buffer.from('one ')), bzip2(Buffer.alloc(0)), bzip2(Buffer.from('two'))]);
    for (const size of [1, 2, 7, 1000]) expect((await bunzip2(whole, size)).toString()).toBe('one two');
  });

  it('reads what bzip2 makes of anything', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc
        .array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 600 })))
        .map((runs) => Buffer.concat(runs.map(([byte, count]) => Buffer.alloc(count, byte)))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 500 }), async (content, size) => {
        expect((await bunzip2(bzip2(content), size)).equals(content)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses what is cut off, changed, or no bzip2', async () => {
    const content = Buffer.concat([randomBytes(600), Buffer.alloc(500, 'a')]);
    const good = bzip2(content, '-1');
    const refused = async (bytes: Uint8Array, what: string) => {
      const error = await bunzip2(bytes).catch((reason) => reason);
      expect(error, what).toBeInstanceOf(KubedosError);
      expect(error.code).toBe('format.syntax');
    };
    for (let at = 0; at < good.length; at++) await refused(good.subarray(0, at), `cut at ${at}`);
    const second = Buffer.concat([good, good]);
    for (let at = good.length + 1; at < second.length; at += 17) await refused(second.subarray(0, at), `cut at ${at}`);
    for (let at = 0; at < good.length; at++) {
      const damaged = Buffer.from(good);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      // Of a few bits nothing depends: the size of blocks that suffices, a code that is not used, what fills the last byte up.
      const outcome = await bunzip2(damaged).catch((reason) => reason);
      if (outcome instanceof Buffer) expect(outcome.equals(content), `byte ${at}`).toBe(true);
      else expect(outcome, `byte ${at}`).toMatchObject({ name: 'KubedosError', code: 'format.syntax' });
    }
    await refused(Buffer.concat([good, Buffer.from('more')]), 'more');
    await refused(Buffer.from('\x1f\x8b\x08'), 'gzip');
    await refused(Buffer.alloc(0), 'no stream');
  });

  it('refuses streams and blocks that begin otherwise, and blocks that are larger than they may be', async () => {
    const good = bzip2(Buffer.from('hello'));
    for (const [at, byte, why] of [
      [0, 'C', 'no bzip2'],
      [2, '0', 'no bzip2'],
      [3, '0', 'no bzip2'],
      [3, ':', 'no bzip2'],
      [4, '2', 'no block'],
    ] as const) {
      const other = Buffer.from(good);
      other.write(byte, at);
      await expect(bunzip2(other)).rejects.toMatchObject({ message: expect.stringContaining(why) });
    }
    for (const bytes of [randomBytes(150_000), Buffer.from('ab'.repeat(75_000)), Buffer.from('abcd'.repeat(40_000))]) {
      const large = bzip2(bytes, '-2');
      large.write('1', 3);
      await expect(bunzip2(large)).rejects.toMatchObject({
        code: 'format.syntax',
        message: expect.stringContaining('larger than'),
      });
    }
  });

  it('refuses sums that do not fit', async () => {
    // Magic, size of blocks, magic of the end, sum of the whole: of no blocks it is 0.
    const empty = Buffer.from('425a683917724538509000000000', 'hex');
    expect(bzip2(Buffer.alloc(0)).equals(empty)).toBe(true);
    empty[13] = 1;
    await expect(bunzip2(empty)).rejects.toMatchObject({ message: expect.stringContaining('sum of the whole') });
    const block = bzip2(Buffer.from('hello'));
    block[10] = (block[10] ?? 0) ^ 1;
    await expect(bunzip2(block)).rejects.toMatchObject({ message: expect.stringContaining('sum of a block') });
  });

  it('passes on what the source throws, and closes the source when left early', async () => {
    const whole = bzip2(randomBytes(300_000), '-1');
    let closed = 0;
    async function* source(then: () => void): AsyncGenerator<Uint8Array> {
      try {
        yield whole.subarray(0, 200_000);
        then();
        yield whole.subarray(200_000);
      } finally {
        closed++;
      }
    }
    const options = { origin: 'x.bz2', maxBytes: 1 << 28 };
    const failing = source(() => {
      throw new KubedosError('net.stalled', 'too slow');
    });
    await expect(joined(decompress(failing, 'bz2', options))).rejects.toMatchObject({ code: 'net.stalled' });
    for await (const _ of decompress(
      source(() => {}),
      'bz2',
      options,
    ))
      break;
    const small = decompress(
      source(() => {}),
      'bz2',
      { ...options, maxBytes: 1000 },
    );
    await expect(joined(small)).rejects.toMatchObject({ code: 'format.limit' });
    expect(closed).toBe(3);
  });

  it('stops a bomb', async () => {
    const bomb = bzip2(Buffer.alloc(40_000_000));
    expect(bomb.length).toBeLessThan(1000);
    await expect(bunzip2(bomb, 1000, 1_000_000)).rejects.toMatchObject({ code: 'format.limit' });
  });
});
