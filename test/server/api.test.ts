import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import type { App } from '../../src/server/app.ts';
import type { Snapshot } from '../../src/store/types.ts';
import { ServedStore } from '../support/served-store.ts';

let served: ServedStore;
let app: App;
let first: Snapshot;
let second: Snapshot;

beforeAll(async () => {
  served = await ServedStore.make();
  await served.mirror('later', { x: 'not in a channel' });
  await served.store.heads.remove('later');
  first = await served.release('stable', { debian: { a: '12', b: '345' } }, '2026-05-01T00:00:00Z');
  second = await served.release('stable', { debian: { a: '12' }, own: { 'p/c': '6' } }, '2026-05-02T00:00:00Z');
  await served.mirror('later', { x: 'not in a channel' });
  await served.store.labels.update((labels) => ({ ...labels, tags: { golden: first.id }, protected: [first.id] }));
  app = await served.app({
    search: (text, options) => [{ name: text, ...options }],
    clientConfig: async ({ mirror, url }) => {
      if (mirror.name === 'own') throw new KubedosError('trust.no-key', 'configure clients of own: no key');
      return { fileName: `${mirror.name}.sources`, path: `/etc/${mirror.name}.sources`, text: `URIs: ${url}\n` };
    },
    publicKey: async () => 'armoured',
  });
});
afterAll(() => served.close());

const json = async (path: string): Promise<unknown> => (await app.hono.request(path)).json();

describe('reading', () => {
  test('mirrors: heads with the channels that serve them', async () => {
    expect(await json('/api/mirrors')).toMatchObject([
      { name: 'debian', kind: 'apt', form: 'verbatim', files: 1, bytes: 2, channels: ['stable'] },
      { name: 'later', channels: [] },
      { name: 'own', channels: ['stable'] },
    ]);
    expect(await json('/api/mirrors/own')).toMatchObject({ name: 'own', files: 1 });
    expect((await app.hono.request('/api/mirrors/none')).status).toBe(404);
  });

  test('mirrors that came in a bundle have no head and are shown', async () => {
    const head = await served.store.heads.read('own');
    await served.store.heads.remove('own');
    expect(await json('/api/mirrors/own')).toMatchObject({
      name: 'own',
      channels: ['stable'],
      time: '2026-05-02T00:00:00Z',
    });
    if (head) await served.store.heads.write(head, undefined);
  });

  test('snapshots, newest first, with what hangs on them', async () => {
    expect(await json('/api/snapshots')).toMatchObject({
      total: 2,
      snapshots: [
        { id: second.id, channels: ['stable'], files: 2, bytes: 3, protected: false },
        { id: first.id, channels: [], tags: ['golden'], protected: true },
      ],
    });
    expect(await json('/api/snapshots?limit=1')).toMatchObject({ total: 2, snapshots: [{ id: second.id }] });
    expect(await json('/api/snapshots/golden')).toMatchObject({ id: first.id });
    const document = await app.hono.request(`/api/snapshots/${first.id}/document`);
    expect(Buffer.from(await document.arrayBuffer()).equals(first.bytes)).toBe(true);
    const signature = await app.hono.request(`/api/snapshots/${first.id}/signature`);
    expect(await signature.text()).toBe(first.signature);
  });

  test('channels', async () => {
    const [channel] = (await json('/api/channels')) as object[];
    expect(channel).toMatchObject({
      name: 'stable',
      snapshot: second.id,
      version: 2,
      history: [{ snapshot: first.id }],
    });
    expect(await json('/api/channels/stable')).toEqual(channel);
  });

  test('search and client configuration', async () => {
    expect(await json('/api/search?q=hello&mirror=own&limit=7')).toEqual([{ name: 'hello', mirror: 'own', limit: 7 }]);
    const lines = await app.hono.request('http://mirror.example.org:8080/api/client-config/stable/debian');
    expect(await lines.text()).toBe('URIs: http://mirror.example.org:8080/c/stable/debian/\n');
    expect(await (await app.hono.request('/key.asc')).text()).toBe('armoured');
  });

  test('the address that its operator gave is used in links', async () => {
    const public_ = await served.app({
      options: { publicUrl: 'https://mirror.example.org/' },
      clientConfig: async ({ url }) => ({ fileName: 'x', path: '/x', text: url }),
    });
    const lines = await public_.hono.request('/api/client-config/stable/debian');
    expect(await lines.text()).toBe('https://mirror.example.org/c/stable/debian/');
  });

  test('lines are made once for a state of the channel and of the keys', async () => {
    let made = 0;
    let keys = 'old';
    const app = await served.app({
      keyStamp: () => keys,
      clientConfig: async () => ({ fileName: 'x', path: '/x', text: `${keys} ${++made}` }),
    });
    const lines = async () => (await app.hono.request('/api/client-config/stable/debian')).text();
    expect([await lines(), await lines()]).toEqual(['old 1', 'old 1']);
    keys = 'new';
    expect([await lines(), await lines()]).toEqual(['new 2', 'new 2']);
  });

  test.each([
    ['/api/none', 404, 'store.not-found'],
    ['/api/channels/none', 404, 'store.not-found'],
    ['/api/channels/..%2fstore', 404, 'store.not-found'],
    ['/api/snapshots/none', 404, 'store.not-found'],
    ['/api/snapshots?limit=-1', 400, 'server.request'],
    ['/api/search', 400, 'server.request'],
    [`/api/search?q=${'x'.repeat(501)}`, 400, 'server.request'],
    ['/api/client-config/stable/none', 404, 'store.not-found'],
    ['/api/client-config/stable/own', 403, 'trust.no-key'],
  ])('%s: %d', async (path, status, code) => {
    const response = await app.hono.request(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, message: expect.any(String) } });
  });
});

describe('the start page', () => {
  test('shows mirrors with their lines, channels and snapshots, also where the lines of one cannot be made', async () => {
    const response = await app.hono.request('http://mirror.example.org/');
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toContain('<html lang="en">');
    expect(text).toContain(
      'curl -fsS http://mirror.example.org/api/client-config/stable/debian -o /etc/debian.sources',
    );
    expect(text).toContain('URIs: http://mirror.example.org/c/stable/debian/');
    expect(text).toContain('<a href="/c/stable/own/">own</a>');
    expect(text).toContain('Not in a channel yet');
    expect(text).toContain(`<a href="/s/${second.id}/">`);
    expect(text).toContain('golden');
    expect(served.log.some(({ message }) => message.includes('configure clients of own'))).toBe(true);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).not.toMatch(/<script|style=|javascript:/i);
  });

  test('of an empty store says what to do', async () => {
    const empty = await ServedStore.make();
    const text = await (await (await empty.app()).hono.request('/')).text();
    expect(text).toContain('No mirror yet.');
    expect(text).toContain('kubedos snapshot create');
    await empty.close();
  });

  test('other addresses are a page with 404', async () => {
    const response = await app.hono.request('/nothing');
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=UTF-8']);
  });

  test('its style comes from memory, with a tag', async () => {
    const style = await app.hono.request('/web/style.css');
    expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
    const etag = style.headers.get('etag') ?? '';
    expect((await app.hono.request('/web/style.css', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await app.hono.request('/web/none.css')).status).toBe(404);
  });
});
