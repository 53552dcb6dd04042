import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import { type Compression, compress, compressionOf, decompress } from '../../src/formats/compression.ts';
import { chunked, joined } from './support.ts';

const formats = ['gz', 'zst', 'xz'] as const;
const TOOL = { gz: 'gzip', zst: 'zstd', xz: 'xz' } as const;
const options = { origin: 'Packages', maxBytes: 100_000_000 };

const packed = async (text: string, format: Compression) => joined(compress([Buffer.from(text)], format));
const unpacked = async (chunks: Iterable<Uint8Array>, format: Compression) =>
  (await joined(decompress(chunks, format, options))).toString('latin1');

describe('the ending of a path', () => {
  it.each([
    ['main/binary-amd64/Packages', 'none'],
    ['Packages.gz', 'gz'],
    ['Packages.xz', 'xz'],
    ['Packages.zst', 'zst'],
    ['Packages.bz2', 'bz2'],
    ['a.xz/b', 'none'],
  ])('of %s says %s', (path, compression) => {
    expect(compressionOf(path)).toBe(compression);
  });
});

describe.each(formats)('%s', (format) => {
  const tool = TOOL[format];

  it('gives back what was packed, and the same bytes for the same bytes', async () => {
    const bytes = fc.uint8Array({ maxLength: 3000 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 999 }), async (content, size) => {
        const once = await joined(compress(chunked(content, size), format));
        expect((await joined(decompress(chunked(once, size), format, options))).equals(content)).toBe(true);
        expect((await joined(compress([content], format))).equals(await joined(compress([content], format)))).toBe(
          true,
        );
      }),
      { numRuns: 5 },
    );
  });

  it('is read by the tool, and reads what the tool writes', async () => {
    const content = Buffer.from('Package: a\n'.repeat(100_000));
    const ours = await joined(compress(chunked(content, 65536), format));
    expect(execFileSync(tool, ['-dc'], { input: ours, maxBuffer: 1e8 }).equals(content)).toBe(true);
    const theirs = execFileSync(tool, ['-c'], { input: content, maxBuffer: 1e8 });
    expect((await joined(decompress(chunked(theirs, 1000), format, options))).equals(content)).toBe(true);
  });

  it('reads several parts strung together as one, however they are cut', async () => {
    const parts = [await packed('hello ', format), await packed('', format), await packed('YZ world', format)];
    for (const size of [1, 7, 10_000]) {
      expect(await unpacked(chunked(Buffer.concat(parts), size), format)).toBe('hello YZ world');
    }
    expect(await unpacked(parts, format)).toBe('hello YZ world');
  });

  it('refuses an early end at every byte', async () => {
    const whole = await packed('hello world', format);
    for (let end = 0; end < whole.length; end++)
      await expect(unpacked([whole.subarray(0, end)], format)).rejects.toMatchObject({
        code: 'format.syntax',
        message: expect.stringContaining('decompress Packages: '),
      });
    const second = Buffer.concat([whole, whole.subarray(0, 9)]);
    await expect(unpacked([second], format)).rejects.toMatchObject({ code: 'format.syntax' });
  });

  it('refuses what is of no such format, at the start and behind it', async () => {
    await expect(unpacked([Buffer.from('Package: a\n')], format)).rejects.toMatchObject({ code: 'format.syntax' });
    const behind = [await packed('x', format), Buffer.from('Package: a\n')];
    await expect(unpacked(behind, format)).rejects.toMatchObject({ code: 'format.syntax' });
  });

  it('gives a KubedosError or the content for any flipped byte', async () => {
    const whole = await packed('hello world, hello world', format);
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] as number) ^ 0x41;
      try {
        expect(await unpacked([flipped], format)).toBe('hello world, hello world');
      } catch (error) {
        expect(error).toBeInstanceOf(KubedosError);
      }
    }
  });

  it('stops a bomb at its limit, with little held', async () => {
    const bomb = execFileSync('sh', ['-c', `head -c 32000000 /dev/zero | ${tool} -c`], { maxBuffer: 1e8 });
    let given = 0;
    const run = async () => {
      for await (const chunk of decompress([bomb], format, { origin: 'bomb', maxBytes: 2_000_000 }))
        given += chunk.length;
    };
    await expect(run()).rejects.toMatchObject({ code: 'format.limit', message: expect.stringContaining('bomb') });
    expect(given).toBeLessThanOrEqual(2_000_000);
  });

  it('passes on what the source throws, and closes the source when left early', async () => {
    const whole = await packed('hello world', format);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield whole.subarray(0, 8);
      throw new KubedosError('net.stalled', 'too slow');
    }
    await expect(joined(decompress(failing(), format, options))).rejects.toMatchObject({ code: 'net.stalled' });
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield whole;
      } finally {
        closed = true;
      }
    }
    for await (const _ of decompress(endless(), format, options)) break;
    expect(closed).toBe(true);
  });
});

describe('other forms', () => {
  it('gives uncompressed bytes as they are, up to the limit', async () => {
    expect(await unpacked([Buffer.from('abc')], 'none')).toBe('abc');
    const run = joined(decompress([Buffer.from('abc')], 'none', { origin: 'x', maxBytes: 2 }));
    await expect(run).rejects.toMatchObject({ code: 'format.limit' });
  });

  it('takes exactly as much as the limit', async () => {
    const run = joined(decompress([gzipSync('abc')], 'gz', { origin: 'x', maxBytes: 3 }));
    expect((await run).toString()).toBe('abc');
  });

  it('is not written as bzip2', async () => {
    await expect(packed('x', 'bz2')).rejects.toMatchObject({ code: 'internal.bug' });
  });

  it('refuses an xz stream and a zstd frame that would take gigabytes to decode', async () => {
    const xz = execFileSync('xz', ['-c', '--lzma2=dict=1GiB'], { input: 'x' });
    await expect(unpacked([xz], 'xz')).rejects.toMatchObject({ code: 'format.limit' });
    // Magic, descriptor of a frame with a window and no content size, window of 2^30 bytes, an empty last block.
    const zst = Buffer.from('28b52ffd00a0010000', 'hex');
    await expect(unpacked([zst], 'zst')).rejects.toMatchObject({ code: 'format.limit' });
  });
});
