import { chmod, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { checkStore } from '../../src/store/check.ts';
import { upstreamPaths } from '../../src/sync/apt/curated-pool.ts';
import { repairStore } from '../../src/sync/repair.ts';
import { twoPoints } from '../support/fake-apt.ts';
import type { FakeFiles } from '../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../support/fake-key.ts';
import { type Bench, openBench } from './harness.ts';

let key: FakeKey;
let first: FakeFiles;
let second: FakeFiles;
let bench: Bench;

beforeAll(async () => {
  key = await fakeKey();
  ({ first, second } = await twoPoints(key));
});
afterEach(() => bench.close());

const place = (sha256: string): string => bench.store.objects.localPath?.(sha256) ?? '';
const hashOf = async (path: string): Promise<string> => (await bench.listing()).get(path) ?? '';
const repair = () =>
  repairStore({ ...bench.deps, findSpec: async (name) => (name === 'fake' ? bench.spec : undefined) });

const DEB = 'pool/main/h/hello/hello_1.0-1_amd64.deb';

test('what is missing, cut short or marked as bad is fetched again', async () => {
  bench = await openBench({ files: first, key });
  await bench.sync();
  const hello = await hashOf(DEB);
  const tool = await hashOf('pool/main/t/tool/tool_3.1+dfsg-1~deb12u1_all.deb');
  const index = await hashOf('dists/bookworm/main/binary-amd64/Packages.xz');
  await rm(place(hello));
  await chmod(place(tool), 0o600);
  await writeFile(place(tool), 'short');
  await chmod(place(index), 0o600);
  await writeFile(place(index), Buffer.alloc(first.get('dists/bookworm/main/binary-amd64/Packages.xz')?.length ?? 0));
  await bench.store.bad.add(index);
  expect((await checkStore(bench.store)).clean).toBe(false);
  const report = await repair();
  expect(report.failed).toEqual([]);
  expect(report.repaired.map(({ sha256 }) => sha256).sort()).toEqual([hello, tool, index].sort());
  expect((await checkStore(bench.store)).findings).toEqual([]);
  expect(await bench.store.objects.read(hello, 1e6)).toEqual(first.get(DEB));
  expect(await bench.store.objects.read(index, 1e6)).toEqual(first.get('dists/bookworm/main/binary-amd64/Packages.xz'));
});

test('what upstream no longer has, or has with other bytes, is told, and the rest is repaired', async () => {
  bench = await openBench({ files: first, key });
  await bench.sync();
  const [hello, tool, release] = await Promise.all(
    [DEB, 'pool/main/t/tool/tool_3.1+dfsg-1~deb12u1_all.deb', 'dists/bookworm/InRelease'].map(hashOf),
  );
  for (const sha256 of [hello, tool, release]) await rm(place(sha256 ?? ''));
  bench.upstream.serve(second);
  const report = await repair();
  expect(report.repaired.map(({ sha256 }) => sha256)).toEqual([tool]);
  expect(report.failed).toContainEqual(expect.objectContaining({ sha256: hello, uses: [`fake/${DEB}`] }));
  expect(report.failed.find(({ sha256 }) => sha256 === release)?.reason).toMatch(/InRelease|no upstream has/);
});

test('a file that a curated mirror moved is looked for where its upstream has it', async () => {
  bench = await openBench({ files: first, key });
  const curated = { ...bench.spec, form: 'curated' as const };
  const found = [...upstreamPaths(curated, 'pool/upstream-2/main/x.deb')];
  expect(found.map(({ upstreamIndex, path }) => `${upstreamIndex} ${path}`)).toEqual([
    '1 pool/main/x.deb',
    '1 main/x.deb',
    '0 pool/upstream-2/main/x.deb',
  ]);
});

test('a sound store needs nothing from upstream', async () => {
  bench = await openBench({ files: first, key });
  await bench.sync();
  bench.upstream.requests.length = 0;
  expect(await repair()).toEqual({ repaired: [], failed: [] });
  expect(bench.upstream.requests).toEqual([]);
});
