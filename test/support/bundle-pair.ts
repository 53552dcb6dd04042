/** A sender and a receiver with media between them, in one temporary folder. */
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ExportDeps, type ExportOptions, type ExportReport, exportBundle } from '../../src/bundle/export.ts';
import { type ImportDeps, type ImportOptions, type ImportReport, importBundle } from '../../src/bundle/import.ts';
import { par2 } from '../../src/exec/par2.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import { loadKeyring } from '../../src/trust/keyring.ts';
import { RootFolder } from '../../src/trust/root-folder.ts';
import { EPOCH, makeSender, type Sender } from './sender-store.ts';

export const MEDIA_SIZES = { volumeSizeBytes: 300_000, packSizeBytes: 100_000, readBack: false } as const;

export interface BundlePair {
  readonly dir: string;
  readonly sender: Sender;
  readonly receiver: Sender;
  readonly exportDeps: ExportDeps;
  readonly importDeps: ImportDeps;
  readonly senderRoots: RootFolder;
  readonly receiverRoots: RootFolder;
  /** A path in the folder of the test. */
  path(...names: string[]): string;
  send(options?: Partial<ExportOptions>): Promise<ExportReport>;
  take(options?: Partial<ImportOptions>): Promise<ImportReport>;
}

/** Two new stores, the receiver trusting the sender. Gone when the test is. */
export async function makePair(): Promise<BundlePair> {
  return finishing(await makePairIn(await temporary()));
}

/** The same in a folder that the caller removes. */
export async function makePairIn(dir: string): Promise<BundlePair> {
  const sender = await makeSender(join(dir, 'sender'));
  const receiver = await makeSender(join(dir, 'receiver'), 'receiver');
  const { senderRoots, receiverRoots } = await assemble(dir, sender, receiver);
  const { fingerprint } = sender.signer.info;
  const signingKey = { fingerprint, publicKey: sender.signer.publicArmored() };
  await senderRoots.create(sender.store.identity.id, signingKey, { now: EPOCH });
  await receiverRoots.pin((await senderRoots.ownFingerprint()) ?? '');
  return assemble(dir, sender, receiver);
}

/** A pair as it stands on disk, media included, under another path: cheaper than to make and fill a new one. */
export async function clonePair(original: BundlePair): Promise<BundlePair> {
  const dir = await temporary();
  await cp(original.dir, dir, { recursive: true });
  const open = async (name: string, { signer }: Sender): Promise<Sender> => ({
    store: await openStore(join(dir, name)),
    signer,
  });
  return finishing(
    await assemble(dir, await open('sender', original.sender), await open('receiver', original.receiver)),
  );
}

/** In memory where that is possible: many small files are made durable one by one. */
export function fastFolder(): Promise<string> {
  return mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kubedos-bundle-'));
}

async function temporary(): Promise<string> {
  const dir = await fastFolder();
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function finishing(pair: BundlePair): BundlePair {
  onTestFinished(async () => {
    await pair.sender.store.close();
    await pair.receiver.store.close();
  });
  return pair;
}

async function assemble(dir: string, sender: Sender, receiver: Sender): Promise<BundlePair> {
  const path = (...names: string[]): string => join(dir, ...names);
  const senderRoots = new RootFolder(path('sender', 'trust'), path('sender', 'keys', 'root.asc'));
  const receiverRoots = new RootFolder(path('receiver', 'trust'), path('receiver', 'keys', 'root.asc'));
  const keyring = await loadKeyring([Buffer.from(sender.signer.publicArmored())], 'all');
  const now = (): Date => new Date(EPOCH.getTime() + 30 * 86_400_000);
  const exportDeps: ExportDeps = {
    ...sender,
    roots: await senderRoots.own(),
    senderKeys: keyring.binary(),
    now,
    parityTool: par2,
  };
  const importDeps: ImportDeps = {
    store: receiver.store,
    followRoots: (store, roots) => receiverRoots.follow(store, roots),
    now,
    parityTool: par2,
  };
  return {
    dir,
    sender,
    receiver,
    exportDeps,
    importDeps,
    senderRoots,
    receiverRoots,
    path,
    send: (options = {}) =>
      exportBundle(exportDeps, { to: path('media'), channels: ['stable'], ...MEDIA_SIZES, ...options }, {}),
    take: (options = {}) => importBundle(importDeps, { from: [path('media')], ...options }, {}),
  };
}

/** Path → content of a mirror as a channel shows it, read through manifests; every object is hashed again. */
export async function contentOf(store: Store, channel: string, mirror: string): Promise<Record<string, string>> {
  const pointed = await store.channels.read(channel);
  const snapshot = pointed && (await store.snapshots.read(pointed.snapshot));
  const found = snapshot?.document.mirrors.find(({ name }) => name === mirror);
  const content: Record<string, string> = {};
  if (found === undefined) return content;
  for await (const { path, sha256, sizeBytes } of readManifest(store.objects, found.manifest.root)) {
    const bytes = await store.objects.read(sha256, sizeBytes);
    if (bytes === undefined || hash('sha256', bytes, 'hex') !== sha256) throw new Error(`${path} is not here`);
    content[path] = bytes.toString('latin1');
  }
  return content;
}

/** Every file below a folder, relative, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
