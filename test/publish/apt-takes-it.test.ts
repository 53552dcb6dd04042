/** The real apt against what is published: signatures on, nothing else to fall back on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { IndexCompression } from '../../src/formats/apt/publication.ts';
import { changeRepo, createRepo } from '../../src/publish/local-repo.ts';
import { mirrorClientConfig } from '../../src/publish/mirror-client-config.ts';
import { resignMirror } from '../../src/publish/resign.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import type { ManifestRef } from '../../src/store/types.ts';
import { AptClient } from '../support/apt-client.ts';
import { type FakeApt, startFakeApt } from '../support/fake-apt.ts';
import { buildDeb, type FakePackage } from '../support/fake-deb.ts';
import { fakeKey } from '../support/fake-key.ts';
import { filesOf, Publishing } from '../support/publishing.ts';

// A run of apt takes some 0.2 s, and much more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let publishing: Publishing;
let server: FakeApt;
let apt: AptClient;
beforeAll(async () => {
  publishing = await Publishing.make();
});
afterAll(() => publishing.close());
beforeEach(async () => {
  server = await startFakeApt(new Map());
  apt = await AptClient.make();
});
afterEach(async () => {
  await server.close();
  await apt.remove();
});

const hello = (version: string, more: Partial<FakePackage> = {}): FakePackage => ({
  name: 'hello',
  version,
  architecture: 'amd64',
  fields: { Depends: 'libgreet1' },
  ...more,
});
const libgreet: FakePackage = { name: 'libgreet1', version: '2:1.0+x~y-1', fields: { Source: 'greet' } };

async function add(mirror: string, ...packages: readonly FakePackage[]): Promise<ManifestRef> {
  const debs = packages.map(async (pkg) => ({ origin: `${pkg.name}.deb`, source: [await buildDeb(pkg)] }));
  return (await changeRepo(publishing.repo, mirror, { add: await Promise.all(debs) })).manifest;
}

/** Serves this state and gives the client the lines for it. */
async function serve(mirror: string, manifest: ManifestRef, ownKey = publishing.key.publicArmored): Promise<void> {
  const { objects } = publishing.store;
  server.serve(await filesOf(objects, manifest));
  const configured = { name: mirror, kind: 'apt', form: 'local', manifest, evidence: [] } as const;
  const config = await mirrorClientConfig({ objects, listKeys: async () => ownKey }, configured, `${server.url}/`);
  await apt.setSources(config?.text ?? '');
}

const cleanUpdate = { status: 0, complaints: [] };
const forms: readonly IndexCompression[] = ['gz', 'zst', 'xz'];

test.each(forms)('%s alone: update, a change, and the upgrade', async (form) => {
  const compressions = [form];
  const mirror = `own-${form}`;
  publishing.clock = new Date('2026-01-01T00:00:00Z');
  const { manifest: empty } = await createRepo(publishing.repo, mirror, { suite: 'stable/own', compressions });
  await serve(mirror, empty);
  expect(await apt.update()).toMatchObject(cleanUpdate);

  await serve(mirror, await add(mirror, hello('1.0'), libgreet, { name: '0first', version: '1' }));
  expect(await apt.update()).toMatchObject(cleanUpdate);
  expect(await apt.candidate('hello')).toBe('1.0');
  const { archives } = await apt.installOnly('hello');
  expect(archives).toEqual(['hello_1.0_amd64.deb', 'libgreet1_2%3a1.0+x~y-1_all.deb']);

  await serve(mirror, await add(mirror, hello('1.1')));
  expect(await apt.update()).toMatchObject(cleanUpdate);
  expect(await apt.candidate('hello')).toBe('1.1');
  const { files } = await apt.download('hello', 'hello=1.0', 'libgreet1', '0first');
  expect(files.get('hello_1.1_amd64.deb')).toEqual(await buildDeb(hello('1.1')));
  expect(files.size).toBe(4);
  // The index came by hash, in the one form that there is.
  const fetched = server.requests.map(({ path }) => path).filter((path) => /Packages|by-hash/.test(path));
  expect(fetched.length).toBeGreaterThan(0);
  for (const path of fetched)
    expect(path).toMatch(/^dists\/stable\/own\/main\/binary-amd64\/by-hash\/SHA256\/[0-9a-f]{64}$/);
});

test('an index of many pieces is read whole in each form', async () => {
  const names = Array.from({ length: 2500 }, (_, i) => `package-${String(i).padStart(4, '0')}`);
  const stanza = (name: string) =>
    `Package: ${name}\nVersion: 1\nArchitecture: all\nFilename: pool/${name}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n`;
  for (const form of forms) {
    const { entries } = await publishing.repo.publish({
      ...{ suite: 'many', codename: 'many', origin: 'o', label: 'l', components: ['main'], architectures: ['amd64'] },
      date: new Date('2026-01-01T00:00:00Z'),
      compressions: [form],
      indexes: [
        {
          component: 'main',
          kind: 'Packages',
          architecture: 'amd64',
          stanzas: () => names.map((name) => Buffer.from(stanza(name))),
        },
      ],
    });
    await serve('many', await writeManifest(publishing.store.objects, entries));
    const client = await AptClient.make();
    await client.setSources(await readFile(join(apt.dir, 'parts/test.sources'), 'utf8'));
    expect(await client.update()).toMatchObject(cleanUpdate);
    const { output } = await client.run('apt-cache', ['pkgnames']);
    expect(output.trim().split('\n').sort()).toEqual(names);
    await client.remove();
  }
});

test('an older state is ignored by apt, and taken once it is signed anew', async () => {
  const { objects } = publishing.store;
  publishing.clock = new Date('2026-01-01T00:00:00Z');
  await createRepo(publishing.repo, 'back', { suite: 'stable' });
  const old = await add('back', hello('1.0'), libgreet);
  publishing.clock = new Date('2026-01-02T00:00:00Z');
  const newer = await add('back', hello('2.0'));
  await serve('back', newer);
  expect(await apt.update()).toMatchObject(cleanUpdate);
  expect(await apt.candidate('hello')).toBe('2.0');

  await serve('back', old);
  await apt.update();
  expect(await apt.candidate('hello')).toBe('2.0');

  const mirror = { name: 'back', form: 'local', manifest: old } as const;
  const request = { mirror, now: publishing.clock, replaces: newer };
  const resigned = await resignMirror({ objects, signer: publishing.key }, request);
  if (!resigned.possible) throw new Error('expected a state that can be signed');
  await serve('back', resigned.manifest);
  expect(await apt.update()).toMatchObject(cleanUpdate);
  expect(await apt.candidate('hello')).toBe('1.0');
  expect((await apt.download('hello')).status).toBe(0);

  // And forward again, from there.
  const forward = { mirror: { ...mirror, manifest: newer }, now: publishing.clock, replaces: resigned.manifest };
  const again = await resignMirror({ objects, signer: publishing.key }, forward);
  if (!again.possible) throw new Error('expected a state that can be signed');
  await serve('back', again.manifest);
  expect(await apt.update()).toMatchObject(cleanUpdate);
  expect(await apt.candidate('hello')).toBe('2.0');
});

test('a client that read the Release before a change still finds its indexes by hash', async () => {
  await createRepo(publishing.repo, 'moving', { suite: 'stable' });
  const before = await add('moving', hello('1.0'), libgreet);
  await serve('moving', before);
  server.onRequest = ({ path }) => {
    if (!path.includes('by-hash')) return;
    server.onRequest = undefined;
    server.serve(after);
  };
  const after = await filesOf(publishing.store.objects, await add('moving', hello('2.0')));
  expect(await apt.update()).toMatchObject(cleanUpdate);
  expect(await apt.candidate('hello')).toBe('1.0');
});

test('apt refuses what another key has signed, and what was changed after it was signed', async () => {
  await createRepo(publishing.repo, 'refused', { suite: 'stable' });
  const manifest = await add('refused', hello('1.0'), libgreet);
  await serve('refused', manifest, (await fakeKey('Somebody Else')).publicArmored);
  const foreign = await apt.update();
  expect(foreign.status).not.toBe(0);
  expect(foreign.output).toMatch(/NO_PUBKEY/);

  await serve('refused', manifest);
  server.misbehave(/by-hash/, { kind: 'flip' });
  expect((await apt.update()).status).not.toBe(0);
  expect(await apt.candidate('hello')).toBeUndefined();
});
