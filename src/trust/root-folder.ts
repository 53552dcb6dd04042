/** Chains of roots on disk: the store's own, and those of the senders that this store trusts. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { readText, writeDurable } from './durable-file.ts';
import { parseFingerprint } from './fingerprint.ts';
import { loadKeyring } from './keyring.ts';
import { parseRoot, type RootKey, type SignedRoot, signedRoot, signRoot, verifyChain } from './roots.ts';
import { createSigningKey, unlockSigningKey } from './signing-key.ts';
import type { Fingerprint, Keyring } from './types.ts';

interface Pin {
  readonly fingerprint: Fingerprint;
  /** Null until the first bundle came. */
  readonly store: string | null;
  readonly known: { readonly version: number; readonly sha256: string } | null;
}

export class RootFolder {
  readonly #trust: string;
  readonly #privateFile: string;

  /** `trustDir`: trust/ of the data folder; `privateFile`: where the root key's private half lies, or is brought to. */
  constructor(trustDir: string, privateFile: string) {
    this.#trust = trustDir;
    this.#privateFile = privateFile;
  }

  /** The first root of a store: makes its root key. A repeat is a no-op. */
  async create(
    store: string,
    signingKey: RootKey,
    options: { readonly now: Date; readonly passphrase?: string | undefined },
  ): Promise<void> {
    if ((await this.own()).length > 0) return;
    const { now, passphrase } = options;
    if ((await readText(this.#privateFile)) === undefined) {
      const made = await createSigningKey({ userId: 'kubedos root', algorithm: 'ed25519', date: now, passphrase });
      await writeDurable(this.#privateFile, made.privateArmored, 0o600);
    }
    const signer = await unlockSigningKey((await readText(this.#privateFile)) ?? '', passphrase);
    const rootKey = { fingerprint: signer.info.fingerprint, publicKey: signer.publicArmored() };
    await this.#file('own', await signRoot({ store, rootKey, signingKeys: [signingKey], now, signer }));
  }

  /** Appends a root that names this signing key instead of the one before, which is revoked if told so. */
  async rotate(
    signingKey: RootKey,
    options: { readonly now: Date; readonly revokeOld: boolean; readonly passphrase?: string | undefined },
  ): Promise<void> {
    const last = (await this.own()).at(-1);
    const text = await readText(this.#privateFile);
    if (last === undefined || text === undefined) {
      throw new KubedosError('trust.no-key', `rotate the signing key: the root key is not in ${this.#privateFile}`, {
        hint: 'bring it back from where it is kept offline, for as long as this takes',
      });
    }
    const previous = parseRoot(last.bytes, 'own root');
    const signer = await unlockSigningKey(text, options.passphrase);
    const revoked = options.revokeOld ? previous.signingKeys.map((key) => key.fingerprint) : [];
    const { store, rootKey } = previous;
    await this.#file(
      'own',
      await signRoot({ store, previous, rootKey, signingKeys: [signingKey], revoked, now: options.now, signer }),
    );
  }

  /** The store's own chain, oldest first. */
  own(): Promise<SignedRoot[]> {
    return this.#chain('own');
  }

  /** Fingerprint of the own first root key: what the other side pins. */
  async ownFingerprint(): Promise<Fingerprint | undefined> {
    const [first] = await this.own();
    return first && parseRoot(first.bytes, 'own root').rootKey.fingerprint;
  }

  /** First trust: bundles of the store whose first root key this is will be taken. */
  async pin(text: string): Promise<Fingerprint> {
    const fingerprint = parseFingerprint(text.replaceAll(/[\s-]/g, ''), '--trust');
    if ((await this.#pin(fingerprint)) === undefined) await this.#writePin({ fingerprint, store: null, known: null });
    return fingerprint;
  }

  async pinned(): Promise<Pin[]> {
    const names = await readdir(join(this.#trust, 'pinned')).catch(() => []);
    const pins = await Promise.all(names.sort().map((name) => this.#pin(name.replace(/\.json$/, ''))));
    return pins.filter((pin) => pin !== undefined);
  }

  /** For bundle/: the chain that a bundle carries, held against the pin; `commit` remembers it. */
  async follow(
    sender: string,
    roots: readonly SignedRoot[],
  ): Promise<{ readonly keyring: Keyring; commit(): Promise<void> }> {
    const [first] = roots;
    const fingerprint = first && parseRoot(first.bytes, `roots of store ${sender}`).rootKey.fingerprint;
    const pin = fingerprint === undefined ? undefined : await this.#pin(fingerprint);
    if (pin === undefined || fingerprint === undefined || (pin.store !== null && pin.store !== sender)) {
      throw new KubedosError(
        'trust.key-unknown',
        `store ${sender} signs by root key ${fingerprint ?? '(none)'}, which is not trusted here`,
        {
          hint: 'compare the fingerprint with the one that the sender reads out, then `kubedos key trust FINGERPRINT`',
        },
      );
    }
    const { keyring } = await verifyChain(roots, { store: sender, pinned: fingerprint, known: pin.known ?? undefined });
    return {
      keyring,
      commit: async () => {
        for (const root of roots) await this.#file(sender, root);
        const last = roots.at(-1);
        const known = last ? { version: last.version, sha256: signedRoot(last.version, last.bytes, '').sha256 } : null;
        await this.#writePin({ fingerprint, store: sender, known });
      },
    };
  }

  /** All keys that may have signed snapshots of this store: its own chain's and those of followed senders. */
  async trustedKeys(): Promise<Buffer[]> {
    const files: Buffer[] = [];
    const own = await this.own();
    const [first] = own;
    if (first) {
      const { store, rootKey } = parseRoot(first.bytes, 'own root');
      files.push(Buffer.from((await verifyChain(own, { store, pinned: rootKey.fingerprint })).keyring.binary()));
    }
    for (const { store, fingerprint } of await this.pinned()) {
      if (store === null) continue;
      files.push(
        Buffer.from((await verifyChain(await this.#chain(store), { store, pinned: fingerprint })).keyring.binary()),
      );
    }
    return files;
  }

  /** Armoured public signing keys of a store whose chain is here. */
  async signingKeys(store: string): Promise<string> {
    const pin = (await this.pinned()).find((one) => one.store === store);
    if (!pin) throw new KubedosError('trust.no-key', `keys of store ${store}: none of its roots was accepted here`);
    return (await verifyChain(await this.#chain(store), { store, pinned: pin.fingerprint })).keyring.armored();
  }

  async keyring(): Promise<Keyring> {
    return loadKeyring(await this.trustedKeys(), 'all');
  }

  async #chain(name: string): Promise<SignedRoot[]> {
    const roots: SignedRoot[] = [];
    for (let version = 1; ; version++) {
      const file = join(this.#trust, 'roots', name, `${version}.json`);
      const [text, signature] = [await readText(file), await readText(`${file}.asc`)];
      if (text === undefined || signature === undefined) return roots;
      roots.push(signedRoot(version, Buffer.from(text), signature));
    }
  }

  async #file(name: string, root: SignedRoot): Promise<void> {
    const file = join(this.#trust, 'roots', name, `${root.version}.json`);
    await writeDurable(`${file}.asc`, root.signature);
    await writeDurable(file, root.bytes);
  }

  async #pin(fingerprint: Fingerprint): Promise<Pin | undefined> {
    const text = await readText(join(this.#trust, 'pinned', `${fingerprint}.json`));
    return text === undefined ? undefined : (JSON.parse(text) as Pin);
  }

  async #writePin(pin: Pin): Promise<void> {
    await writeDurable(join(this.#trust, 'pinned', `${pin.fingerprint}.json`), `${JSON.stringify(pin)}\n`);
  }
}
