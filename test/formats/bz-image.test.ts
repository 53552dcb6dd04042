import { expect, test } from 'vitest';
import { unpackKernel } from '../../src/formats/bz-image.ts';
import { type Compression, compress } from '../../src/formats/compression.ts';

const KERNEL = Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(9000, 'kernel')]);

async function packed(kernel: Buffer, compression: Compression): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of compress([kernel], compression)) chunks.push(chunk);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(kernel.length);
  // gzip has it of its own accord.
  return Buffer.concat(compression === 'gz' ? chunks : [...chunks, size]);
}

/** With two sectors of setup behind the first, and other code before the payload. */
function image(payload: Buffer, { version = 0x20f, length = payload.length } = {}): Buffer {
  const header = Buffer.alloc(3 * 512);
  header.writeUInt8(2, 0x1f1);
  header.write('HdrS', 0x202, 'latin1');
  header.writeUInt16LE(version, 0x206);
  header.writeUInt32LE(700, 0x248);
  header.writeUInt32LE(length, 0x24c);
  return Buffer.concat([header, Buffer.alloc(700, 0xcc), payload, Buffer.alloc(100)]);
}

test.each(['gz', 'xz', 'zst'] as const)('the kernel is unpacked from %s', async (compression) => {
  expect(await unpackKernel(image(await packed(KERNEL, compression)), 'vmlinuz')).toEqual(KERNEL);
});

test.each([
  ['another file', async () => Buffer.from('#!/bin/sh\n'), /vmlinuz: it is no bzImage/],
  ['an old one', async () => image(await packed(KERNEL, 'xz'), { version: 0x207 }), /older than 2\.08/],
  ['a cut one', async () => image(await packed(KERNEL, 'xz'), { length: 9000 }), /it is cut off/],
  ['an unknown compression', async () => image(Buffer.from('02214c18aabbccdd', 'hex')), /begins with 02214c18aabb/],
  [
    'a wrong size',
    async () => {
      const payload = await packed(KERNEL, 'xz');
      payload.writeUInt32LE(77, payload.length - 4);
      return image(payload);
    },
    /has 9004 bytes, expected 77/,
  ],
  ['no kernel in it', async () => image(await packed(Buffer.alloc(5000), 'xz')), /is no ELF file/],
])('%s is refused', async (_, make, words) => {
  await expect(unpackKernel(await make(), 'vmlinuz')).rejects.toMatchObject({
    code: 'format.syntax',
    message: expect.stringMatching(words),
  });
});
