import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseRelease, writeRelease } from '../../src/formats/apt/release.ts';
import { changeRepo, createRepo } from '../../src/publish/local-repo.ts';
import { resignMirror } from '../../src/publish/resign.ts';
import { diffManifests, lookupPath } from '../../src/store/manifest.ts';
import { editManifest } from '../../src/store/manifest-edit.ts';
import type { ManifestRef } from '../../src/store/types.ts';
import { buildDeb } from '../support/fake-deb.ts';
import { Publishing } from '../support/publishing.ts';

let publishing: Publishing;
let first: ManifestRef;
beforeEach(async () => {
  publishing = await Publishing.make();
  await createRepo(publishing.repo, 'own', { suite: 'stable' });
  first = await add('1');
});
afterEach(() => publishing.close());

async function add(version: string): Promise<ManifestRef> {
  const source = [await buildDeb({ name: 'tool', version })];
  return (await changeRepo(publishing.repo, 'own', { add: [{ origin: 'tool.deb', source }] })).manifest;
}

async function release({ root }: ManifestRef) {
  const { objects } = publishing.store;
  const entry = await lookupPath(objects, root, 'dists/stable/Release');
  return parseRelease((await objects.read(entry?.sha256 ?? '', 1e6)) ?? '', 'Release');
}

async function resigned(manifest: ManifestRef, now: string, replaces?: ManifestRef): Promise<ManifestRef> {
  const request = { mirror: { name: 'own', form: 'local', manifest }, now: new Date(now), replaces } as const;
  const result = await resignMirror({ objects: publishing.store.objects, signer: publishing.key }, request);
  if (!result.possible) throw new Error('expected a state that can be signed');
  expect((await release(result.manifest)).date).toEqual(result.date);
  return result.manifest;
}

test('only the Release files are others; the date stays, the validity runs from now for as long as it did', async () => {
  const { objects } = publishing.store;
  const before = await release(first);
  const validUntil = new Date((before.date?.getTime() ?? 0) + 7 * 86_400_000);
  const text = writeRelease({ ...before, validUntil, signedBy: 'ABCD' });
  const ref = await objects.put([Buffer.from(text)]);
  const set = [{ path: 'dists/stable/Release', ...ref }];
  const dated = await editManifest(objects, first.root, { set });

  const manifest = await resigned(dated, '2026-05-01T00:00:00.789Z');
  const changed = [];
  for await (const { path, before: was, after } of diffManifests(objects, dated.root, manifest.root)) {
    expect([was, after]).not.toContain(undefined);
    changed.push(path);
  }
  expect(changed).toEqual(['dists/stable/InRelease', 'dists/stable/Release', 'dists/stable/Release.gpg']);
  expect(await release(manifest)).toEqual({
    ...before,
    validUntil: new Date('2026-05-08T00:00:00Z'),
    order: expect.anything(),
  });
});

test('is of the date of what it replaces, so that what comes next is newer; its by-hash files stay', async () => {
  publishing.clock = new Date('2026-06-01T00:00:00Z');
  const second = await add('2');
  const manifest = await resigned(first, '2026-07-01T00:00:00Z', second);
  expect((await release(manifest)).date).toEqual(publishing.clock);
  const { objects } = publishing.store;
  const index = await lookupPath(objects, second.root, 'dists/stable/main/binary-amd64/Packages.gz');
  const path = `dists/stable/main/binary-amd64/by-hash/SHA256/${index?.sha256}`;
  expect(await lookupPath(objects, first.root, path)).toBeUndefined();
  expect(await lookupPath(objects, manifest.root, path)).toMatchObject({ sha256: index?.sha256 });
});

test('what the upstream has signed cannot be signed anew', async () => {
  const request = { mirror: { name: 'debian', form: 'verbatim', manifest: first }, now: new Date() } as const;
  const result = await resignMirror({ objects: publishing.store.objects, signer: publishing.key }, request);
  expect(result).toEqual({ possible: false, reason: 'upstream-signed' });
});
