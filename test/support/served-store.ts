import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { comparePaths } from '../../src/formats/path.ts';
import { type App, createApp } from '../../src/server/app.ts';
import type { LogEvent, ServerDeps } from '../../src/server/deps.ts';
import { fileStamp } from '../../src/server/file-stamp.ts';
import { type Listening, type ListenOptions, listen } from '../../src/server/listen.ts';
import { writeManifest } from '../../src/store/manifest.ts';
import { ManifestReader } from '../../src/store/manifest-reader.ts';
import { initStore } from '../../src/store/store.ts';
import type { Evidence, ManifestEntry, Snapshot, Store } from '../../src/store/types.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A store in a temporary folder with mirrors of given files, and the server's app over it. */
export class ServedStore {
  readonly store: Store;
  readonly dir: string;
  readonly log: LogEvent[] = [];
  readonly manifests: ManifestReader;
  readonly #closers: (() => Promise<unknown>)[] = [];

  constructor(store: Store) {
    this.store = store;
    this.dir = store.dir;
    this.manifests = new ManifestReader(store.objects);
  }

  static async make(): Promise<ServedStore> {
    const dir = await mkdtemp(join(tmpdir(), 'served-'));
    return new ServedStore(await initStore(join(dir, 'data'), { now: new Date('2026-01-01T00:00:00Z') }));
  }

  /** Makes these files the mirror's head. */
  async mirror(name: string, files: Files, evidence: readonly Evidence[] = []): Promise<void> {
    const entries: ManifestEntry[] = [];
    for (const [path, content] of Object.entries(files))
      entries.push({ path, ...(await this.store.objects.put([Buffer.from(content)])) });
    entries.sort((a, b) => comparePaths(a.path, b.path));
    const manifest = await writeManifest(this.store.objects, entries);
    await this.store.objects.flush();
    const before = await this.store.heads.read(name);
    await this.store.heads.write(
      {
        format: 'kubedos-head/1',
        name,
        kind: 'apt',
        form: 'verbatim',
        manifest,
        evidence,
        time: '2026-01-02T03:04:05Z',
        spec: null,
        memory: {},
      },
      before?.manifest.root,
    );
  }

  async snapshot(time: string, note?: string): Promise<Snapshot> {
    const { snapshot } = await this.store.snapshots.create({
      heads: await this.store.heads.list(),
      now: new Date(time),
      sign: async () => '-----BEGIN PGP SIGNATURE-----\n\nnot checked here\n-----END PGP SIGNATURE-----\n',
      note,
    });
    return snapshot;
  }

  /** Mirrors as given, a snapshot of them, the channel on it. */
  async release(channel: string, mirrors: Readonly<Record<string, Files>>, time: string): Promise<Snapshot> {
    for (const [name, files] of Object.entries(mirrors)) await this.mirror(name, files);
    const snapshot = await this.snapshot(time);
    await this.store.channels.move(channel, snapshot.id, { now: new Date(time) });
    return snapshot;
  }

  deps(more: Partial<ServerDeps> = {}): ServerDeps {
    return {
      store: this.store,
      manifests: this.manifests,
      now: () => new Date('2026-06-01T12:00:00Z'),
      log: (event) => this.log.push(event),
      webDir: join(import.meta.dirname, '../../web'),
      channelStamp: (name) => fileStamp(join(this.dir, 'channels', `${name}.json`)),
      badStamp: () => fileStamp(join(this.dir, 'bad')),
      onDamage: (sha256) => this.store.bad.add(sha256),
      ...more,
    };
  }

  app(more: Partial<ServerDeps> = {}): Promise<App> {
    return createApp(this.deps(more));
  }

  async listen(more: Partial<ServerDeps> = {}, options: Partial<ListenOptions> = {}): Promise<Listening> {
    const listening = await listen(await this.app(more), { host: '127.0.0.1', port: 0, drainMs: 2000, ...options });
    this.#closers.push(() => listening.close());
    return listening;
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
    await this.store.close();
    await rm(join(this.dir, '..'), { recursive: true, force: true });
  }
}
