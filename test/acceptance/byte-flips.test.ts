/** Every flipped byte is found, and the file that holds it is named: in objects, manifests, documents, and on volumes. */
import { readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readSignature } from 'openpgp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExportReport } from '../../src/bundle/export.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import type { KubedosError } from '../../src/errors.ts';
import { checkStore } from '../../src/store/check.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { loadRoot } from '../../src/store/manifest-format.ts';
import { scrubStore } from '../../src/store/scrub.ts';
import type { Store } from '../../src/store/types.ts';
import { openHouse } from '../../src/wiring.ts';
import { type BundlePair, fastFolder, filesBelow, makePairIn } from '../support/bundle-pair.ts';
import { flipBit } from '../support/corrupt.ts';
import { randomFiles } from '../support/random-files.ts';
import { seededDraw } from '../support/seed.ts';
import { setMirror, takeSnapshot } from '../support/sender-store.ts';

/** 500 in all. */
const FLIPS = { objectsTogether: 100, objectsAlone: 40, lists: 60, documents: 150, volumes: 150 };

const draw = seededDraw('byte flips');
const below = (count: number): number => Math.floor(draw() * count);
const DOCUMENTS = /^(snapshots|heads|channels|trust)\/|^(store|labels)\.json$/;
let pair: BundlePair;
let store: Store;
let report: ExportReport;

beforeAll(async () => {
  pair = await makePairIn(await fastFolder());
  store = pair.sender.store;
  await setMirror(store, 'debian', { ...randomFiles(120, 3000), large: randomFiles(1, 60_000).f0 ?? '' });
  await takeSnapshot(pair.sender, 1, 'old');
  await setMirror(store, 'debian', { ...randomFiles(130, 3000), more: 'more' });
  const { id } = await takeSnapshot(pair.sender, 2, 'stable');
  await store.labels.update((labels) => ({ ...labels, tags: { golden: id } }));
  report = await pair.send({ parityPercent: 10, volumeSizeBytes: 250_000, packSizeBytes: 100_000 });
});
afterAll(async () => {
  await store.close();
  await pair.receiver.store.close();
  await rm(pair.dir, { recursive: true, force: true });
});

/** Runs `look` while one bit of a byte drawn from the file is turned. */
async function flipped<T>(file: string, look: (what: string) => Promise<T>): Promise<T> {
  const { size } = await stat(file);
  const [position, bit] = [below(size), below(8)];
  const back = await flipBit(file, position, bit);
  try {
    return await look(`${file}: bit ${bit} of byte ${position} of ${size}`);
  } finally {
    await back();
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  const keys = list.map((item) => ({ item, key: draw() }));
  return keys.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function sample<T>(list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, () => list[below(list.length)] as T);
}

/** Hashes of the lists (roots and chunks) of all snapshots, and of everything else. */
async function objectsByRole(): Promise<{ lists: string[]; contents: string[] }> {
  const lists = new Set<string>();
  for (const id of await store.snapshots.list()) {
    for (const { manifest } of (await store.snapshots.resolve(id)).document.mirrors) {
      const root = await loadRoot(store.objects, manifest.root);
      lists.add(manifest.root);
      for (let index = 0; index < root.table.count; index++) lists.add(root.table.sha256(index));
    }
  }
  const contents: string[] = [];
  for await (const { sha256 } of store.objects.list()) if (!lists.has(sha256)) contents.push(sha256);
  return { lists: [...lists].sort(), contents };
}

async function pathsByObject(): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const id of await store.snapshots.list())
    for (const { manifest } of (await store.snapshots.resolve(id)).document.mirrors)
      for await (const { path, sha256 } of readManifest(store.objects, manifest.root)) paths.set(sha256, path);
  return paths;
}

const fileOf = (sha256: string): string => store.objects.localPath?.(sha256) ?? '';

async function scrubbed(): Promise<{ sha256: string; paths: (string | null)[] }[]> {
  const { bad } = await scrubStore(store, { restart: true });
  return bad.map(({ sha256, uses }) => ({ sha256, paths: uses.map(({ path }) => path) }));
}

// A scrub hashes each object by itself: what it says of one does not hang on another. So many may be damaged at once.
test('objects, many at once: the scrub names each, and the path where it is listed', async () => {
  const { contents } = await objectsByRole();
  const pathOf = await pathsByObject();
  const damaged = shuffled(contents).slice(0, FLIPS.objectsTogether).sort();
  expect(damaged).toHaveLength(FLIPS.objectsTogether);
  const withAll = damaged.reduceRight<() => Promise<void>>(
    (inner, sha256) => () => flipped(fileOf(sha256), inner),
    async () => {
      const found = await scrubbed();
      expect(found.map(({ sha256 }) => sha256)).toEqual(damaged);
      for (const { sha256, paths } of found) expect(paths, sha256).toContain(pathOf.get(sha256));
    },
  );
  await withAll();
  expect(await scrubbed()).toEqual([]);
});

test('objects, alone', async () => {
  for (const sha256 of sample((await objectsByRole()).contents, FLIPS.objectsAlone)) {
    await flipped(fileOf(sha256), async (what) => {
      expect(
        (await scrubbed()).map((one) => one.sha256),
        what,
      ).toEqual([sha256]);
    });
  }
  expect(await scrubbed()).toEqual([]);
});

test('lists: the scrub and the check name the object', async () => {
  for (const sha256 of sample((await objectsByRole()).lists, FLIPS.lists)) {
    await flipped(fileOf(sha256), async (what) => {
      const found = await checked();
      expect(found.length, what).toBeGreaterThan(0);
      for (const line of found) expect(line, what).toMatch(new RegExp(`^manifest: .*${sha256}`));
      expect(
        (await scrubbed()).map((one) => one.sha256),
        what,
      ).toEqual([sha256]);
    });
  }
  expect(await scrubbed()).toEqual([]);
});

/** What the check says, or why the store cannot be opened. */
async function checked(): Promise<string[]> {
  const house = openHouse(store.dir);
  try {
    const verify = (bytes: Uint8Array, signature: string, id: string): Promise<void> =>
      house.verifySnapshot(bytes, signature, `snapshot ${id}`);
    const { findings } = await checkStore(await house.store(), { verify });
    return findings.map(({ kind, message }) => `${kind}: ${message}`);
  } catch (error) {
    return [String(error)];
  } finally {
    await house.close();
  }
}

/**
 * What every finding must say, by the name of the file below the data folder. Root and signature vouch for each other and
 * nothing else does: which of the two is damaged cannot be told, so both are named, by their version.
 */
function namedAs(name: string): RegExp {
  const base = basename(name);
  const id = base.replace(/\.(json(\.asc)?|sha256)$/, '');
  if (name.startsWith('heads/')) return new RegExp(`^head: read head of mirror ${id}: `);
  if (name.startsWith('channels/')) return new RegExp(`^channel: read channel ${id}: `);
  if (name.startsWith('trust/')) return new RegExp(`own root: |roots of store \\S+, version ${id}: `);
  if (base.endsWith('.sha256')) return new RegExp(`^snapshot: .*${id}\\.sha256 does not fit`);
  if (base.endsWith('.asc'))
    return new RegExp(`^snapshot: .*${id}\\.json\\.asc does not fit|^signature: verify snapshot ${id}: `);
  if (name.startsWith('snapshots/')) return new RegExp(`^snapshot: read snapshot ${id}: `);
  return new RegExp(`read ${base}`);
}

/**
 * Beside a root's signature lies no checksum. Its armour holds bytes that carry nothing: ends of lines, the CRC that RFC
 * 9580 calls optional, what follows it, and bits that base64 leaves over. Only where the packets that the armour carries
 * are the very same is it right that nothing is found: the signature did not change.
 */
async function carriesTheSame(armored: string, before: string): Promise<boolean> {
  const packets = async (text: string) => Buffer.from((await readSignature({ armoredSignature: text })).write());
  return (await packets(armored)).equals(await packets(before));
}

test('documents: the check names the one that is damaged', async () => {
  const documents = (await filesBelow(store.dir)).filter((name) => DOCUMENTS.test(name));
  for (const name of sample(documents, FLIPS.documents)) {
    const file = join(store.dir, name);
    const before = await readFile(file, 'utf8');
    await flipped(file, async (what) => {
      const found = await checked();
      for (const line of found) expect(line, what).toMatch(namedAs(name));
      if (found.length > 0) return;
      expect(name, what).toMatch(/^trust\/roots\/.*\.asc$/);
      expect(await carriesTheSame(await readFile(file, 'utf8'), before), what).toBe(true);
    });
  }
  expect(await checked()).toEqual([]);
});

test('volumes: the verification of the volume names the file', async () => {
  for (const { folder, name } of sample(await filesOf(report.folders), FLIPS.volumes)) {
    await flipped(join(folder, name), async (what) => {
      const named = await verifyBundle([folder], {}, {}).then(
        ({ damage }) => damage.map((one) => join(one.folder, one.file)),
        (error: KubedosError) => [error.message],
      );
      expect(named, what).toEqual([expect.stringContaining(join(folder, name))]);
    });
  }
});

async function filesOf(folders: readonly string[]): Promise<{ folder: string; name: string }[]> {
  const lists = folders.map(async (folder) => (await filesBelow(folder)).map((name) => ({ folder, name })));
  return (await Promise.all(lists)).flat();
}
