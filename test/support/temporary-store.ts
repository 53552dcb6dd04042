import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { comparePaths } from '../../src/formats/path.ts';
import type { FileSystem } from '../../src/store/file-system.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import { initStore } from '../../src/store/store.ts';
import type { ManifestEntry, MirrorHead, Sign, Snapshot, Store } from '../../src/store/types.ts';

export const NOON = new Date('2026-03-01T12:00:00Z');

/** Gone when the test is. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kubedos-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A new store in a temporary folder. */
export async function temporaryStore(files?: FileSystem): Promise<Store> {
  const store = await initStore(await temporaryFolder(), { now: NOON, files });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Not a signature of OpenPGP; `fakeVerify` accepts it. */
export const fakeSign: Sign = async (bytes) => `signed ${sha256Of(bytes)}\n`;

export async function fakeVerify(bytes: Uint8Array, signature: string): Promise<void> {
  const { KubedosError } = await import('../../src/errors.ts');
  if (signature === (await fakeSign(bytes))) return;
  throw new KubedosError('trust.bad-signature', 'verify a snapshot: the fake signature does not fit');
}

export type Contents = Readonly<Record<string, string>>;

/** Entries by path of files with these contents; nothing is stored. */
export function entriesOf(contents: Contents): ManifestEntry[] {
  return Object.entries(contents)
    .map(([path, content]) => ({ path, sha256: sha256Of(content), sizeBytes: Buffer.byteLength(content) }))
    .sort((a, b) => comparePaths(a.path, b.path));
}

/** A mirror of these files: objects, manifest, head. */
export async function putMirror(
  store: Store,
  name: string,
  contents: Contents,
  extra: Partial<MirrorHead> = {},
): Promise<MirrorHead> {
  for (const content of Object.values(contents)) await store.objects.put([Buffer.from(content)]);
  const manifest = await writeManifest(store.objects, entriesOf(contents));
  const head: MirrorHead = {
    format: 'kubedos-head/1',
    name,
    kind: 'files',
    form: 'verbatim',
    manifest,
    evidence: [],
    time: '2026-03-01T12:00:00Z',
    spec: null,
    memory: {},
    ...extra,
  };
  await store.heads.write(head, (await store.heads.read(name))?.manifest.root);
  return head;
}

/** A snapshot of all heads. */
export async function takeSnapshot(store: Store, now: Date = NOON): Promise<Snapshot> {
  const { snapshot } = await store.snapshots.create({ heads: await store.heads.list(), now, sign: fakeSign });
  return snapshot;
}
