/** Chains of roots on disk: the store's own, and those of the senders that this store trusts. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import { moveDurable, readText, writeDurable } from './durable-file.ts';
import { loadKeyring } from './keyring.ts';
import { parseRoot, type RootDocument, type RootKey, type SignedRoot, signedRoot } from './root-document.ts';
import { createRoot, nextRoot, type RootChange, type TrustedChain, verifyChain } from './roots.ts';
import { parseShortForm } from './short-form.ts';
import { createSigningKey, type KeyAlgorithm, unlockSigningKey } from './signing-key.ts';
import type { Fingerprint, Keyring, SigningKey } from './types.ts';

const pinSchema = z.strictObject({
  fingerprint: z.string(),
  /** Null until the first bundle came. */
  store: z.string().nullable(),
  known: z.strictObject({ version: z.int(), sha256: z.string() }).nullable(),
});
type Pin = Readonly<z.output<typeof pinSchema>>;

interface Unlock {
  readonly now: Date;
  readonly passphrase?: string | undefined;
  /** For a new root key; default ed25519. */
  readonly algorithm?: KeyAlgorithm | undefined;
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
  async create(store: string, signingKey: RootKey, options: Unlock): Promise<void> {
    if ((await this.own()).length > 0) return;
    const { now, passphrase } = options;
    const text = (await readText(this.#privateFile)) ?? (await this.#newRootKey(this.#privateFile, options));
    const rootKey = await unlockSigningKey(text, passphrase);
    await this.#file('own', await createRoot({ store, rootKey, signingKeys: [signingKey], now }));
  }

  /** Appends a root that names this signing key instead of those before, which are revoked if told so. */
  async rotate(signingKey: RootKey, options: Unlock & { readonly revokeOld: boolean }): Promise<void> {
    const previous = await this.#current();
    const others = previous.signingKeys.map((key) => key.fingerprint).filter((key) => key !== signingKey.fingerprint);
    await this.#append(previous, { signingKeys: [signingKey], revoke: options.revokeOld ? others : [] }, options);
  }

  /** Appends a root under a new root key, signed by the old one and the new. What receivers pinned stays as it is. */
  async rotateRootKey(options: Unlock): Promise<Fingerprint> {
    const previous = await this.#current();
    const old = await this.#unlock(previous, options);
    const text = (await readText(this.#nextFile)) ?? (await this.#newRootKey(this.#nextFile, options));
    const rootKey = await unlockSigningKey(text, options.passphrase);
    await this.#file('own', await nextRoot(previous, { rootKey }, { rootKey: old, now: options.now }));
    // Killed before this line, the next use of the root key finds the chain ahead of it and does it then.
    await moveDurable(this.#nextFile, this.#privateFile);
    return rootKey.info.fingerprint;
  }

  /** Appends a root that takes these keys out for ever. */
  async revoke(fingerprints: readonly Fingerprint[], options: Unlock): Promise<void> {
    await this.#append(await this.#current(), { revoke: fingerprints }, options);
  }

  /** Fingerprints that the newest own root names. */
  async currentSigningKeys(): Promise<Fingerprint[]> {
    return (await this.#current()).signingKeys.map((key) => key.fingerprint);
  }

  async #append(previous: RootDocument, change: RootChange, options: Unlock): Promise<void> {
    const rootKey = await this.#unlock(previous, options);
    await this.#file('own', await nextRoot(previous, change, { rootKey, now: options.now }));
  }

  async #current(): Promise<RootDocument> {
    const last = (await this.own()).at(-1);
    if (last === undefined) throw new KubedosError('trust.no-key', 'change the root: this store has none');
    return parseRoot(last.bytes, 'own root');
  }

  async #unlock(current: RootDocument, { passphrase }: Unlock): Promise<SigningKey> {
    for (const file of [this.#privateFile, this.#nextFile]) {
      const text = await readText(file);
      if (text === undefined) continue;
      const key = await unlockSigningKey(text, passphrase);
      if (key.info.fingerprint !== current.rootKey.fingerprint) continue;
      if (file === this.#nextFile) await moveDurable(this.#nextFile, this.#privateFile);
      return key;
    }
    throw new KubedosError(
      'trust.no-key',
      `change the root: the root key ${current.rootKey.fingerprint} is not in ${this.#privateFile}`,
      { hint: 'bring it back from where it is kept offline, for as long as this takes' },
    );
  }

  async #newRootKey(file: string, { now, passphrase, algorithm = 'ed25519' }: Unlock) {
    const made = await createSigningKey({ userId: 'kubedos root', algorithm, date: now, passphrase });
    await writeDurable(file, made.privateArmored, 0o600);
    return made.privateArmored;
  }

  get #nextFile(): string {
    return `${this.#privateFile}.next`;
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

  /** First trust: bundles of the store whose first root key this is will be taken. `text`: its short form, or bare digits. */
  async pin(text: string): Promise<Fingerprint> {
    const fingerprint = parseShortForm(text, 'root key to trust');
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
  ): Promise<Pick<TrustedChain, 'keyring' | 'signing'> & { commit(): Promise<void> }> {
    const [first] = roots;
    const fingerprint = first && parseRoot(first.bytes, `roots of store ${sender}`).rootKey.fingerprint;
    const own = await this.#followOwn(sender, fingerprint);
    if (own) return own;
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
    const trust = { store: sender, pinned: fingerprint, known: pin.known ?? undefined };
    const { keyring, signing } = await verifyChain(roots, trust);
    return {
      keyring,
      signing,
      commit: async () => {
        for (const root of roots) await this.#file(sender, root);
        const last = roots.at(-1);
        const known = last ? { version: roots.length, sha256: signedRoot(roots.length, last.bytes, '').sha256 } : null;
        await this.#writePin({ fingerprint, store: sender, known });
      },
    };
  }

  /** A bundle of its own may be older than the last change of keys; what it carries of roots is here, and newer. */
  async #followOwn(sender: string, fingerprint: Fingerprint | undefined) {
    const [first] = await this.own();
    const own = first && parseRoot(first.bytes, 'own root');
    if (own?.store !== sender || own.rootKey.fingerprint !== fingerprint) return undefined;
    const chain = await this.#ownChain();
    return chain && { keyring: chain.keyring, signing: chain.keyring, commit: async () => undefined };
  }

  /** All keys that may have signed snapshots of this store: its own chain's and those of followed senders. */
  async trustedKeys(): Promise<Buffer[]> {
    const files: Buffer[] = [];
    const own = await this.#ownChain();
    if (own) files.push(Buffer.from(own.keyring.binary()));
    for (const { store, fingerprint } of await this.pinned()) {
      if (store === null) continue;
      files.push(
        Buffer.from((await verifyChain(await this.#chain(store), { store, pinned: fingerprint })).keyring.binary()),
      );
    }
    return files;
  }

  /** Armoured public signing keys of this store, of all its roots: what was signed before a rotation is served on. */
  async ownSigningKeys(): Promise<string | undefined> {
    const own = await this.#ownChain();
    return own?.keyring.armored();
  }

  async keyring(): Promise<Keyring> {
    return loadKeyring(await this.trustedKeys(), 'all');
  }

  async #ownChain(): Promise<TrustedChain | undefined> {
    const own = await this.own();
    const [first] = own;
    if (first === undefined) return undefined;
    const { store, rootKey } = parseRoot(first.bytes, 'own root');
    return verifyChain(own, { store, pinned: rootKey.fingerprint });
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
    const file = join(this.#trust, 'pinned', `${fingerprint}.json`);
    const text = await readText(file);
    if (text === undefined) return undefined;
    try {
      return pinSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new KubedosError('store.corrupt', `read ${file}: it is damaged`, {
        hint: 'remove it and trust the sender again by its short form: `kubedos key trust …`',
        cause,
      });
    }
  }

  async #writePin(pin: Pin): Promise<void> {
    await writeDurable(join(this.#trust, 'pinned', `${pin.fingerprint}.json`), `${JSON.stringify(pin)}\n`);
  }
}
