import { hash } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { KEYS_FILE } from '../../../src/formats/rpm/layout.ts';
import type { YumSpec } from '../../../src/spec/yum-spec.ts';
import { repairStore } from '../../../src/sync/repair.ts';
import type { FakeFiles } from '../../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { fakeYum } from '../../support/fake-yum.ts';
import { type Bench, openYumBench } from '../harness.ts';

const T1 = 1_714_608_000;
let key: FakeKey;
let first: FakeFiles;
let second: FakeFiles;
let bench: Bench<YumSpec>;

beforeAll(async () => {
  key = await fakeKey();
  const at = (version: string, timestamp: number) =>
    fakeYum({ key, repositories: { '': { packages: [{ name: 'a', version }], timestamp } } });
  [first, second] = [await at('1', T1), await at('2', T1 + 86_400)];
});
afterEach(() => bench.close());

const repomd = (files: FakeFiles): Buffer => files.get('repodata/repomd.xml') ?? Buffer.alloc(0);
const below = (folder: string, files: FakeFiles): FakeFiles =>
  new Map([...files].map(([path, bytes]) => [`${folder}/${path}`, bytes]));

function metalink(states: readonly FakeFiles[], mirrors: readonly string[]): Buffer {
  const [current = '', ...older] = states.map(
    (files) =>
      `<size>${repomd(files).length}</size><verification><hash type="sha256">${hash('sha256', repomd(files), 'hex')}</hash></verification>`,
  );
  const alternates = older.map((each) => `<mm0:alternate>${each}</mm0:alternate>`).join('');
  const urls = mirrors.map(
    (mirror, at) =>
      `<url protocol="http" preference="${100 - at}">${bench.upstream.url}/${mirror}/repodata/repomd.xml</url>`,
  );
  return Buffer.from(
    `<metalink><files><file name="repomd.xml">${current}<mm0:alternates>${alternates}</mm0:alternates><resources>${urls.join('')}</resources></file></files></metalink>`,
  );
}

/** `list` is given once the upstream has its address. */
async function open(files: FakeFiles, kind: 'metalink' | 'mirrorlist', list: () => Buffer): Promise<void> {
  bench = await openYumBench({ files, key });
  const [upstream] = bench.spec.upstreams;
  if (upstream === undefined) throw new Error('no upstream');
  const { url: _, ...rest } = upstream;
  const where = { [kind]: `${bench.upstream.url}/lists/find?repo=os-$releasever&arch=$basearch` };
  bench.spec = {
    ...bench.spec,
    upstreams: [{ ...rest, ...where, releasever: '9', architectures: ['x86_64'], repositories: ['9/$basearch'] }],
  };
  bench.upstream.files.set('lists/find', list());
}
const head = async () => (await bench.listing()).get('9/x86_64/repodata/repomd.xml');
const sha = (bytes: Buffer): string => hash('sha256', bytes, 'hex');

describe('a metalink', () => {
  test('leads to mirrors; the mirror of them has its own path', async () => {
    await open(below('m1', first), 'metalink', () => metalink([first], ['m1']));
    await bench.sync();
    expect([...(await bench.listing()).keys()]).toContain('9/x86_64/Packages/a/a-1-1.noarch.rpm');
    expect(await head()).toBe(sha(repomd(first)));
  });

  test('says that nothing changed, and no mirror is asked', async () => {
    await open(below('m1', first), 'metalink', () => metalink([first], ['m1']));
    await bench.sync();
    bench.upstream.requests.length = 0;
    expect((await bench.sync()).changed).toBe(false);
    expect(bench.upstream.requests.map(({ path }) => path)).toEqual(['lists/find']);
  });

  test('passes over mirrors that are down, behind, or have what nobody vouches for', async () => {
    const forged = new Map(second).set('repodata/repomd.xml', Buffer.concat([repomd(second), Buffer.from(' ')]));
    const files = new Map([...below('behind', first), ...below('forged', forged), ...below('good', second)]);
    await open(files, 'metalink', () => metalink([second, first], ['down', 'forged', 'behind', 'good']));
    await bench.sync();
    expect(await head()).toBe(sha(repomd(second)));
  });

  test('accepts an older state where all mirrors are behind, and no other', async () => {
    await open(below('behind', first), 'metalink', () => metalink([second, first], ['behind']));
    await bench.sync();
    expect(await head()).toBe(sha(repomd(first)));
    await bench.close();
    await open(below('behind', first), 'metalink', () => metalink([second], ['behind']));
    expect(await bench.refusal()).toMatchObject({ code: 'net.hash-mismatch' });
  });

  test('is asked again when upstream changes in the middle', async () => {
    await open(below('m1', first), 'metalink', () => metalink([first], ['m1']));
    bench.upstream.onRequest = ({ path }) => {
      if (!path.endsWith('primary.xml.gz')) return;
      bench.upstream.serve(new Map([...below('m1', second), ['lists/find', metalink([second], ['m1'])]]));
    };
    await bench.sync();
    bench.upstream.onRequest = undefined;
    expect(await head()).toBe(sha(repomd(second)));
  });
});

test('a list of mirrors is followed, past those that fail, for repair too', async () => {
  const list = () => Buffer.from(`# mirrors\n${bench.upstream.url}/down\n${bench.upstream.url}/m1\n`);
  await open(below('m1', first), 'mirrorlist', list);
  await bench.sync();
  const lost = (await bench.listing()).get('9/x86_64/Packages/a/a-1-1.noarch.rpm') ?? '';
  await bench.store.objects.remove(lost);
  const report = await repairStore({ ...bench.deps, findSpec: async () => bench.spec });
  expect(report).toMatchObject({ repaired: [{ sha256: lost }], failed: [] });
  await bench.store.objects.remove((await bench.listing()).get(KEYS_FILE) ?? '');
  const again = await repairStore({ ...bench.deps, findSpec: async () => bench.spec });
  expect(again).toMatchObject({ repaired: [], failed: [{ reason: expect.stringContaining('that this store wrote') }] });
});

test('an error page in place of a list is told', async () => {
  await open(first, 'mirrorlist', () => Buffer.from('<html>Invalid repo</html>'));
  expect(await bench.refusal()).toMatchObject({ code: 'format.syntax' });
  bench.upstream.files.delete('lists/find');
  expect(await bench.refusal()).toMatchObject({ code: 'net.not-found' });
});
