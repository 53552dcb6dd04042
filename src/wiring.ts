/**
 * Composes the rooms by hand. Everything is opened when it is first asked for and loaded then, so that a command pays
 * for what it uses: `kubedos --help` opens no database and loads no OpenPGP.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Catalog } from './catalog/types.ts';
import type { PublishApt } from './formats/apt/publication.ts';
import type { PublishRpm } from './formats/rpm/publication.ts';
import type { Fetcher, FetcherOptions } from './net/types.ts';
import type { OnEvent } from './progress.ts';
import type { ReleaseSigner } from './publish/sign-release.ts';
import type { ClientConfig, ClientConfigRequest } from './server/deps.ts';
import type { KeyPin } from './spec/spec-fields.ts';
import type { ManifestReader } from './store/manifest-reader.ts';
import type { openStore } from './store/store.ts';
import type { RunGpg } from './trust/gpg-signing-key.ts';
import type { KeyFolder } from './trust/key-folder.ts';
import type { RootFolder } from './trust/root-folder.ts';
import type { Keyring, SigningKey } from './trust/types.ts';

export type OpenStore = Awaited<ReturnType<typeof openStore>>;

export interface HouseOptions {
  readonly onEvent?: OnEvent | undefined;
}

export interface NetOptions {
  readonly rateBytesPerSecond?: number | undefined;
  readonly netrcFile?: string | undefined;
  readonly tls?: FetcherOptions['tls'];
}

/** Where this installation lies: mirror-specs/, keys/ and web/ are beside src/ (or dist/). */
export const INSTALLATION = fileURLToPath(new URL('..', import.meta.url));

export function openHouse(dataDir: string, options: HouseOptions = {}): House {
  return new House(dataDir, options);
}

export class House {
  readonly dataDir: string;
  readonly #options: HouseOptions;
  readonly #closers: (() => Promise<void> | void)[] = [];
  #store: Promise<OpenStore> | undefined;
  #catalog: Promise<Catalog> | undefined;
  #signer: { readonly publicKey: string | undefined; readonly key: SigningKey } | undefined;
  #snapshotKeys: Promise<Keyring> | undefined;

  constructor(dataDir: string, options: HouseOptions) {
    this.dataDir = dataDir;
    this.#options = options;
  }

  now(): Date {
    return new Date();
  }

  store(): Promise<OpenStore> {
    this.#store ??= (async () => {
      const { openStore } = await import('./store/store.ts');
      const { nodeFileSystem } = await import('./store/file-system.ts');
      const syncAll = async (folder: string): Promise<void> => {
        const { syncFileSystem } = await import('./exec/sync-file-system.ts');
        await syncFileSystem(folder);
      };
      const store = await openStore(this.dataDir, { files: { ...nodeFileSystem, syncAll } });
      this.#closers.push(() => store.close());
      return store;
    })();
    return this.#store;
  }

  /** Forgets a store that could not be opened, so that it can be asked for again. */
  forget(): void {
    this.#store = undefined;
  }

  /** Makes the store; `store.exists` if there is one. */
  async initStore(): Promise<OpenStore> {
    const { initStore } = await import('./store/store.ts');
    await (await initStore(this.dataDir, { now: this.now() })).close();
    return this.store();
  }

  async manifests(): Promise<ManifestReader> {
    const { ManifestReader } = await import('./store/manifest-reader.ts');
    return new ManifestReader((await this.store()).objects);
  }

  catalog(): Promise<Catalog> {
    this.#catalog ??= (async () => {
      const { openCatalog } = await import('./catalog/catalog.ts');
      await this.store();
      const catalog = openCatalog(join(this.dataDir, 'catalog.sqlite'));
      this.#closers.push(() => catalog.close());
      return catalog;
    })();
    return this.#catalog;
  }

  async keys(): Promise<KeyFolder> {
    const { KeyFolder } = await import('./trust/key-folder.ts');
    const gpg: RunGpg = async (args, input) => {
      const { gpgRunner } = await import('./exec/gpg.ts');
      return gpgRunner({ env: process.env })(args, input);
    };
    return new KeyFolder(join(this.dataDir, 'keys'), join(this.dataDir, 'trust', 'imported'), gpg);
  }

  /**
   * The store's signing key, opened again when another process has changed it: a server runs for months. Locked ones are
   * opened by KUBEDOS_PASSPHRASE or by the file that KUBEDOS_PASSPHRASE_FILE names.
   */
  async signer(): Promise<SigningKey> {
    const keys = await this.keys();
    const publicKey = await keys.publicArmored();
    if (this.#signer === undefined || this.#signer.publicKey !== publicKey)
      this.#signer = { publicKey, key: await keys.unlock(await this.passphrase()) };
    return this.#signer.key;
  }

  /** Of the store's own keys, where the environment gives one. */
  async passphrase(): Promise<string | undefined> {
    const file = process.env.KUBEDOS_PASSPHRASE_FILE;
    if (file !== undefined) return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    return process.env.KUBEDOS_PASSPHRASE;
  }

  async roots(): Promise<RootFolder> {
    const { RootFolder } = await import('./trust/root-folder.ts');
    return new RootFolder(join(this.dataDir, 'trust'), join(this.dataDir, 'keys', 'root.asc'));
  }

  /** Verifies a snapshot's signature by the keys of the own chain of roots and of the senders that are trusted. */
  async verifySnapshot(bytes: Uint8Array, signature: string, origin: string): Promise<void> {
    this.#snapshotKeys ??= this.roots().then((roots) => roots.keyring());
    await (await this.#snapshotKeys).verifyDetached(bytes, signature, origin);
  }

  /** The `.sources` of a mirror as a channel or snapshot shows it; `undefined` for what is no apt repository. */
  async clientConfig(request: ClientConfigRequest): Promise<ClientConfig | undefined> {
    const { mirrorClientConfig } = await import('./publish/mirror-client-config.ts');
    const { objects } = await this.store();
    return mirrorClientConfig({ objects, listKeys: () => this.listKeys() }, request.mirror, request.url);
  }

  /**
   * Public keys that sign lists here: the store's own and those of the senders that it follows. All of them, since what a
   * sender signed is signed anew by this store when a channel goes back, and the sender's own comes with its next bundle.
   */
  async listKeys(): Promise<string> {
    return (await (await this.roots()).keyring()).armored();
  }

  /** The store's own, as armour; empty where it signs nothing. */
  async publicKeys(): Promise<string> {
    return (await (await this.roots()).ownSigningKeys()) ?? '';
  }

  /** The keyring of a spec's pins: from keys/ of this installation, or brought in by `key import`. */
  async loadPins(pins: readonly KeyPin[]): Promise<Keyring> {
    const { loadKeyring } = await import('./trust/keyring.ts');
    const shipped = pins.flatMap((pin) => (pin.file === undefined ? [] : [join(INSTALLATION, 'keys', pin.file)]));
    const files = await Promise.all([...new Set(shipped)].map((file) => readFile(file)));
    const imported = await (await this.keys()).imported();
    return loadKeyring(
      [...files, ...imported],
      pins.map((pin) => pin.fingerprint),
    );
  }

  async fetcher(options: NetOptions = {}): Promise<Fetcher> {
    const { createFetcher } = await import('./net/fetcher.ts');
    const netrcFile = options.netrcFile ?? process.env.NETRC;
    const fetcher = createFetcher({
      rateBytesPerSecond: options.rateBytesPerSecond,
      netrc: netrcFile === undefined ? undefined : await readFile(netrcFile, 'utf8'),
      tls: options.tls,
      env: process.env,
      onEvent: this.#options.onEvent,
    });
    this.#closers.push(() => fetcher.close());
    return fetcher;
  }

  /** Opens the signing key when there is something to sign: where nothing changed, nobody is asked for a passphrase. */
  async publisher(): Promise<PublishApt> {
    const { createPublisher } = await import('./publish/publish-apt.ts');
    const store = await this.store();
    const cacheDir = await store.file('cache', 'pieces');
    const signer: ReleaseSigner = {
      detached: async (bytes, date) => (await this.signer()).detached(bytes, date),
      clearsign: async (text, date) => (await this.signer()).clearsign(text, date),
    };
    return createPublisher({ objects: store.objects, cacheDir, signer });
  }

  async rpmPublisher(): Promise<PublishRpm> {
    const { createRpmPublisher } = await import('./publish/yum/publish-yum.ts');
    const store = await this.store();
    return createRpmPublisher({
      objects: store.objects,
      cacheDir: await store.file('cache', 'pieces'),
      signer: { detached: async (bytes, date) => (await this.signer()).detached(bytes, date) },
      listKeys: () => this.listKeys(),
    });
  }

  /** Everything is closed; the first failure on the way comes out then. */
  async close(): Promise<void> {
    let failure: unknown;
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }
}
