/** What a stranger may do to media and bundles: each is refused, and nothing becomes visible. */

import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExportReport } from '../../src/bundle/export.ts';
import { importBundle } from '../../src/bundle/import.ts';
import { makeBundle } from '../../src/bundle/root-document.ts';
import { memberBytes, writeHeader } from '../../src/bundle/ustar.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import { canonicalJson } from '../../src/store/canonical-json.ts';
import { createSigningKey, unlockSigningKey } from '../../src/trust/signing-key.ts';
import { type BundlePair, clonePair, contentOf, fastFolder, makePair, makePairIn } from '../support/bundle-pair.ts';
import { overwrite } from '../support/corrupt.ts';
import { randomFiles } from '../support/random-files.ts';
import { EPOCH, makeSender, setMirror, takeSnapshot } from '../support/sender-store.ts';

const DAY_MS = 86_400_000;

interface Sent {
  readonly pair: BundlePair;
  readonly report: ExportReport;
  /** Folder of the only volume. */
  readonly volume: string;
}

let original: Sent;

beforeAll(async () => {
  original = await fill(await makePairIn(await fastFolder()), {});
});

afterAll(async () => {
  await original.pair.sender.store.close();
  await original.pair.receiver.store.close();
  await rm(original.pair.dir, { recursive: true });
});

const SIZES = { volumeSizeBytes: undefined, packSizeBytes: 40_000 };

/** One volume, several packs; made once and copied, unless with other options. */
async function sent(options?: Parameters<BundlePair['send']>[0]): Promise<Sent> {
  if (options !== undefined) return fill(await makePair(), options);
  const pair = await clonePair(original.pair);
  return { pair, report: original.report, volume: pair.path('media', basename(original.volume)) };
}

async function fill(pair: BundlePair, options: Parameters<BundlePair['send']>[0]): Promise<Sent> {
  await setMirror(pair.sender.store, 'debian', randomFiles(30, 6000));
  await takeSnapshot(pair.sender, 1, 'stable');
  const report = await pair.send({ ...SIZES, ...options });
  return { pair, report, volume: report.folders[0] ?? '' };
}

async function expectUntouched({ receiver }: BundlePair): Promise<void> {
  expect(await receiver.store.channels.list()).toEqual([]);
  expect(await receiver.store.heads.list()).toEqual([]);
  expect(await receiver.store.snapshots.list()).toEqual([]);
}

async function expectRefused(pair: BundlePair, code: string, message: RegExp): Promise<void> {
  await expect(pair.take()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  await expectUntouched(pair);
}

const firstMember = async (volume: string): Promise<{ name: string; sizeBytes: number }> => {
  const [sha256 = '', size = ''] =
    (await readFile(join(volume, 'contents.txt'), 'utf8')).split('\n')[0]?.split(' ') ?? [];
  return { name: `objects/${sha256.slice(0, 2)}/${sha256}`, sizeBytes: Number(size) };
};

describe('arbitrary content', () => {
  test('other bytes of an object: named, and the rest of the bundle is kept', async () => {
    const { pair, report, volume } = await sent();
    const { name } = await firstMember(volume);
    await overwrite(join(volume, 'pack-0001.tar'), 512, Buffer.from('evil'));
    await expectRefused(pair, 'bundle.damaged', new RegExp(name.slice(11)));
    await rm(volume, { recursive: true });
    await pair.send({ volumeSizeBytes: undefined, packSizeBytes: 40_000 });
    expect(await pair.take()).toMatchObject({ imported: true, bundle: { id: report.bundle.id } });
  });

  test('a root that nobody signed', async () => {
    const { pair, report, volume } = await sent();
    const forged = makeBundle({
      ...report.bundle.root,
      sequence: report.bundle.root.sequence,
      expires: '2099-01-01T00:00:00Z',
    });
    await writeFile(join(volume, 'bundle.json'), forged.bytes);
    await expectRefused(pair, 'trust.bad-signature', /bundle\.json/);
  });

  test('no signature at all', async () => {
    const { pair, volume } = await sent();
    await rm(join(volume, 'bundle.json.asc'));
    await expectRefused(pair, 'trust.unsigned', /bundle\.json\.asc/);
  });
});

describe('keys', () => {
  test('a bundle of a sender that was never trusted here', async () => {
    const { pair } = await sent();
    const stranger = await makePair();
    const deps = { ...stranger.importDeps };
    await expect(importBundle(deps, { from: [pair.path('media')] }, {})).rejects.toMatchObject({
      code: 'trust.key-unknown',
    });
    await expectUntouched(stranger);
  });

  test('another key than the chain of roots names', async () => {
    const { pair, report, volume } = await sent();
    const mallory = await makeSender(pair.path('mallory'), 'mallory');
    await writeFile(join(volume, 'bundle.json.asc'), await mallory.signer.detached(report.bundle.bytes, EPOCH));
    await expectRefused(pair, 'trust.key-unknown', /bundle\.json/);
    await mallory.store.close();
  });

  test('a chain of roots that does not begin at the pinned one', async () => {
    const { pair, report, volume } = await sent();
    const forged = Buffer.from(
      (await readFile(join(volume, 'roots/1.json'), 'utf8')).replace('"version":1', '"version":2'),
    );
    const sha256 = hash('sha256', forged, 'hex');
    const bundle = makeBundle({ ...report.bundle.root, roots: [{ version: 1, sha256 }] });
    await writeFile(join(volume, 'roots/1.json'), forged);
    await writeFile(join(volume, 'bundle.json'), bundle.bytes);
    await writeFile(join(volume, 'bundle.json.asc'), await pair.sender.signer.detached(bundle.bytes));
    await expectRefused(pair, 'trust.bad-signature', /version/);
  });

  test('a key that a newer root revoked, though the bundle is otherwise in order', async () => {
    const { pair } = await sent();
    await pair.take();
    const created = await createSigningKey({ userId: 'next', algorithm: 'ed25519', date: EPOCH });
    const next = await unlockSigningKey(created.privateArmored);
    const nextKey = { fingerprint: next.info.fingerprint, publicKey: next.publicArmored() };
    await pair.senderRoots.rotate(nextKey, { now: EPOCH, revokeOld: true });
    await setMirror(pair.sender.store, 'debian', { a: 'newer' });
    await takeSnapshot({ ...pair.sender, signer: next }, 2, 'stable');
    // The thief of the old key signs a bundle with it, the new root in its chain.
    const stolen = { ...pair.exportDeps, roots: await pair.senderRoots.own() };
    Object.assign(pair.exportDeps, stolen);
    await pair.send({ to: pair.path('stolen') });
    await expect(pair.take({ from: [pair.path('stolen')] })).rejects.toMatchObject({ code: 'trust.key-unknown' });
    Object.assign(pair.exportDeps, { signer: next, now: () => new Date(EPOCH.getTime() + 40 * DAY_MS) });
    await rm(join(pair.sender.store.dir, 'bundles'), { recursive: true });
    await pair.send({ to: pair.path('good') });
    expect(await pair.take({ from: [pair.path('good')] })).toMatchObject({ imported: true });
    expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toEqual({ a: 'newer' });
  });
});

describe('time', () => {
  test('rollback to an older sequence, unless it is allowed', async () => {
    const { pair, report } = await sent();
    await setMirror(pair.sender.store, 'debian', { a: 'newer' });
    await takeSnapshot(pair.sender, 2, 'stable');
    await pair.send({ to: pair.path('newer') });
    await pair.take({ from: [pair.path('newer')] });
    await expect(pair.take()).rejects.toMatchObject({ code: 'trust.rollback' });
    expect(await contentOf(pair.receiver.store, 'stable', 'debian')).toEqual({ a: 'newer' });
    expect(await pair.take({ allow: ['rollback'] })).toMatchObject({
      imported: true,
      bundle: { id: report.bundle.id },
    });
    expect(Object.keys(await contentOf(pair.receiver.store, 'stable', 'debian'))).toHaveLength(30);
    // It was allowed once: the mark did not move back, and the newer one is a no-op now.
    expect(await pair.take({ from: [pair.path('newer')] })).toMatchObject({ imported: false });
  });

  test('freeze: an expired bundle is refused, an old one is cried about', async () => {
    const { pair } = await sent({ expiresAfterDays: 10 });
    const expired = { ...pair.importDeps, now: () => new Date(EPOCH.getTime() + 12 * DAY_MS) };
    await expect(importBundle(expired, { from: [pair.path('media')] }, {})).rejects.toMatchObject({
      code: 'trust.expired',
    });
    await expectUntouched(pair);
    const old = { ...pair.importDeps, now: () => new Date(EPOCH.getTime() + 200 * DAY_MS) };
    const taken = await importBundle(old, { from: [pair.path('media')], allow: ['expired'] }, {});
    expect(taken.ageDays).toBe(199);
    expect(taken.warnings.join()).toMatch(/199 days old/);
  });

  test('a sequence that jumps far ahead, and a bundle for another store', async () => {
    const { pair, report, volume } = await sent();
    await pair.take();
    const { root } = report.bundle;
    const resign = async (changed: Partial<typeof root>, snapshot?: Buffer): Promise<void> => {
      const bundle = makeBundle({ ...root, ...changed });
      await writeFile(join(volume, 'bundle.json'), bundle.bytes);
      await writeFile(join(volume, 'bundle.json.asc'), await pair.sender.signer.detached(bundle.bytes));
      if (snapshot !== undefined)
        await writeFile(join(volume, `snapshots/${bundle.root.snapshots[0]?.id}.json`), snapshot);
    };
    const sha256 = 'e'.repeat(64);
    const id = `20000-${sha256.slice(0, 16)}`;
    await resign({ sequence: 20_000, snapshots: [{ id, sha256 }], channels: {} });
    await expect(pair.take()).rejects.toMatchObject({
      code: 'trust.rollback',
      message: expect.stringMatching(/jumps/),
    });
    await resign({ audience: '00000000-0000-4000-8000-000000000000' });
    await expect(pair.take()).rejects.toMatchObject({ code: 'bundle.audience' });
  });
});

describe('mixtures', () => {
  test('volumes of two exports: the strangers are named, and what is missing', async () => {
    const pair = await makePair();
    await setMirror(pair.sender.store, 'debian', randomFiles(60, 6000));
    await takeSnapshot(pair.sender, 1, 'stable');
    const older = await pair.send({ to: pair.path('older'), volumeSizeBytes: 150_000, packSizeBytes: 50_000 });
    await setMirror(pair.sender.store, 'debian', randomFiles(60, 6000, 'others'));
    await takeSnapshot(pair.sender, 2, 'stable');
    const newer = await pair.send({ volumeSizeBytes: 150_000, packSizeBytes: 50_000 });
    await rm(newer.folders[1] ?? '', { recursive: true });
    await rename(older.folders[1] ?? '', join(pair.path('media'), basename(older.folders[1] ?? '')));
    await expectRefused(pair, 'bundle.incomplete', /missing volumes: 2/);
    const verified = await verifyBundle([pair.path('media')], {}, {});
    expect(verified.foreign.map((folder) => basename(folder))).toEqual([basename(older.folders[1] ?? '')]);
    // The same under a name that lies: its root tells.
    await rename(verified.foreign[0] ?? '', newer.folders[1] ?? '');
    await expectRefused(pair, 'bundle.incomplete', /missing volumes: 2/);
  });

  test('a pack of another bundle in place of ours', async () => {
    const { pair, volume } = await sent();
    await setMirror(pair.sender.store, 'debian', randomFiles(30, 6000, 'others'));
    await takeSnapshot(pair.sender, 2, 'stable');
    const other = await pair.send({ to: pair.path('other'), volumeSizeBytes: undefined, packSizeBytes: 40_000 });
    const theirs = await readFile(join(other.folders[0] ?? '', 'pack-0002.tar'));
    const { size } = await stat(join(volume, 'pack-0002.tar'));
    await writeFile(join(volume, 'pack-0002.tar'), theirs);
    await truncate(join(volume, 'pack-0002.tar'), size);
    await expectRefused(pair, 'bundle.invalid', /pack-0002\.tar: it holds a file objects/);
  });

  test('a delta without its base names what is missing', async () => {
    const { pair } = await sent();
    const base = (await pair.sender.store.channels.read('stable'))?.snapshot ?? '';
    await setMirror(pair.sender.store, 'debian', { a: 'newer' });
    await takeSnapshot(pair.sender, 2, 'stable');
    await pair.send({ to: pair.path('delta'), base: { snapshot: base } });
    await expect(pair.take({ from: [pair.path('delta')] })).rejects.toMatchObject({
      code: 'bundle.base-missing',
      message: expect.stringContaining(base),
    });
    await expectUntouched(pair);
  });
});

describe('files and members', () => {
  test('endless data: a file longer than signed is not read', async () => {
    const { pair, volume } = await sent();
    await truncate(join(volume, 'pack-0001.tar'), 2 ** 40);
    await expectRefused(pair, 'bundle.invalid', /1099511627776 bytes, the signed root says/);
    await expect(verifyBundle([volume], {}, {})).rejects.toMatchObject({ code: 'bundle.invalid' });
  });

  test('endless data: a pipe or a device in place of a file', async () => {
    const { pair, volume } = await sent();
    await rm(join(volume, 'pack-0001.tar'));
    execFileSync('mkfifo', [join(volume, 'pack-0001.tar')]);
    await expectRefused(pair, 'bundle.invalid', /not an ordinary file/);
  });

  test('endless data: a root of gigabytes', async () => {
    const { pair, volume } = await sent();
    await truncate(join(volume, 'bundle.json'), 2 ** 40);
    await expectRefused(pair, 'bundle.damaged', /expected at most/);
  });

  test('extraneous files are named and never taken', async () => {
    const { pair, volume } = await sent();
    await writeFile(join(volume, 'pack-0099.tar'), 'x');
    await writeFile(join(volume, 'snapshots', 'evil.json'), '{}');
    const { volumes } = await verifyBundle([volume], {}, {});
    expect(volumes[0]?.strangers).toEqual(['pack-0099.tar', 'snapshots/evil.json']);
    expect(await pair.take()).toMatchObject({ imported: true });
    expect(await pair.receiver.store.snapshots.list()).toHaveLength(1);
  });

  const headers = {
    'a member that the list does not name': (at: Buffer, name: string, sizeBytes: number) =>
      writeHeader(at, 0, { name: `${name.slice(0, -1)}0`, sizeBytes, mtime: EPOCH.getTime() / 1000 + 86_400 }),
    'a path that escapes': (at: Buffer, _name: string, sizeBytes: number) =>
      writeHeader(at, 0, { name: '../../../../etc/cron.d/evil', sizeBytes, mtime: 0 }),
    'a size that is not the signed one': (at: Buffer, name: string) =>
      writeHeader(at, 0, { name, sizeBytes: 1, mtime: 0 }),
    'a symbolic link': (at: Buffer, name: string) => {
      writeHeader(at, 0, { name, sizeBytes: 0, mtime: 0 });
      at.write('2', 156);
      at.write('/etc/shadow', 157);
      at.write('        ', 148);
      const sum = at.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      at.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    },
  };
  test.each(Object.entries(headers))('%s', async (_what, forge) => {
    const { pair, volume } = await sent();
    const { name, sizeBytes } = await firstMember(volume);
    expect(memberBytes(sizeBytes)).toBeGreaterThan(512);
    const header = Buffer.alloc(512);
    forge(header, name, sizeBytes);
    await overwrite(join(volume, 'pack-0001.tar'), 0, header);
    await expectRefused(pair, 'bundle.invalid', /it holds a (file|symbolic link)/);
  });

  test('a symbolic link on the medium: volume, folder, pack or document', async () => {
    for (const name of ['pack-0001.tar', 'contents.txt', 'snapshots', 'roots', 'bundle.json']) {
      const { pair, volume } = await sent();
      await rename(join(volume, name), pair.path('elsewhere'));
      await symlink(pair.path('elsewhere'), join(volume, name));
      await expectRefused(pair, 'bundle.invalid', /symbolic link/);
    }
    const { pair, volume } = await sent();
    await rename(volume, pair.path('elsewhere'));
    await symlink(pair.path('elsewhere'), volume);
    await expectRefused(pair, 'bundle.invalid', /symbolic link/);
  }, 60_000);

  test('data after the end of the archive', async () => {
    const { pair, volume } = await sent();
    await appendFile(join(volume, 'pack-0001.tar'), Buffer.alloc(512));
    await expectRefused(pair, 'bundle.invalid', /the signed root says/);
  });
});

describe('a sender gone bad', () => {
  test('a tampered manifest: what the snapshot names is not what came', async () => {
    const { pair, report, volume } = await sent();
    // A snapshot that is signed, and names a manifest that nobody has.
    const id = report.bundle.root.snapshots[0]?.id ?? '';
    const document = JSON.parse(await readFile(join(volume, `snapshots/${id}.json`), 'utf8'));
    document.mirrors[0].manifest.root = 'a'.repeat(64);
    await replaceSnapshot({ pair, report, volume }, Buffer.from(`${canonicalJson(document)}\n`));
    await expectRefused(pair, 'bundle.invalid', /its manifest names object a{64}/);
  });

  test('a list that names an object which is not carried', async () => {
    const { pair, report, volume } = await sent();
    // The root is signed with a contents list that lacks the last pack.
    const { root } = report.bundle;
    const packs = root.volumes[0]?.packs ?? [];
    const last = packs.at(-1);
    const list = await readFile(join(volume, 'contents.txt'));
    const shorter = list.subarray(0, list.length - (last?.listBytes ?? 0));
    const contents = { ...root.contents, sha256: hash('sha256', shorter, 'hex'), sizeBytes: shorter.length };
    const bundle = makeBundle({ ...root, contents, volumes: [{ packs: packs.slice(0, -1) }] });
    await writeFile(join(volume, 'contents.txt'), shorter);
    await writeFile(join(volume, 'bundle.json'), bundle.bytes);
    await writeFile(join(volume, 'bundle.json.asc'), await pair.sender.signer.detached(bundle.bytes));
    await expectRefused(
      pair,
      'bundle.invalid',
      /f\d+ names object [0-9a-f]{64}, which is neither in the bundle nor here/,
    );
  });

  test('a snapshot that another key signed', async () => {
    const { pair, report, volume } = await sent();
    const mallory = await makeSender(pair.path('mallory'), 'mallory');
    const id = report.bundle.root.snapshots[0]?.id ?? '';
    const bytes = await readFile(join(volume, `snapshots/${id}.json`));
    await writeFile(join(volume, `snapshots/${id}.json.asc`), await mallory.signer.detached(bytes, EPOCH));
    await expectRefused(pair, 'trust.key-unknown', /snapshot 1-/);
    await mallory.store.close();
  });

  test("upstream's own signature does not hold", async () => {
    const { pair } = await sent();
    const deps = {
      ...pair.importDeps,
      verifyEvidence: async () => {
        throw new Error('upstream says no');
      },
    };
    await expect(importBundle(deps, { from: [pair.path('media')] }, {})).rejects.toThrow('upstream says no');
    await expectUntouched(pair);
  });
});

async function replaceSnapshot({ pair, report, volume }: Sent, bytes: Buffer): Promise<void> {
  const sha256 = hash('sha256', bytes, 'hex');
  const id = `1-${sha256.slice(0, 16)}`;
  const bundle = makeBundle({ ...report.bundle.root, snapshots: [{ id, sha256 }], channels: { stable: id } });
  await mkdir(join(volume, 'snapshots'), { recursive: true });
  await writeFile(join(volume, `snapshots/${id}.json`), bytes);
  await writeFile(join(volume, `snapshots/${id}.json.asc`), await pair.sender.signer.detached(bytes, EPOCH));
  await writeFile(join(volume, 'bundle.json'), bundle.bytes);
  await writeFile(join(volume, 'bundle.json.asc'), await pair.sender.signer.detached(bundle.bytes));
}
