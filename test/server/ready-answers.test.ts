import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileRoutes } from '../../src/server/files.ts';
import { isUnconditional } from '../../src/server/ready-answers.ts';
import { ServedStore } from '../support/served-store.ts';

const DEB = '/c/stable/debian/pool/a.deb';

let served: ServedStore;
let routes: FileRoutes;
beforeEach(async () => {
  served = await ServedStore.make();
  await served.release(
    'stable',
    { debian: { 'pool/a.deb': 'one', 'large.iso': Buffer.alloc(2_000_000) } },
    '2026-05-01T00:00:00Z',
  );
  routes = new FileRoutes(served.deps());
});
afterEach(() => served.close());

const ask = (target: string, headers = {}): Promise<unknown> => routes.answer({ method: 'GET', target, headers });
const atOnce = (target: string): string | undefined => {
  const answer = routes.answerAtOnce('GET', target, ['Host', 'x']);
  return answer && Buffer.from(answer.bytes).toString();
};
/** Stamps of files are not trusted while the files are young. */
const settled = (target: string): Promise<void> =>
  vi.waitFor(async () => {
    await ask(target);
    expect(atOnce(target)).toBeDefined();
  });

test('the second answer is the first one, with the same headers', async () => {
  expect(atOnce(DEB)).toBeUndefined();
  await settled(DEB);
  expect(atOnce(DEB)).toBe('one');
  expect(routes.answerAtOnce('GET', DEB, [])?.headers).toEqual(
    (await routes.answer({ method: 'GET', target: DEB, headers: {} }))?.headers,
  );
});

test('after a move it is that of the new state', async () => {
  await settled(DEB);
  await served.release('stable', { debian: { 'pool/a.deb': 'two' } }, '2026-05-02T00:00:00Z');
  await new Promise((resolve) => setImmediate(resolve));
  expect(atOnce(DEB)).toBeUndefined();
  await settled(DEB);
  expect(atOnce(DEB)).toBe('two');
  await served.store.channels.remove('stable');
  await new Promise((resolve) => setImmediate(resolve));
  expect(atOnce(DEB)).toBeUndefined();
});

test('an object that is found to be bad is not served any more', async () => {
  await settled(DEB);
  const root = (await served.store.heads.read('debian'))?.manifest.root ?? '';
  const sha256 = (await served.manifests.lookup(root, 'pool/a.deb'))?.sha256 ?? '';
  await served.store.bad.add(sha256);
  await new Promise((resolve) => setImmediate(resolve));
  expect(atOnce(DEB)).toBeUndefined();
  await ask(DEB);
  expect(atOnce(DEB)).toBeUndefined();
});

test.each(['/c/stable/debian/large.iso', '/c/stable/debian/', '/c/stable/debian/none', '/c/stable/debian/pool'])(
  '%s is decided each time',
  async (target) => {
    await settled(DEB);
    const answer = await routes.answer({ method: 'GET', target, headers: {} });
    if (answer?.body.kind === 'object' && answer.body.object.kind === 'file') await answer.body.object.handle.close();
    expect(atOnce(target)).toBeUndefined();
  },
);

test('an answer to conditions is not kept', async () => {
  await settled(DEB);
  const other = `${DEB}?x`;
  for (const headers of [{ range: 'bytes=0-0' }, { 'if-none-match': '"x"' }, { 'if-match': '*' }])
    await ask(other, headers);
  expect(atOnce(other)).toBeUndefined();
});

describe('conditions', () => {
  test.each(['Range', 'If-Range', 'IF-NONE-MATCH', 'if-match', 'If-Modified-Since'])('%s is one', async (name) => {
    expect(isUnconditional(['Host', 'x', name, 'y'])).toBe(false);
    await settled(DEB);
    expect(routes.answerAtOnce('GET', DEB, [name, 'x'])).toBeUndefined();
  });
  test('other headers and values are none', () => {
    expect(isUnconditional(['Host', 'range', 'Referer', 'x', 'X-If-Match', 'y', 'If', 'z'])).toBe(true);
  });
  test.each(['HEAD', 'POST'])('%s is decided each time', async (method) => {
    await settled(DEB);
    expect(routes.answerAtOnce(method, DEB, [])).toBeUndefined();
  });
});
