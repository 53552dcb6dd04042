import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalRepoDeps } from '../../src/publish/local-repo.ts';
import { createPublisher } from '../../src/publish/publish-apt.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { initStore } from '../../src/store/store.ts';
import type { ManifestRef, ObjectStore, Store } from '../../src/store/types.ts';
import { type FakeKey, fakeKey } from './fake-key.ts';

/** A store in a temporary folder, a key, and a publisher over both; its clock stands still until it is set. */
export class Publishing {
  readonly dir: string;
  readonly store: Store;
  readonly key: FakeKey;
  readonly repo: LocalRepoDeps;
  clock = new Date('2026-01-01T00:00:00Z');

  constructor(dir: string, store: Store, key: FakeKey, cacheDir: string) {
    this.dir = dir;
    this.store = store;
    this.key = key;
    const publish = createPublisher({ objects: store.objects, cacheDir, signer: key });
    this.repo = { store, publish, now: () => this.clock };
  }

  static async make(): Promise<Publishing> {
    const dir = await mkdtemp(join(tmpdir(), 'publishing-'));
    const store = await initStore(join(dir, 'data'), { now: new Date('2026-01-01T00:00:00Z') });
    return new Publishing(dir, store, await fakeKey(), await store.file('cache', 'pieces'));
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** All files of a list, as startFakeApt serves them. */
export async function filesOf(objects: ObjectStore, manifest: ManifestRef): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { path, sha256 } of readManifest(objects, manifest.root)) {
    const bytes = await objects.read(sha256, 1024 ** 3);
    if (bytes === undefined) throw new Error(`${path}: ${sha256} is not in the store`);
    files.set(path, bytes);
  }
  return files;
}
