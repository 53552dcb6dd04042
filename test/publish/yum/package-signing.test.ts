/** Packages signed as they come in, by real rpmsign, and held against real rpm. */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addSignature } from '../../../src/exec/rpmsign.ts';
import type { RepoReport } from '../../../src/publish/local-repo.ts';
import { PieceCache } from '../../../src/publish/piece-cache.ts';
import { changeRpmRepo, createRpmRepo, type RpmRepoDeps } from '../../../src/publish/yum/local-repo.ts';
import { createRpmPublisher } from '../../../src/publish/yum/publish-yum.ts';
import { createSigningKey, unlockSigningKey } from '../../../src/trust/signing-key.ts';
import type { SigningKey } from '../../../src/trust/types.ts';
import { buildRpms } from '../../support/build-rpm.ts';
import { Publishing } from '../../support/publishing.ts';
import { writeRpm } from '../../support/write-rpm.ts';

const run = promisify(execFile);

let publishing: Publishing;
let key: SigningKey;
let deps: RpmRepoDeps;
let built: Buffer;
beforeEach(async () => {
  publishing = await Publishing.make();
  key = await newKey('ed25519');
  const { store } = publishing;
  const cacheDir = await store.file('cache', 'rpm');
  const publish = createRpmPublisher({
    objects: store.objects,
    cacheDir,
    signer: { detached: (bytes, date) => key.detached(bytes, date) },
    listKeys: async () => key.publicArmored(),
  });
  const [pieces, signing] = [new PieceCache(cacheDir), { key: async () => key, addSignature }];
  deps = { store, publish, pieces, signing, now: () => publishing.clock };
  await createRpmRepo(deps, 'own', { compression: 'gz', signPackages: true });
  built = await buildOne();
});
afterEach(() => publishing.close());

async function newKey(algorithm: 'ed25519' | 'rsa4096'): Promise<SigningKey> {
  const made = await createSigningKey({ userId: 'Own <own@example.org>', algorithm, date: new Date('2020-01-01') });
  return unlockSigningKey(made.privateArmored);
}

async function buildOne(): Promise<Buffer> {
  const spec = `Name: agent
Version: 1.2
Release: 3
Summary: an agent
License: MIT
BuildArch: noarch
%description
An agent.
%files
`;
  const folder = join(publishing.dir, 'build');
  const names = await buildRpms(Buffer.from(spec), folder, folder);
  return readFile(join(folder, names.find((name) => name.endsWith('.noarch.rpm')) ?? ''));
}

const add = (source: Buffer, more: { force?: boolean } = {}): Promise<RepoReport> =>
  changeRpmRepo(deps, 'own', { add: [{ origin: 'agent.rpm', source: [source] }], ...more });

/** What rpm says of the package as it lies in the store, by this key alone. */
async function checkedByRpm(sha256: string, by: SigningKey = key): Promise<string> {
  const file = join(publishing.dir, 'signed.rpm');
  await writeFile(file, (await publishing.store.objects.read(sha256, 1e9)) ?? '');
  const [keys, db] = [join(publishing.dir, 'key.asc'), join(publishing.dir, `rpmdb-${by.info.fingerprint}`)];
  await writeFile(keys, by.publicArmored());
  await run('rpmkeys', ['--dbpath', db, '--import', keys]);
  const answer = await run('rpmkeys', ['--dbpath', db, '--checksig', '-v', file]).catch((error) => error);
  return answer.stdout;
}

test.each(['ed25519', 'rsa4096'] as const)('rpm finds the signature of an %s key good', async (algorithm) => {
  key = await newKey(algorithm);
  const { added } = await add(built);
  const words = await checkedByRpm(added[0]?.sha256 ?? '');
  expect(words).toMatch(/Header V4 \w+\/SHA\d+ Signature, key ID [0-9a-f]{8}: OK/);
  expect(words).toContain('Payload SHA256 digest: OK');
  expect(words).not.toMatch(/BAD|NOKEY|MISSING|NOTTRUSTED/);
});

test('another key does not find it good', async () => {
  const { added } = await add(built);
  expect(await checkedByRpm(added[0]?.sha256 ?? '', await newKey('ed25519'))).toMatch(/Signature, key ID \w+: NOKEY/);
});

test('the same package is the same bytes whenever it comes in, and is there already', async () => {
  const { added } = await add(built);
  publishing.clock = new Date('2026-02-02T00:00:00Z');
  expect(await add(built)).toMatchObject({ added: [], unchanged: [{ sha256: added[0]?.sha256 }] });
  const signed = Buffer.from((await publishing.store.objects.read(added[0]?.sha256 ?? '', 1e9)) ?? []);
  expect(signed.equals(built)).toBe(false);
  expect(await add(signed)).toMatchObject({ added: [], unchanged: [{}] });
});

test('after a change of the key, --force signs a package anew', async () => {
  await add(built);
  const before = key;
  key = await newKey('ed25519');
  await expect(add(built)).rejects.toMatchObject({ code: 'repo.conflict' });
  const { added } = await add(built, { force: true });
  expect(await checkedByRpm(added[0]?.sha256 ?? '')).toMatch(/Signature, key ID \w+: OK/);
  const head = await publishing.store.heads.read('own');
  expect(head?.evidence).toMatchObject([
    { verified: ['packages'], fingerprints: [before.info.fingerprint, key.info.fingerprint].sort() },
  ]);
});

test('a package whose header says nothing of the payload is refused, and leaves nothing behind', async () => {
  const { bytes } = await writeRpm({ name: 'old', version: '1' }, { payloadDigest: false });
  await expect(add(Buffer.from(bytes ?? []))).rejects.toMatchObject({ code: 'repo.unsignable' });
  expect((await readdir(await publishing.store.file('tmp'))).filter((name) => name.startsWith('sign-'))).toEqual([]);
});

test('rpmsign is given no signature for other bytes than those that were signed', async () => {
  const folder = join(publishing.dir, 'other');
  await run('mkdir', [folder]);
  const names = { package: 'package.rpm', signed: 'header', signature: 'signature' };
  await writeFile(join(folder, 'package.rpm'), built);
  await writeFile(join(folder, 'header'), 'something else');
  await writeFile(join(folder, 'signature'), 'whatever');
  await expect(addSignature({ folder, ...names })).rejects.toMatchObject({ code: 'exec.failed' });
  expect((await readFile(join(folder, 'package.rpm'))).equals(built)).toBe(true);
});
