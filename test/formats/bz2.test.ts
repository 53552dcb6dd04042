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

const text = Buffer.from('<package><name>hello</name></package>\n'.repeat(60_000));
const SAMPLES: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['a byte', Buffer.from('x')],
  ['four equal bytes', Buffer.from('aaaa')],
  ['five', Buffer.from('aaaaa')],
  ['runs of all lengths', Buffer.concat(Array.from({ length: 300 }, (_, n) => Buffer.alloc(n, n & 1)))],
  ['a run over blocks', Buffer.alloc(3_000_000, 'r')],
  ['a block to the byte', randomBytes(100_000 - 19)],
  ['noise', randomBytes(300_000)],
  ['text', text],
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
    const good = bzip2(Buffer.concat([randomBytes(2000), Buffer.alloc(500, 'a')]));
    const refused = async (bytes: Uint8Array) => {
      const error = await bunzip2(bytes).catch((reason) => reason);
      expect(error).toBeInstanceOf(KubedosError);
      expect(error.code).toBe('format.syntax');
    };
    for (let at = 0; at < good.length; at += 7) await refused(good.subarray(0, at));
    for (let at = 0; at < good.length; at++) {
      const damaged = Buffer.from(good);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      // The size of blocks may be given as another that suffices, and what fills the last byte up is read by nobody.
      if (at !== 3 && at < good.length - 1) await refused(damaged);
    }
    await refused(Buffer.concat([good, Buffer.from('more')]));
    await refused(Buffer.from('\x1f\x8b\x08'));
  });

  it('stops a bomb', async () => {
    const bomb = bzip2(Buffer.alloc(40_000_000));
    expect(bomb.length).toBeLessThan(1000);
    await expect(bunzip2(bomb, 1000, 1_000_000)).rejects.toMatchObject({ code: 'format.limit' });
  });
});
