/** A sync that was stopped, killed or raced goes on where it was. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { syncMirror } from '../../../src/sync/sync-mirror.ts';
import { SAMPLE_DATE, SAMPLE_PACKAGES, startFakeApt, twoPoints } from '../../support/fake-apt.ts';
import { type FakeFiles, fakeArchive } from '../../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { type Bench, openBench } from '../harness.ts';

let key: FakeKey;
let first: FakeFiles;
let second: FakeFiles;
let bench: Bench;

beforeAll(async () => {
  key = await fakeKey();
  ({ first, second } = await twoPoints(key));
});
afterEach(() => bench.close());

const pool = (): string[] => bench.upstream.requests.map(({ path }) => path).filter((path) => path.startsWith('pool/'));

test('stopped: `cancelled`, no head, and the next run asks only for the rest', async () => {
  bench = await openBench({ files: first, key });
  const stop = new AbortController();
  bench.upstream.misbehave(/tool/, { kind: 'hang' });
  bench.upstream.onRequest = ({ path }) => {
    if (path.includes('tool')) setImmediate(() => stop.abort());
  };
  await expect(bench.sync({}, stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
  expect(await bench.store.heads.read('fake')).toBeUndefined();
  const asked = new Set(pool());
  bench.upstream.onRequest = undefined;
  bench.upstream.behave();
  bench.upstream.requests.length = 0;
  await bench.sync();
  expect(pool()).toContain('pool/main/t/tool/tool_3.1+dfsg-1~deb12u1_all.deb');
  expect(pool().length).toBeLessThanOrEqual(asked.size);
  expect((await bench.listing()).size).toBe(first.size);
});

test('a large file goes on by Range after a cut', async () => {
  const files = await fakeArchive({
    key,
    suites: [
      {
        suite: 'bookworm',
        components: { main: { packages: [{ name: 'big', version: '1', paddingBytes: 3_000_000 }] } },
        date: SAMPLE_DATE,
      },
    ],
  });
  bench = await openBench({ files, key });
  bench.upstream.misbehave(/big_/, { kind: 'truncate', bytes: 2_000_000 });
  expect((await bench.refusal()).kind).toBe('upstream');
  bench.upstream.behave();
  bench.upstream.requests.length = 0;
  await bench.sync();
  const [request] = bench.upstream.requests.filter(({ path }) => path.includes('big_'));
  expect(request).toMatchObject({ status: 206, range: expect.stringMatching(/^bytes=[1-9]\d+-/) });
});

test('objects that came before a failure are not fetched again', async () => {
  bench = await openBench({ files: first, key });
  bench.upstream.misbehave(/tool/, { kind: 'status', status: 404 });
  expect((await bench.refusal()).code).toBe('sync.incomplete');
  bench.upstream.behave();
  bench.upstream.requests.length = 0;
  await bench.sync();
  expect(pool()).toEqual(['pool/main/t/tool/tool_3.1+dfsg-1~deb12u1_all.deb']);
});

test('nothing is left behind in partial and tmp after a success', async () => {
  bench = await openBench({ files: first, key });
  await bench.sync();
  for (const area of ['partial', 'tmp']) expect(await readdir(join(bench.store.dir, area)), area).toEqual([]);
});

test('a second root takes over where the first one fails', async () => {
  bench = await openBench({ files: first, key });
  const other = await startFakeApt(first);
  try {
    const [upstream] = bench.spec.upstreams;
    bench.spec = { ...bench.spec, upstreams: upstream ? [{ ...upstream, url: [bench.upstream.url, other.url] }] : [] };
    bench.upstream.misbehave(/hello/, { kind: 'status', status: 500 });
    bench.upstream.misbehave(/tool/, { kind: 'flip' });
    await bench.sync();
    expect((await bench.listing()).size).toBe(first.size);
    expect(other.requests.map(({ path }) => path).sort()).toEqual(
      expect.arrayContaining(pool().filter((path) => path.includes('tool'))),
    );
  } finally {
    await other.close();
  }
});

test('file: upstreams', async () => {
  bench = await openBench({ files: first, key });
  const root = join(bench.dir, 'archive');
  const publish = async (files: FakeFiles): Promise<void> => {
    for (const [path, bytes] of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), bytes);
    }
  };
  await publish(first);
  const [upstream] = bench.spec.upstreams;
  bench.spec = { ...bench.spec, upstreams: upstream ? [{ ...upstream, url: [`file://${root}`] }] : [] };
  await bench.sync();
  expect((await bench.listing()).size).toBe(first.size);
  expect((await bench.sync()).changed).toBe(false);
  await publish(second);
  expect((await bench.sync()).changed).toBe(true);
  expect(bench.upstream.requests).toEqual([]);
});

test('two syncs at once: the lock names its holder, and the store is whole', async () => {
  bench = await openBench({ files: first, key });
  const rival = await openStore(bench.store.dir);
  try {
    const results = await Promise.allSettled([
      bench.sync(),
      rival.withWriter('rival', async () => new Promise((resolve) => setTimeout(resolve, 100))),
    ]);
    const refusals = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as { code: string }] : [],
    );
    for (const { code } of refusals) expect(code).toBe('store.locked');
    await bench.sync();
    expect((await bench.listing()).size).toBe(first.size);
  } finally {
    await rival.close();
  }
});

test('a head that moved during the sync wins: `store.raced`', async () => {
  bench = await openBench({ files: first, key });
  await bench.sync();
  bench.upstream.serve(second);
  const rival = await openStore(bench.store.dir);
  try {
    const { fetcher } = bench.deps;
    bench.with({
      fetcher: {
        document: fetcher.document.bind(fetcher),
        close: fetcher.close.bind(fetcher),
        async file(...call) {
          await rival.heads.remove('fake');
          return fetcher.file(...call);
        },
      },
    });
    expect((await bench.refusal()).code).toBe('store.raced');
  } finally {
    await rival.close();
  }
});

test('what another sync accepted meanwhile counts: upstream is asked again', async () => {
  bench = await openBench({ files: first, key });
  await bench.sync();
  const third = await fakeArchive({
    key,
    suites: [
      {
        suite: 'bookworm',
        components: { main: { packages: SAMPLE_PACKAGES } },
        date: new Date('2024-05-02T20:00:00Z'),
      },
    ],
  });
  bench.upstream.serve(second);
  const { deps, spec } = bench;
  let rival: Promise<unknown> | undefined;
  bench.with({
    fetcher: {
      file: deps.fetcher.file.bind(deps.fetcher),
      close: deps.fetcher.close.bind(deps.fetcher),
      async document(...call) {
        const answer = await deps.fetcher.document(...call);
        if (rival === undefined) {
          bench.upstream.serve(third);
          rival = syncMirror(deps, spec);
          await rival;
        }
        return answer;
      },
    },
  });
  expect((await bench.sync()).changed).toBe(false);
  for (const path of third.keys()) expect((await bench.listing()).has(path), path).toBe(true);
});
