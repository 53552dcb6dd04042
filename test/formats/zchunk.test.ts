import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import { compressionOf, decompress } from '../../src/formats/compression.ts';
import { chunked, joined } from './support.ts';

const dir = mkdtempSync(join(tmpdir(), 'kubedos-zck-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function zck(bytes: Uint8Array, ...args: string[]): Buffer {
  const [from, to] = [join(dir, 'in'), join(dir, 'out.zck')];
  writeFileSync(from, bytes);
  execFileSync('zck', [...args, '-o', to, from], { stdio: ['ignore', 'ignore', 'ignore'] });
  return readFileSync(to);
}
const unzck = (bytes: Uint8Array, size = 64 * 1024, maxBytes = 1 << 28): Promise<Buffer> =>
  joined(decompress(chunked(bytes, size), 'zck', { origin: 'x.zck', maxBytes }));

const xml = Buffer.from(
  Array.from({ length: 4000 }, (_, n) => `<package><name>p${n}</name><v>${(n * 7919) % 1009}</v></package>\n`).join(''),
);
const dictionary = join(dir, 'dictionary');
writeFileSync(dictionary, xml.subarray(0, 4096));

describe('zchunk', () => {
  it.each<[string, Uint8Array, string[]]>([
    ['text', xml, []],
    ['text with a dictionary', xml, ['--dict', dictionary]],
    ['chunks that are cut by hand', xml, ['--split', '<package>', '--manual']],
    ['sums of SHA-256', xml, ['--chunk-hash-type', 'sha256']],
    ['an uncompressed source', xml, ['--uncompressed', '--chunk-hash-type', 'sha512']],
    ['uncompressed chunks', xml, ['--compression-format', 'none']],
    ['noise', randomBytes(200_000), []],
    ['a byte', Buffer.from('x'), []],
  ])('reads %s', async (_, bytes, args) => {
    const packed = zck(bytes, ...args);
    for (const size of [1000, 1 << 20]) expect((await unzck(packed, size)).equals(Buffer.from(bytes))).toBe(true);
  });

  it('is what the ending .zck says', () => {
    expect(compressionOf('repodata/primary.xml.zck')).toBe('zck');
  });

  it('refuses what is cut off, changed, or has more behind it', async () => {
    const good = zck(xml.subarray(0, 3000));
    const refused = async (bytes: Uint8Array, what: string) => {
      const error = await unzck(bytes).catch((reason) => reason);
      expect(error, what).toBeInstanceOf(KubedosError);
      expect(error.code).toMatch(/^format\./);
    };
    for (let at = 0; at < good.length; at += 5) await refused(good.subarray(0, at), `cut at ${at}`);
    for (let at = 0; at < good.length; at++) {
      const damaged = Buffer.from(good);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      await refused(damaged, `byte ${at}`);
    }
    await refused(Buffer.concat([good, Buffer.from('x')]), 'more');
    await refused(Buffer.concat([Buffer.from('\0ZHR1'), good.subarray(5)]), 'a header alone');
  });

  it('refuses sizes that are not to be held, before they are', async () => {
    const huge = Buffer.from([0, 0x5a, 0x43, 0x4b, 0x31, 0x81, 0, 0, 0, 0, 0x90]);
    await expect(unzck(huge)).rejects.toMatchObject({ code: 'format.limit' });
    const endless = Buffer.concat([huge.subarray(0, 6), Buffer.alloc(64)]);
    await expect(unzck(endless)).rejects.toMatchObject({ code: 'format.syntax' });
  });

  it('stops a bomb', async () => {
    const bomb = zck(Buffer.alloc(30_000_000));
    await expect(unzck(bomb, 1000, 1_000_000)).rejects.toMatchObject({ code: 'format.limit' });
  });
});
