import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/server/app.ts';
import type { Snapshot } from '../../src/store/types.ts';
import { ServedStore } from '../support/served-store.ts';

const DEB = 'pool/main/g/g++-12/g++-12_1:12.2.0-14+deb12u1~rc1_amd64.deb';
const TEXT = '0123456789'.repeat(10);
const TIME = '2026-05-31T20:00:00Z';
const DATE = 'Sun, 31 May 2026 20:00:00 GMT';

let served: ServedStore;
let app: App;
let snapshot: Snapshot;
beforeAll(async () => {
  served = await ServedStore.make();
  const many = Object.fromEntries(
    Array.from({ length: 2500 }, (_, i) => [`many/f${String(i).padStart(4, '0')}`, `${i}`]),
  );
  const debian = { [DEB]: TEXT, 'dists/bookworm/InRelease': 'signed', 'doc/a<b>&"c".html': '<p>', empty: '', ...many };
  snapshot = await served.release('stable', { debian }, TIME);
  app = await served.app();
});
afterAll(() => served.close());

const get = async (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  app.hono.request(path, { method, headers });
const url = (path: string): string => `/c/stable/debian/${path}`;

describe('a file', () => {
  test('with its validators', async () => {
    const response = await get(url('dists/bookworm/InRelease'));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('signed');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag:
        '"f19e4b0a9f5b9bf4d0ed7ef44d1cdbd9ba8cb73f8e8eba6b3d5d5dd0aa8b4f25"'.length === 66
          ? expect.stringMatching(/^"[0-9a-f]{64}"$/)
          : '',
      'last-modified': DATE,
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '6',
      'accept-ranges': 'bytes',
      'cache-control': 'public, no-cache',
      'x-content-type-options': 'nosniff',
    });
  });

  test.each([
    ['as it is', DEB],
    ['encoded', DEB.replaceAll('+', '%2B').replaceAll(':', '%3a').replaceAll('~', '%7E')],
    ['through ./', `./${DEB}`],
  ])('%s', async (_, path) => {
    const response = await get(url(path));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(TEXT);
  });

  test('HEAD says the same and sends nothing', async () => {
    const whole = await get(url(DEB));
    const head = await get(url(DEB), {}, 'HEAD');
    expect(await head.text()).toBe('');
    expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(whole.headers));
  });

  test('of no bytes', async () => {
    const response = await get(url('empty'));
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '0', '']);
    expect((await get(url('empty'), { range: 'bytes=0-' })).status).toBe(416);
  });

  test('below a snapshot, for ever', async () => {
    const response = await get(`/s/${snapshot.id}/debian/${DEB}`);
    expect(await response.text()).toBe(TEXT);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  });

  test('of HTML is a stranger on our origin', async () => {
    const response = await get(url('doc/a%3Cb%3E&%22c%22.html'));
    expect(response.headers.get('content-security-policy')).toBe('sandbox');
  });

  test.each([
    url('pool/none.deb'),
    url('dists/bookworm/InRelease/x'),
    '/c/stable/none/x',
    '/c/none/debian/x',
    '/c/12/debian/x',
    '/s/none/debian/x',
    '/s/9/debian/x',
    '/c/stable/debian/none/',
    '/s/999-0123456789abcdef/debian/x',
    '/c/st%20able/x',
    '/c/stable/constructor/x',
  ])('%s is not there', async (path) => expect((await get(path)).status).toBe(404));

  test.each(['x%2Fy', 'x%00', '%2e%2e%2fx', 'x%5Cy', '%ff'])('%s is refused', async (path) => {
    expect((await get(url(path))).status).toBe(400);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s does not work', async (method) => {
    const response = await get(url(DEB), {}, method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('conditions', () => {
  test('the client has it: 304 with validators and without a body', async () => {
    const etag = (await get(url(DEB))).headers.get('etag') ?? '';
    for (const headers of [{ 'if-none-match': etag }, { 'if-modified-since': DATE }]) {
      const response = await get(url(DEB), headers);
      expect([response.status, await response.text()]).toEqual([304, '']);
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.get('last-modified')).toBe(DATE);
    }
  });

  test.each([
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-modified-since': 'Sun, 31 May 2026 20:00:01 GMT' }, 200],
    [{ 'if-modified-since': 'nonsense' }, 200],
    [{ 'if-match': '"x"' }, 412],
  ])('%j gives %d', async (headers, status) => expect((await get(url(DEB), headers)).status).toBe(status));
});

describe('ranges', () => {
  test.each([
    ['bytes=0-9', '0123456789', 'bytes 0-9/100'],
    ['bytes=95-', '56789', 'bytes 95-99/100'],
    ['bytes=-3', '789', 'bytes 97-99/100'],
  ])('%s', async (range, text, position) => {
    const response = await get(url(DEB), { range });
    expect(response.status).toBe(206);
    expect(await response.text()).toBe(text);
    expect(response.headers.get('content-range')).toBe(position);
    expect(response.headers.get('content-length')).toBe(String(text.length));
    expect(response.headers.get('etag')).toMatch(/^"/);
  });

  test('several, as multipart/byteranges', async () => {
    const response = await get(url(DEB), { range: 'bytes=0-1,50-52,-1' });
    expect(response.status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(response.headers.get('content-type') ?? '')?.[1];
    const body = await response.text();
    expect(response.headers.get('content-length')).toBe(String(body.length));
    const part = (range: string, text: string): string =>
      `\r\n--${boundary}\r\nContent-Type: application/vnd.debian.binary-package\r\nContent-Range: bytes ${range}/100\r\n\r\n${text}`;
    expect(body).toBe(`${part('0-1', '01')}${part('50-52', '012')}${part('99-99', '9')}\r\n--${boundary}--\r\n`);
  });

  test('beyond the end', async () => {
    const response = await get(url(DEB), { range: 'bytes=100-' });
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */100']);
  });

  test('If-Range: the same state gives the part, another one the whole', async () => {
    const etag = (await get(url(DEB))).headers.get('etag') ?? '';
    const status = async (validator: string): Promise<number> =>
      (await get(url(DEB), { range: 'bytes=0-1', 'if-range': validator })).status;
    expect(await status(etag)).toBe(206);
    expect(await status(DATE)).toBe(206);
    expect(await status('"x"')).toBe(200);
    expect(await status('Sun, 31 May 2026 20:00:01 GMT')).toBe(200);
  });

  test('HEAD takes no notice of them', async () => {
    expect((await get(url(DEB), { range: 'bytes=0-1' }, 'HEAD')).status).toBe(200);
  });
});

describe('folders', () => {
  test('without a slash lead to the one with it, and keep their encoding', async () => {
    const response = await get(url('pool/main/g/g%2B%2B-12'));
    expect([response.status, response.headers.get('location')]).toEqual([
      301,
      '/c/stable/debian/pool/main/g/g%2B%2B-12/',
    ]);
    for (const path of ['/c', '/s', '/c/stable', `/s/${snapshot.id}`, '/c/stable/debian'])
      expect((await get(path)).headers.get('location')).toBe(`${path}/`);
  });

  test('list names as links, escaped in both ways', async () => {
    const text = await (await get(url('doc/'))).text();
    expect(text).toContain('<a href="./a%3Cb%3E%26%22c%22.html">a&lt;b&gt;&amp;&quot;c&quot;.html</a>');
    expect(text).toContain('3 B');
    const pool = await (await get(url('pool/main/g/g++-12/'))).text();
    expect(pool).toContain('<a href="./g++-12_1:12.2.0-14+deb12u1~rc1_amd64.deb">');
    expect(pool).toContain('<a href="/c/stable/debian/pool/">');
  });

  test('are paged, and the pages hold every name once', async () => {
    let next: string | undefined = '';
    const names: string[] = [];
    let pages = 0;
    while (next !== undefined) {
      const text = await (await get(url(`many/${next}`))).text();
      const shown = [...text.matchAll(/href="\.\/(f\d+)"/g)].map((match) => match[1] ?? '');
      expect(shown.length).toBe(Math.min(1000, 2500 - names.length));
      names.push(...shown);
      next = /href="(\?after=[^"]+)"/.exec(text)?.[1];
      pages++;
    }
    expect(pages).toBe(3);
    expect(names).toEqual(Array.from({ length: 2500 }, (_, i) => `f${String(i).padStart(4, '0')}`));
  });

  test('a file with a slash behind it is no folder', async () => {
    expect((await get(url('dists/bookworm/InRelease/'))).status).toBe(404);
  });

  test('above mirrors', async () => {
    expect(await (await get('/c/')).text()).toContain('<a href="./stable/">stable</a>');
    expect(await (await get('/c/stable/')).text()).toContain('<a href="./debian/">debian</a>');
    expect(await (await get('/s/')).text()).toContain(`<a href="./${snapshot.id}/">`);
  });
});

test('other names of a snapshot lead to its id', async () => {
  await served.store.labels.update((labels) => ({ ...labels, tags: { golden: snapshot.id } }));
  for (const name of ['golden', '1', 'stable']) {
    const response = await get(`/s/${name}/debian/${DEB}`);
    expect([response.status, response.headers.get('location')]).toEqual([302, `/s/${snapshot.id}/debian/${DEB}`]);
  }
});
