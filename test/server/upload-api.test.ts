import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import type { App } from '../../src/server/app.ts';
import type { LocalRepos } from '../../src/server/deps.ts';
import { ServedStore } from '../support/served-store.ts';

const SECRET = 'kubedos_geheim';

let served: ServedStore;
let app: App;
const changes: unknown[] = [];

const repos: LocalRepos = {
  async add({ body, signal: _, ...request }) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    changes.push({ ...request, text });
    if (text === 'busy') throw new KubedosError('store.locked', 'write to the store: sync', { retryable: true });
    if (text === 'other') {
      throw new KubedosError('repo.conflict', 'add hello 1.0 amd64: aaaa is there, bbbb came', { hint: 'say force' });
    }
    return { added: ['hello'] };
  },
  async remove({ signal: _, ...request }) {
    changes.push(request);
    return { removed: ['hello'] };
  },
};

beforeAll(async () => {
  served = await ServedStore.make();
  app = await served.app({
    repos,
    verifyToken: (token) => (token === SECRET ? { name: 'ci', repos: ['own'] } : undefined),
  });
});
afterAll(() => served.close());

describe('changing a repository', () => {
  const upload = (path: string, headers: Record<string, string>, body = 'deb'): Promise<Response> =>
    Promise.resolve(app.hono.request(path, { method: 'POST', headers, body }));
  const bearer = { authorization: `Bearer ${SECRET}` };

  test('adds what is sent', async () => {
    const response = await upload('/api/repos/own/packages?component=extra&force=true', bearer);
    expect([response.status, await response.json()]).toEqual([201, { added: ['hello'] }]);
    const by = { name: 'ci', repos: ['own'] };
    expect(changes.pop()).toEqual({ repo: 'own', component: 'extra', force: true, by, text: 'deb' });
  });

  test('removes by name', async () => {
    const path = '/api/repos/own/packages/lib%2B%2B?version=1%3A2%2B3';
    const response = await app.hono.request(path, { method: 'DELETE', headers: bearer });
    expect([response.status, await response.json()]).toEqual([200, { removed: ['hello'] }]);
    expect(changes.pop()).toMatchObject({ repo: 'own', name: 'lib++', version: '1:2+3' });
  });

  test('says why not', async () => {
    const response = await upload('/api/repos/own/packages', bearer, 'other');
    expect(response.status).toBe(409);
    expect(await response.json()).toEqual({
      error: { code: 'repo.conflict', message: 'add hello 1.0 amd64: aaaa is there, bbbb came', hint: 'say force' },
    });
    changes.pop();
  });

  test('says when to come back where another process writes', async () => {
    const response = await upload('/api/repos/own/packages', bearer, 'busy');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
    changes.pop();
  });

  test.each([
    ['no token', {}],
    ['another', { authorization: 'Bearer other' }],
    ['not as a bearer', { authorization: `Basic ${SECRET}` }],
    ['an endless one', { authorization: `Bearer ${'x'.repeat(5000)}` }],
  ])('with %s: 401, and nothing is called', async (_, headers) => {
    for (const method of ['POST', 'DELETE']) {
      const path = `/api/repos/own/packages${method === 'DELETE' ? '/hello' : ''}`;
      const response = await app.hono.request(path, { method, headers, ...(method === 'POST' && { body: 'x' }) });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="kubedos"']);
    }
    expect(changes).toEqual([]);
    expect(JSON.stringify(served.log)).not.toContain(SECRET);
  });

  test('a token for one repository opens no other', async () => {
    expect((await upload('/api/repos/debian/packages', bearer)).status).toBe(401);
  });

  test('a server without use cases or with an empty body refuses', async () => {
    const reading = await served.app({ verifyToken: () => ({ name: 'ci' }) });
    const request = { method: 'POST', headers: bearer, body: 'x' };
    expect((await reading.hono.request('/api/repos/own/packages', request)).status).toBe(404);
    expect((await app.hono.request('/api/repos/own/packages', { method: 'POST', headers: bearer })).status).toBe(400);
  });

  test('more than the limit is refused, announced or not', async () => {
    const small = await served.app({ repos, verifyToken: () => ({ name: 'ci' }), options: { maxUploadBytes: 10 } });
    const send = async (headers: Record<string, string>): Promise<number> => {
      const request = { method: 'POST', headers: { ...bearer, ...headers }, body: 'x'.repeat(11) };
      return (await small.hono.request('/api/repos/own/packages', request)).status;
    };
    expect(await send({})).toBe(400);
    expect(await send({ 'content-length': '11' })).toBe(400);
    expect(changes).toEqual([]);
  });

  test('over a socket, while it streams', async () => {
    const { url } = await served.listen({
      repos,
      verifyToken: (token) => (token === SECRET ? { name: 'ci' } : undefined),
    });
    const body = 'x'.repeat(3_000_000);
    const response = await fetch(`${url}/api/repos/own/packages`, { method: 'POST', headers: bearer, body });
    expect(response.status).toBe(201);
    expect((changes.pop() as { text: string }).text.length).toBe(3_000_000);
    const refused = await fetch(`${url}/api/repos/own/packages`, { method: 'POST', body });
    expect(refused.status).toBe(401);
  });
});
