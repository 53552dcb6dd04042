/** Stores with mirrors and snapshots to be sent: contents given as text or bytes by path. */

import { comparePaths } from '../../src/formats/path.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import { isoSeconds } from '../../src/store/schemas.ts';
import { initStore } from '../../src/store/store.ts';
import type { MirrorHead, Snapshot, Store } from '../../src/store/types.ts';
import { createSigningKey, unlockSigningKey } from '../../src/trust/signing-key.ts';
import type { SigningKey } from '../../src/trust/types.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export const EPOCH = new Date('2026-03-01T12:00:00Z');

export interface Sender {
  readonly store: Store;
  readonly signer: SigningKey;
}

export async function makeSender(dir: string, name = 'sender'): Promise<Sender> {
  const store = await initStore(dir, { now: EPOCH });
  const created = await createSigningKey({ userId: name, algorithm: 'ed25519', date: EPOCH });
  return { store, signer: await unlockSigningKey(created.privateArmored) };
}

/** Replaces the mirror's state. */
export async function setMirror(store: Store, name: string, files: Files, now: Date = EPOCH): Promise<void> {
  const entries: { path: string; sha256: string; sizeBytes: number }[] = [];
  for (const path of Object.keys(files).sort(comparePaths)) {
    const content = files[path] ?? '';
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    entries.push({ path, ...(await store.objects.put([bytes])) });
  }
  const manifest = await writeManifest(store.objects, entries);
  const before = await store.heads.read(name);
  const head: MirrorHead = {
    format: 'kubedos-head/1',
    name,
    kind: 'files',
    form: 'verbatim',
    manifest,
    evidence: [],
    time: isoSeconds(now),
    spec: null,
    memory: {},
  };
  await store.heads.write(head, before?.manifest.root);
}

/** Of all heads, `days` after the epoch; `channel` moves to it. */
export async function takeSnapshot({ store, signer }: Sender, days: number, channel?: string): Promise<Snapshot> {
  const now = new Date(EPOCH.getTime() + days * 86_400_000);
  const sign = (bytes: Uint8Array): Promise<string> => signer.detached(bytes, now);
  const { snapshot } = await store.snapshots.create({ heads: await store.heads.list(), now, sign });
  if (channel !== undefined) await store.channels.move(channel, snapshot.id, { now });
  return snapshot;
}
