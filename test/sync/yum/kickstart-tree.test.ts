import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { KubedosError } from '../../../src/errors.ts';
import type { YumSpec } from '../../../src/spec/yum-spec.ts';
import type { FakeFiles } from '../../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { fakeYum } from '../../support/fake-yum.ts';
import { type Bench, openYumBench } from '../harness.ts';

const TIME = 1_714_608_000;
const IMAGES = { 'images/install.img': Buffer.alloc(5000, 1), 'images/pxeboot/vmlinuz': Buffer.alloc(300, 2) };
const sum = (bytes: Uint8Array): string => hash('sha256', bytes);

let key: FakeKey;
let folder: string;
let bench: Bench<YumSpec> | undefined;

beforeAll(async () => {
  key = await fakeKey();
});
afterEach(async () => {
  await bench?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A tree at os/; `treeinfo` replaces what it tells. */
async function upstream(treeinfo: (files: FakeFiles) => string = treeinfoOf): Promise<void> {
  const files = await fakeYum({
    key,
    repositories: { os: { packages: [{ name: 'a', version: '1' }], timestamp: TIME } },
  });
  for (const [path, bytes] of Object.entries(IMAGES)) files.set(`os/${path}`, bytes);
  files.set('os/.treeinfo', Buffer.from(treeinfo(files)));
  await Promise.all(
    [...files].map(async ([path, bytes]) => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }),
  );
}

const sums = (files: FakeFiles, paths: readonly string[]): string =>
  paths.map((path) => `${path} = sha256:${sum(files.get(`os/${path}`) ?? Buffer.alloc(0))}\n`).join('');

function treeinfoOf(files: FakeFiles): string {
  return `[header]\nversion = 1.2\n[release]\nname = Example\nversion = 9\n[tree]\narch = x86_64\n[images-x86_64]
kernel = images/pxeboot/vmlinuz\n[stage2]\nmainimage = images/install.img
[variant-Base]\nid = Base\nrepository = .\n[variant-Apps]\nid = Apps\nrepository = ../apps
[checksums]\n${sums(files, [...Object.keys(IMAGES), 'repodata/repomd.xml'])}`;
}

async function open(treeinfo?: (files: FakeFiles) => string): Promise<Bench<YumSpec>> {
  folder = await mkdtemp(join(tmpdir(), 'kubedos-tree-'));
  await upstream(treeinfo);
  bench = await openYumBench({
    files: new Map(),
    key,
    upstream: { url: `file://${folder}`, repositories: ['os'], tree: true },
  });
  return bench;
}

test('has .treeinfo and its images at their places, and tells which variant it lacks', async () => {
  const { sync, listing } = await open();
  const { notes } = await sync();
  const listed = await listing();
  for (const [path, bytes] of Object.entries(IMAGES)) expect(listed.get(`os/${path}`), path).toBe(sum(bytes));
  expect([...listed.keys()]).toContain('os/.treeinfo');
  expect(notes).toEqual([expect.stringContaining('variant Apps of the tree has its packages at ../apps')]);
  expect(await sync()).toMatchObject({ changed: false });
});

test('a dry run fetches no image', async () => {
  const { sync, store } = await open();
  await sync({ dryRun: true });
  expect(await store.objects.stat(sum(IMAGES['images/install.img']))).toBeUndefined();
});

test.each<[string, (files: FakeFiles) => string, string]>([
  [
    'an image with other bytes',
    (files) => treeinfoOf(files).replace(/(vmlinuz = sha256:)\w{64}/, `$1${'0'.repeat(64)}`),
    'net.hash-mismatch',
  ],
  [
    'another repomd.xml',
    (files) => treeinfoOf(files).replace(/(repomd.xml = sha256:)\w{64}/, `$1${'0'.repeat(64)}`),
    'net.hash-mismatch',
  ],
  [
    'a path out of the tree',
    (files) => treeinfoOf(files).replace('images/install.img = sha', '../install.img = sha'),
    'format.path',
  ],
  [
    'a weak checksum',
    (files) => treeinfoOf(files).replace(/(vmlinuz = )sha256:\w{64}/, `$1md5:${'0'.repeat(32)}`),
    'trust.weak-digest',
  ],
  [
    'an image that is not there',
    (files) => `${treeinfoOf(files)}images/gone.img = sha256:${'0'.repeat(64)}\n`,
    'sync.incomplete',
  ],
])('refused: %s', async (_, treeinfo, code) => {
  const { refusal, store } = await open(treeinfo);
  expect((await refusal()).code).toBe(code);
  expect(await store.heads.read('fake')).toBeUndefined();
});

test('an image without a checksum is left out with a note', async () => {
  const { sync, listing } = await open((files) => treeinfoOf(files).replace(/images\/install\.img = sha256.*\n/, ''));
  expect((await sync()).notes).toContainEqual(expect.stringContaining('no checksum for images/install.img'));
  expect([...(await listing()).keys()]).not.toContain('os/images/install.img');
});

test('a tree is not taken over http', async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubedos-tree-'));
  bench = undefined;
  const upstreamOf = { url: 'http://127.0.0.1:1', repositories: ['os'], tree: true };
  await expect(openYumBench({ files: new Map(), key, upstream: upstreamOf })).rejects.toThrow(KubedosError);
});
