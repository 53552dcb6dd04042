/** Runs exactly the script that docs/restore.md shows. */
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createSigningKey, unlockSigningKey } from '../../src/trust/signing-key.ts';
import { type BundlePair, contentOf, filesBelow, makePair } from '../support/bundle-pair.ts';
import { flipBit } from '../support/corrupt.ts';
import { randomFiles } from '../support/random-files.ts';
import { EPOCH, setMirror, takeSnapshot } from '../support/sender-store.ts';

let script = '';

beforeAll(async () => {
  const page = await readFile(new URL('../../docs/restore.md', import.meta.url), 'utf8');
  script = /^```sh\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
});

/** `sh` is dash on Debian: what it takes, a POSIX shell takes. */
async function restore(
  pair: BundlePair,
  folders: readonly string[],
  fingerprint?: string,
): Promise<{ status: number; output: string }> {
  const file = pair.path('restore.sh');
  await writeFile(file, script);
  const pinned = fingerprint ?? (await pair.senderRoots.ownFingerprint()) ?? '';
  return new Promise((resolve) => {
    execFile('sh', [file, pinned, pair.path('restored'), ...folders], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
    });
  });
}

async function expectTree(pair: BundlePair, snapshot: string, mirror: string): Promise<void> {
  const tree = pair.path('restored', 'snapshots', snapshot, mirror);
  const restored: Record<string, string> = {};
  for (const name of await filesBelow(tree)) restored[name] = hash('sha256', await readFile(join(tree, name)), 'hex');
  const sent = await contentOf(pair.sender.store, 'stable', mirror);
  const expected = Object.entries(sent).map(([path, content]) => [
    path,
    hash('sha256', Buffer.from(content, 'latin1'), 'hex'),
  ]);
  expect(restored).toEqual(Object.fromEntries(expected));
}

const files = {
  ...randomFiles(40, 6000),
  'pool/main/g/g++ 12/g++_12~rc1-1%3a2_amd64.deb': randomFiles(1, 3000, 'odd').f0 ?? '',
  'pool/ü/  two  spaces ': 'odd names',
  'images/large.iso': randomFiles(1, 150_000, 'large').f0 ?? '',
  empty: '',
};

describe('docs/restore.md', () => {
  test('the script has fewer than 60 lines', () => {
    expect(script.startsWith('#!/bin/sh\n')).toBe(true);
    expect(script.trimEnd().split('\n').length).toBeLessThan(60);
  });

  test('restores several volumes with extents, then a delta on top, under a rotated key', async () => {
    const pair = await makePair();
    await setMirror(pair.sender.store, 'debian', files);
    await setMirror(pair.sender.store, 'nothing', {});
    const first = await takeSnapshot(pair.sender, 1, 'stable');
    const full = await pair.send({ volumeSizeBytes: 150_000, packSizeBytes: 60_000, parityPercent: 0 });
    expect(full.folders.length).toBeGreaterThan(1);
    expect(await restore(pair, [...full.folders].reverse())).toEqual({ status: 0, output: '' });
    await expectTree(pair, first.id, 'debian');

    const created = await createSigningKey({ userId: 'next', algorithm: 'ed25519', date: EPOCH });
    const signer = await unlockSigningKey(created.privateArmored);
    const next = { fingerprint: signer.info.fingerprint, publicKey: signer.publicArmored() };
    await pair.senderRoots.rotate(next, { now: EPOCH, revokeOld: false });
    await pair.senderRoots.rotateRootKey({ now: EPOCH });
    await pair.senderRoots.rotate(next, { now: EPOCH, revokeOld: false });
    await setMirror(pair.sender.store, 'debian', { ...files, 'pool/new.deb': 'new', f3: 'changed' });
    const second = await takeSnapshot({ ...pair.sender, signer }, 2, 'stable');
    Object.assign(pair.exportDeps, { signer, roots: await pair.senderRoots.own() });
    const delta = await pair.send({ base: { snapshot: first.id }, to: pair.path('delta') });
    expect(delta.objects).toBeLessThan(8);
    expect(await restore(pair, delta.folders)).toEqual({ status: 0, output: '' });
    await expectTree(pair, second.id, 'debian');
  });

  test('stops at what is wrong and says it', async () => {
    const pair = await makePair();
    await setMirror(pair.sender.store, 'debian', randomFiles(12, 6000));
    await takeSnapshot(pair.sender, 1, 'stable');
    const { folders } = await pair.send({ volumeSizeBytes: undefined });
    const [folder = ''] = folders;
    const wrong = async (file: string, position: number, message: RegExp): Promise<void> => {
      const back = await flipBit(join(folder, file), position);
      const { status, output } = await restore(pair, folders);
      expect({ status: status !== 0, output }).toEqual({ status: true, output: expect.stringMatching(message) });
      await back();
    };
    await wrong('pack-0001.tar', 700, /damaged: .*pack-0001\.tar/);
    await wrong('pack-0001.tar', 60, /pack-0001\.tar/);
    await wrong('contents.txt', 3, /wrong bytes: .*contents\.txt/);
    await wrong('bundle.json', 200, /bad signature: .*bundle\.json/);
    await wrong('roots/1.json', 300, /bad signature: .*1\.json/);
    const other = `${'A'.repeat(39)}B`;
    expect(await restore(pair, folders, other)).toMatchObject({
      output: expect.stringContaining(`is not signed by ${other}`),
    });
    await rename(folder, pair.path('whole'));
    expect(await restore(pair, [pair.path('whole')])).toEqual({ status: 0, output: '' });
  });
});
