import { createHash, hash } from 'node:crypto';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IndexInput, Publication } from '../../src/formats/apt/publication.ts';
import { parseRelease } from '../../src/formats/apt/release.ts';
import { compressionOf, decompress } from '../../src/formats/compression.ts';
import { createPublisher } from '../../src/publish/publish-apt.ts';
import type { ManifestEntry, ObjectStore } from '../../src/store/types.ts';
import { Publishing } from '../support/publishing.ts';

let publishing: Publishing;
let cacheDir = '';
beforeEach(async () => {
  publishing = await Publishing.make();
  cacheDir = await publishing.store.file('cache', 'pieces');
});
afterEach(() => publishing.close());

/** Signs as no key does, but always the same way. */
const signer = {
  clearsign: async (text: string, date?: Date) => `signed at ${date?.toISOString()}\n${text}`,
  detached: async (bytes: Uint8Array) => hash('sha256', bytes),
};
const DATE = new Date('2026-01-01T00:00:00Z');

function stanzas(count: number, change: (index: number) => string = () => '1'): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `package-${String(index).padStart(6, '0')}`;
    return Buffer.from(
      `Package: ${name}\nVersion: ${change(index)}\nFilename: pool/${name}.deb\nSHA256: ${hash('sha256', name)}\n`,
    );
  });
}

function publication(content: readonly Buffer[], more: Partial<Publication> = {}): Publication {
  const packages: IndexInput = { component: 'main', kind: 'Packages', architecture: 'amd64', stanzas: () => content };
  return {
    suite: 'stable',
    codename: 'stable',
    origin: 'Example',
    label: 'Example',
    components: ['main'],
    architectures: ['amd64'],
    indexes: [packages],
    date: DATE,
    compressions: ['gz', 'zst'],
    ...more,
  };
}

function publisher(objects: ObjectStore = publishing.store.objects) {
  return createPublisher({ objects, cacheDir, signer });
}

async function bytesOf({ sha256 }: ManifestEntry): Promise<Buffer> {
  return (await publishing.store.objects.read(sha256, 2 ** 30)) ?? Buffer.alloc(0);
}

function named(entries: readonly ManifestEntry[], path: string): ManifestEntry {
  const entry = entries.find((each) => each.path === path);
  if (entry === undefined) throw new Error(`${path} was not published`);
  return entry;
}

async function unpacked(entry: ManifestEntry): Promise<string> {
  const digest = createHash('sha256');
  const plain = decompress([await bytesOf(entry)], compressionOf(entry.path), {
    origin: entry.path,
    maxBytes: 2 ** 30,
  });
  for await (const chunk of plain) digest.update(chunk);
  return digest.digest('hex');
}

async function pieces(): Promise<string[]> {
  const files = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name !== 'tidied')
    .map((file) => join(file.parentPath, file.name));
}

test('each form unpacks to the index, and the Release names all of them with their hashes', async () => {
  const content = stanzas(3000);
  const { entries, inRelease } = await publisher()(publication(content, { compressions: ['gz', 'zst', 'xz'] }));
  const plain = Buffer.concat(content.flatMap((stanza) => [stanza, Buffer.from('\n')]));
  const release = parseRelease(await bytesOf(named(entries, 'dists/stable/Release')), 'Release');
  const folder = 'main/binary-amd64';
  expect(release.files.get(`${folder}/Packages`)).toEqual({ sizeBytes: plain.length, sha256: hash('sha256', plain) });
  for (const form of ['gz', 'zst', 'xz']) {
    const entry = named(entries, `dists/stable/${folder}/Packages.${form}`);
    expect(await unpacked(entry)).toBe(hash('sha256', plain));
    expect(release.files.get(`${folder}/Packages.${form}`)).toEqual({
      sizeBytes: entry.sizeBytes,
      sha256: entry.sha256,
    });
    expect(named(entries, `dists/stable/${folder}/by-hash/SHA256/${entry.sha256}`).sha256).toBe(entry.sha256);
    expect(hash('sha256', await bytesOf(entry))).toBe(entry.sha256);
  }
  expect(release).toMatchObject({
    ...{ date: DATE, acquireByHash: true, noSupportForArchitectureAll: true, validUntil: undefined },
    ...{ architectures: ['amd64'], components: ['main'] },
  });
  expect(named(entries, 'dists/stable/InRelease')).toMatchObject(inRelease);
  expect(entries.map(({ path }) => path)).toEqual(entries.map(({ path }) => path).sort());
});

test('the same input gives the same bytes, whatever the cache holds', async () => {
  const wanted = publication(stanzas(3000));
  const first = await publisher()(wanted);
  expect(await publisher()(wanted)).toEqual(first);
  const kept = await pieces();
  expect(kept.length).toBeGreaterThan(6);
  // Damaged, torn, empty.
  await chmod(kept[0] as string, 0o600);
  const [torn, empty, flipped] = kept as [string, string, string];
  await writeFile(torn, (await readFile(torn)).subarray(0, 40));
  await writeFile(empty, '');
  const bytes = await readFile(flipped);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(flipped, bytes);
  expect(await publisher()(wanted)).toEqual(first);
  await rm(cacheDir, { recursive: true });
  expect(await publisher()(wanted)).toEqual(first);
  // No folder can be made where a file stands.
  await rm(cacheDir, { recursive: true });
  await writeFile(cacheDir, '');
  expect(await publisher()(wanted)).toEqual(first);
});

test('a changed package compresses one piece', async () => {
  await publisher()(publication(stanzas(8000), { compressions: ['gz'] }));
  const before = await pieces();
  await publisher()(
    publication(
      stanzas(8000, (index) => (index === 4000 ? '2' : '1')),
      { compressions: ['gz'] },
    ),
  );
  expect(before.length).toBeGreaterThan(5);
  expect((await pieces()).length).toBe(before.length + 1);
});

test('by-hash keeps three generations; a repeated publication pushes none out', async () => {
  const publish = publisher();
  const hashes: string[] = [];
  let previous: Publication['previous'];
  let entries: readonly ManifestEntry[] = [];
  for (const version of ['0', '1', '2', '3', '3', '3']) {
    const wanted = publication(
      stanzas(3, () => version),
      { compressions: ['gz'], previous },
    );
    const published = await publish(wanted);
    ({ entries } = published);
    previous = published.generations;
    hashes.push(named(entries, 'dists/stable/main/binary-amd64/Packages.gz').sha256);
  }
  const there = entries.flatMap(({ path }) => /by-hash\/SHA256\/(.+)$/.exec(path)?.[1] ?? []);
  expect(there.sort()).toEqual([...new Set(hashes)].slice(-3).sort());
});

test('empty indexes are valid files in each form', async () => {
  const { entries } = await publisher()(publication([], { compressions: ['gz', 'zst', 'xz'] }));
  for (const form of ['gz', 'zst', 'xz'])
    expect(await unpacked(named(entries, `dists/stable/main/binary-amd64/Packages.${form}`))).toBe(hash('sha256', ''));
});

test('Sources, Translation and a separate index for all have their places; Valid-Until is optional', async () => {
  const input = (kind: IndexInput['kind'], architecture: string): IndexInput => ({
    ...{ component: 'contrib', kind, architecture },
    stanzas: () => stanzas(1),
  });
  const indexes = [
    input('Packages', 'all'),
    input('Packages', 'arm64'),
    input('Sources', 'source'),
    input('Translation', 'en'),
  ];
  const validUntil = new Date('2026-02-01T00:00:00Z');
  const more = { indexes, validUntil, notAutomatic: true, compressions: undefined, architectures: ['arm64'] };
  const { entries } = await publisher()(publication([], more));
  const plain = ['binary-all/Packages', 'binary-arm64/Packages', 'i18n/Translation-en', 'source/Sources'];
  const expected = plain.flatMap((path) => [`dists/stable/contrib/${path}.gz`, `dists/stable/contrib/${path}.zst`]);
  expect(entries.map(({ path }) => path).filter((path) => /(gz|zst)$/.test(path))).toEqual(expected);
  const release = parseRelease(await bytesOf(named(entries, 'dists/stable/Release')), 'Release');
  expect(release).toMatchObject({
    ...{ architectures: ['all', 'arm64'], noSupportForArchitectureAll: false, validUntil, notAutomatic: true },
  });
});

test('indexes are stored before the Release that names them', async () => {
  const { objects } = publishing.store;
  const order: string[] = [];
  const watching: ObjectStore = Object.create(objects, {
    put: {
      value: async (source: Iterable<Uint8Array>) => {
        const ref = await objects.put(source);
        order.push(ref.sha256);
        return ref;
      },
    },
    flush: {
      value: async () => {
        order.push('flush');
        await objects.flush();
      },
    },
  });
  const { entries, inRelease } = await publisher(watching)(publication(stanzas(10)));
  const flush = order.indexOf('flush');
  for (const form of ['gz', 'zst'])
    expect(order.indexOf(named(entries, `dists/stable/main/binary-amd64/Packages.${form}`).sha256)).toBeLessThan(flush);
  expect(order.indexOf(inRelease.sha256)).toBeGreaterThan(flush);
  expect(order.at(-1)).toBe('flush');
});

test('what fails on the way is thrown on: a torn source, a full store, a stop, stanzas out of order', async () => {
  const torn = function* () {
    yield* stanzas(3000);
    throw new Error('the source is torn');
  };
  const packages = { component: 'main', kind: 'Packages', architecture: 'amd64' } as const;
  await expect(publisher()(publication([], { indexes: [{ ...packages, stanzas: torn }] }))).rejects.toThrow('is torn');

  const { objects } = publishing.store;
  const full: ObjectStore = Object.create(objects, {
    put: {
      value: async (source: AsyncIterable<Uint8Array>) => {
        for await (const _ of source) throw new Error('no space');
      },
    },
  });
  await expect(publisher(full)(publication(stanzas(20_000)))).rejects.toThrow('no space');

  const signal = AbortSignal.abort();
  await expect(publisher()(publication(stanzas(9)), { signal })).rejects.toMatchObject({ code: 'cancelled' });
  await expect(publisher()(publication(stanzas(9).reverse()))).rejects.toThrow('sorted by Package');
});
