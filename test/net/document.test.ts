import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fetcher, folder, LARGE, SMALL, upstream, wanted } from './fetching.ts';

const DOCUMENT = Buffer.from('Origin: Example\n');
const maxBytes = 1000;

describe('a document', () => {
  test('comes with what lets upstream say "unchanged", and that is heard', async () => {
    const server = await upstream({ '/Release': DOCUMENT });
    const first = await fetcher().document([server.url], 'Release', { maxBytes });
    expect(first).toMatchObject({ status: 'ok', upstream: `${server.url}/` });
    if (first.status !== 'ok') return;
    expect(first.bytes.equals(DOCUMENT)).toBe(true);
    const { validators } = first;
    expect(await fetcher().document([server.url], 'Release', { maxBytes, validators })).toEqual({
      status: 'unchanged',
    });
    expect(server.seen[1]?.headers).toMatchObject({
      'if-none-match': validators.etag,
      'if-modified-since': validators.lastModified,
    });
  });

  test('is missing only where every upstream says so', async () => {
    const [first, second] = [await upstream(), await upstream({ '/Release': DOCUMENT })];
    expect(await fetcher().document([first.url], 'Release', { maxBytes })).toEqual({ status: 'missing' });
    expect(await fetcher().document([first.url, second.url], 'Release', { maxBytes })).toMatchObject({ status: 'ok' });
    first.always('/Release', { kind: 'status', status: 500 });
    await expect(
      fetcher().document([first.url, (await upstream()).url], 'Release', { maxBytes }),
    ).rejects.toMatchObject({ code: 'net.status' });
  });

  test.each([{ kind: 'announce', sizeBytes: 1001 } as const, { kind: 'endless' } as const])(
    'that is too large is refused: $kind',
    async (behaviour) => {
      const server = await upstream({ '/Release': DOCUMENT });
      server.always('/Release', behaviour);
      await expect(fetcher().document([server.url], 'Release', { maxBytes })).rejects.toMatchObject({
        code: 'net.size',
      });
      expect(server.seen).toHaveLength(1);
    },
  );

  test('that breaks off comes by the next try, whole', async () => {
    const server = await upstream({ '/Release': DOCUMENT });
    server.script('/Release', { kind: 'reset', after: 5 });
    expect(await fetcher().document([server.url], 'Release', { maxBytes })).toMatchObject({ bytes: DOCUMENT });
  });

  test('answered 304 without having been asked for that is an error', async () => {
    const server = await upstream();
    server.always('/Release', { kind: 'status', status: 304 });
    await expect(fetcher().document([server.url], 'Release', { maxBytes })).rejects.toMatchObject({
      code: 'net.status',
    });
  });
});

describe('a folder as upstream', () => {
  async function archive() {
    const dir = join(await folder(), 'my archive');
    await mkdir(join(dir, 'pool'), { recursive: true });
    await writeFile(join(dir, 'Release'), DOCUMENT);
    await writeFile(join(dir, 'pool/g++ 1.deb'), LARGE);
    return { dir, url: pathToFileURL(dir).href };
  }

  test('gives documents, and says "unchanged" until they change, however little', async () => {
    const { dir, url } = await archive();
    const first = await fetcher().document([url], 'Release', { maxBytes });
    expect(first).toMatchObject({ status: 'ok', bytes: DOCUMENT });
    if (first.status !== 'ok') return;
    const { validators } = first;
    expect(await fetcher().document([url], 'Release', { maxBytes, validators })).toEqual({ status: 'unchanged' });
    await utimes(join(dir, 'Release'), 1, 1);
    expect(await fetcher().document([url], 'Release', { maxBytes, validators })).toMatchObject({ status: 'ok' });
    expect(await fetcher().document([url], 'nothing/here', { maxBytes })).toEqual({ status: 'missing' });
    expect(await fetcher().document([url], 'pool', { maxBytes })).toEqual({ status: 'missing' });
    await expect(fetcher().document([url], 'Release', { maxBytes: 3 })).rejects.toMatchObject({ code: 'net.size' });
  });

  test('gives files, from where they broke off, and is refused where they are others', async () => {
    const { dir, url } = await archive();
    const partial = join(await folder(), 'partial');
    await writeFile(partial, LARGE.subarray(0, 600_000));
    const file = wanted('pool/g++ 1.deb', LARGE);
    await fetcher().file([url], file, { partial });
    await writeFile(join(dir, 'pool/g++ 1.deb'), Buffer.alloc(LARGE.length, 'x'));
    await expect(fetcher().file([url], file, { partial: join(await folder(), 'partial') })).rejects.toMatchObject({
      code: 'net.hash-mismatch',
    });
    await writeFile(join(dir, 'pool/g++ 1.deb'), SMALL);
    await expect(fetcher().file([url], file, { partial: join(await folder(), 'partial') })).rejects.toMatchObject({
      code: 'net.size',
    });
    await expect(
      fetcher().file([url], wanted('pool/none', SMALL), { partial: join(await folder(), 'partial') }),
    ).rejects.toMatchObject({ code: 'net.not-found' });
  });
});
