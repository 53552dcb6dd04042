/** What a change does not touch is taken over from the metadata before, and nobody can tell. */
import { hash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addSignature } from '../../../src/exec/rpmsign.ts';
import { comparePaths } from '../../../src/formats/path.ts';
import { METADATA_TYPES } from '../../../src/formats/rpm/publication.ts';
import { parseRepomd } from '../../../src/formats/rpm/repomd.ts';
import { PieceCache } from '../../../src/publish/piece-cache.ts';
import { beginsPiece } from '../../../src/publish/piece-cutting.ts';
import { changeRpmRepo, createRpmRepo, type RpmRepoDeps } from '../../../src/publish/yum/local-repo.ts';
import { createRpmPublisher } from '../../../src/publish/yum/publish-yum.ts';
import { type StoredPiece, type StoredRecord, storedParts } from '../../../src/publish/yum/stored-metadata.ts';
import { lookupPath } from '../../../src/store/manifest.ts';
import { flipBit } from '../../support/corrupt.ts';
import { Publishing } from '../../support/publishing.ts';
import { writeRpm } from '../../support/write-rpm.ts';

/** Every third begins a piece; those between lie between. */
const BEGINNERS = Array.from({ length: 20_000 }, (_, n) => `n${n}`)
  .filter((name) => beginsPiece(Buffer.from(name)))
  .slice(0, 5)
  .sort(comparePaths);
const NAMES = ['a', ...BEGINNERS.flatMap((name) => [name, `${name}-a`, `${name}-b`])];

let publishing: Publishing;
let cacheDir = '';
let deps: RpmRepoDeps;
const rpms = new Map<string, Buffer>();
beforeEach(async () => {
  publishing = await Publishing.make();
  cacheDir = await publishing.store.file('cache', 'rpm');
  deps = depsWith(cacheDir);
  for (const name of NAMES)
    rpms.set(name, Buffer.from((await writeRpm({ name, version: '1', arch: 'x86_64' })).bytes ?? ''));
});
afterEach(() => publishing.close());

function depsWith(dir: string): RpmRepoDeps {
  const { store, key } = publishing;
  const { objects } = store;
  const publish = createRpmPublisher({ objects, cacheDir: dir, signer: key, listKeys: async () => key.publicArmored });
  const signing = { key: async () => ({ ...key, info: key }), addSignature };
  return { store, publish, pieces: new PieceCache(dir), signing, now: () => publishing.clock };
}

const files = (names: Iterable<string>) =>
  [...names].map((name) => ({ origin: name, source: [rpms.get(name) ?? Buffer.alloc(0)] }));

async function entryAt(mirror: string, path: string) {
  const { heads, objects } = publishing.store;
  const root = (await heads.read(mirror))?.manifest.root ?? '';
  const entry = await lookupPath(objects, root, path);
  if (entry === undefined) throw new Error(`${mirror} has no ${path}`);
  return { root, entry, bytes: (await objects.read(entry.sha256, 1e9)) ?? Buffer.alloc(0) };
}

/** The files of metadata by their hashes, packed and unpacked. */
async function metadata(mirror: string) {
  const { bytes } = await entryAt(mirror, 'repodata/repomd.xml');
  const { records } = await parseRepomd(bytes, 'repomd.xml');
  return records.map(({ type, path, checksum, openChecksum }) => ({ type, path, checksum, openChecksum }));
}

async function partsOf(type: (typeof METADATA_TYPES)[number], touched: Iterable<string>) {
  const { root } = await entryAt('own', 'repodata/repomd.xml');
  const wanted = { type, compression: 'gz', touched: new Set(touched) } as const;
  const parts: (StoredRecord[] | StoredPiece)[] = [];
  const stored = { objects: publishing.store.objects, cache: deps.pieces };
  for await (const part of storedParts(stored, root, wanted)) parts.push(part);
  return parts;
}

const namesIn = (parts: readonly (StoredRecord[] | StoredPiece)[]): string[] =>
  parts.flatMap((part) => (Array.isArray(part) ? part.map(({ name }) => name) : []));

describe.each(['gz', 'zst'] as const)('%s', (compression) => {
  test('changes in any steps give the bytes of all at once without a cache', async () => {
    let run = 0;
    const step = fc.record({ add: fc.subarray(NAMES), remove: fc.subarray(NAMES), forget: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        run += 1;
        const [own, fresh] = [`own-${run}`, `fresh-${run}`];
        const there = new Set<string>();
        await createRpmRepo(deps, own, { compression });
        for (const { add, remove, forget } of steps) {
          if (forget) await rm(cacheDir, { recursive: true, force: true });
          deps = depsWith(cacheDir);
          await changeRpmRepo(deps, own, { remove: remove.map((name) => ({ name })) });
          await changeRpmRepo(deps, own, { add: files(add) });
          for (const name of remove) there.delete(name);
          for (const name of add) there.add(name);
        }
        const empty = depsWith(await publishing.store.file('cache', fresh));
        await createRpmRepo(empty, fresh, { compression });
        await changeRpmRepo(empty, fresh, { add: files(there) });
        expect(await metadata(own)).toEqual(await metadata(fresh));
      }),
      { numRuns: 8 },
    );
  });
});

describe('of a repository of some pieces', () => {
  beforeEach(async () => {
    await createRpmRepo(deps, 'own', { compression: 'gz' });
    await changeRpmRepo(deps, 'own', { add: files(NAMES) });
  });

  test('records around what changes are read, everything else comes as it was packed', async () => {
    const [first = '', second = '', third = ''] = BEGINNERS;
    for (const type of METADATA_TYPES) {
      const inside = await partsOf(type, [`${second}-a`]);
      expect(namesIn(inside)).toEqual([second, `${second}-a`, `${second}-b`]);
      expect(inside.filter((part) => !Array.isArray(part))).toHaveLength(BEGINNERS.length);
      // It may vanish, and the piece before goes on then.
      expect(namesIn(await partsOf(type, [second]))).toEqual(
        [first, second].flatMap((name) => [name, `${name}-a`, `${name}-b`]),
      );
      expect(namesIn(await partsOf(type, ['0', third]))).toContain('a');
      expect(namesIn(await partsOf(type, []))).toEqual([]);
    }
  });

  test('without a cache all is read', async () => {
    await rm(cacheDir, { recursive: true });
    expect(namesIn(await partsOf('primary', []))).toEqual(NAMES);
  });

  test('a damaged list of pieces is none', async () => {
    for (const file of await listFiles()) await flipBit(file, 40);
    expect(namesIn(await partsOf('primary', []))).toEqual(NAMES);
  });

  test('a list that says something else of the file is refused, and nothing changes', async () => {
    const before = await metadata('own');
    for (const file of await listFiles()) {
      const payload = Buffer.from((await readFile(file)).subarray(32).toString().replaceAll('"n', '"m'));
      await writeFile(file, Buffer.concat([hash('sha256', payload, 'buffer'), payload]));
    }
    await expect(changeRpmRepo(deps, 'own', { remove: [{ name: 'a' }] })).rejects.toMatchObject({
      code: 'store.corrupt',
    });
    expect(await metadata('own')).toEqual(before);
  });

  test('a stored file with other bytes is refused, even where it unpacks to the same', async () => {
    const before = await metadata('own');
    for (const { path } of before.filter(({ type }) => type === 'other')) {
      const { entry } = await entryAt('own', path);
      const file = publishing.store.objects.localPath?.(entry.sha256) ?? '';
      // The time of the first gzip member (RFC 1952 §2.3.1): no checksum covers it.
      await flipBit(file, 4);
    }
    await expect(changeRpmRepo(deps, 'own', { remove: [{ name: 'a' }] })).rejects.toMatchObject({
      code: 'store.bad-object',
    });
    expect(await metadata('own')).toEqual(before);
  });
});

async function listFiles(): Promise<string[]> {
  const paths = await readdir(join(cacheDir, 'lists-1'), { recursive: true });
  return paths.filter((path) => path.length > 60).map((path) => join(cacheDir, 'lists-1', path));
}
