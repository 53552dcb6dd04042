/** The keys of a store on disk: its own signing key, and public keys of others that somebody brought in. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { moveDurable, readText, writeDurable } from './durable-file.ts';
import { parseFingerprint } from './fingerprint.ts';
import { gpgSigningKey, type RunGpg } from './gpg-signing-key.ts';
import { loadKeyring } from './keyring.ts';
import { createSigningKey, type NewSigningKey, unlockSigningKey } from './signing-key.ts';
import type { Fingerprint, PublicKeyInfo, SigningKey } from './types.ts';

const PRIVATE_FILE = 'signing.asc';
const PUBLIC_FILE = 'signing.pub.asc';
const REVOCATION_FILE = 'signing.rev.asc';
/** In place of a private key: it is in the user's GnuPG, under this fingerprint. */
const EXTERNAL = /^gnupg ([0-9A-F]+)\n$/;

/** A key of which GnuPG keeps the private half. */
export interface ExternalKey {
  readonly gnupg: Fingerprint;
}

export class KeyFolder {
  readonly #own: string;
  readonly #imported: string;
  readonly #gpg: RunGpg;

  /** `ownDir`: keys/ of the data folder; `importedDir`: its trust/imported/. `gpg`: for keys that GnuPG keeps. */
  constructor(ownDir: string, importedDir: string, gpg: RunGpg) {
    this.#own = ownDir;
    this.#imported = importedDir;
    this.#gpg = gpg;
  }

  /** Makes the store's signing key; `store.exists` if there is one. */
  async create(wanted: NewSigningKey): Promise<PublicKeyInfo> {
    if (await this.publicArmored())
      throw new KubedosError('store.exists', `make a signing key: ${this.#own} holds one`);
    const created = await createSigningKey(wanted);
    return this.#file(created.privateArmored, created.publicArmored, created.revocationCertificate);
  }

  /** Takes a private key that was made elsewhere (`gpg --export-secret-keys --armor`) as the store's own. */
  async adopt(privateArmored: string, passphrase?: string): Promise<PublicKeyInfo> {
    if (await this.publicArmored())
      throw new KubedosError('store.exists', `import a signing key: ${this.#own} holds one`);
    const key = await unlockSigningKey(privateArmored, passphrase);
    return this.#file(privateArmored, key.publicArmored(), undefined);
  }

  /** Signs by a key of the user's GnuPG from now on; the private half stays there. */
  async adoptExternal(wanted: ExternalKey): Promise<PublicKeyInfo> {
    if (await this.publicArmored())
      throw new KubedosError('store.exists', `use a key of GnuPG: ${this.#own} holds one`);
    const key = await this.tryExternal(wanted);
    return this.#file(reference(wanted), key.publicArmored(), undefined);
  }

  /** The key at work, after a signature on trial: a public half alone, or a card that is not plugged in, shows here. */
  async tryExternal({ gnupg }: ExternalKey): Promise<SigningKey> {
    const key = await gpgSigningKey({ fingerprint: gnupg, gpg: this.#gpg });
    const trial = Buffer.from('kubedos\n');
    const keyring = await loadKeyring([Buffer.from(key.publicArmored())], 'all');
    await keyring.verifyDetached(trial, await key.detached(trial), `a signature by ${gnupg}`);
    return key;
  }

  async #file(privateArmored: string, publicArmored: string, revocation: string | undefined): Promise<PublicKeyInfo> {
    const [info] = (await loadKeyring([Buffer.from(publicArmored)], 'all')).keys;
    if (!info) throw new KubedosError('internal.bug', 'file a signing key: it has no public half');
    await writeDurable(join(this.#own, PRIVATE_FILE), privateArmored, 0o600);
    if (revocation !== undefined) await writeDurable(join(this.#own, REVOCATION_FILE), revocation, 0o600);
    // Last, since it is what tells that there is a key.
    await writeDurable(join(this.#own, PUBLIC_FILE), publicArmored, 0o644);
    return info;
  }

  /**
   * First step of a rotation: makes the key that is to follow, beside the one in use. A repeat gives the same key.
   * Between the steps, a root that names it must be made (root-folder.ts); then `promote`.
   */
  async prepare(wanted: NewSigningKey | ExternalKey): Promise<SigningKey> {
    const known = await readText(this.#next);
    if (known !== undefined) return this.#open(known, 'gnupg' in wanted ? undefined : wanted.passphrase);
    if ('gnupg' in wanted) {
      const key = await this.tryExternal(wanted);
      await writeDurable(this.#next, reference(wanted), 0o600);
      return key;
    }
    const made = await createSigningKey(wanted);
    await writeDurable(join(this.#own, `${REVOCATION_FILE}.next`), made.revocationCertificate, 0o600);
    await writeDurable(this.#next, made.privateArmored, 0o600);
    return unlockSigningKey(made.privateArmored, wanted.passphrase);
  }

  /** Last step: the prepared key is the one in use; the one before is gone. Killed within, `unlock` finishes it. */
  async promote(next: Pick<SigningKey, 'publicArmored'>): Promise<void> {
    await writeDurable(join(this.#own, PUBLIC_FILE), next.publicArmored(), 0o644);
    await this.#finishPromotion();
  }

  async #finishPromotion(): Promise<void> {
    await moveDurable(join(this.#own, `${REVOCATION_FILE}.next`), join(this.#own, REVOCATION_FILE)).catch(() => {});
    await moveDurable(this.#next, join(this.#own, PRIVATE_FILE));
  }

  get #next(): string {
    return join(this.#own, `${PRIVATE_FILE}.next`);
  }

  async publicArmored(): Promise<string | undefined> {
    return readText(join(this.#own, PUBLIC_FILE));
  }

  /** What the key in use is called and how long it lasts; needs no passphrase. */
  async publicInfo(): Promise<PublicKeyInfo | undefined> {
    const armored = await this.publicArmored();
    return armored === undefined ? undefined : (await loadKeyring([Buffer.from(armored)], 'all')).keys[0];
  }

  /** The store's key at work; `trust.no-key` where it has none, `trust.passphrase` where that is wrong or missing. */
  async unlock(passphrase?: string): Promise<SigningKey> {
    const [inUse, prepared] = [await readText(join(this.#own, PRIVATE_FILE)), await readText(this.#next)];
    if (inUse === undefined) {
      throw new KubedosError('trust.no-key', `sign: ${this.#own} holds no signing key`, {
        hint: 'a store that was made by `init --trust` verifies what others signed; give it a key of its own with `kubedos key create`',
      });
    }
    if (prepared === undefined) return this.#open(inUse, passphrase);
    const next = await this.#open(prepared, passphrase);
    if (next.info.fingerprint !== (await this.publicInfo())?.fingerprint) return this.#open(inUse, passphrase);
    await this.#finishPromotion();
    return next;
  }

  #open(text: string, passphrase: string | undefined): Promise<SigningKey> {
    const [, fingerprint] = EXTERNAL.exec(text) ?? [];
    if (fingerprint === undefined) return unlockSigningKey(text, passphrase);
    return gpgSigningKey({ fingerprint, gpg: this.#gpg });
  }

  /** Files a public key for pins without a file; refuses another than the one expected (`trust.key-mismatch`). */
  async importPublic(bytes: Uint8Array, expected: Fingerprint): Promise<PublicKeyInfo> {
    const fingerprint = parseFingerprint(expected, 'the expected fingerprint');
    const found = await loadKeyring([bytes], 'all');
    const info = found.keys.find((key) => key.fingerprint === fingerprint || key.subkeys.includes(fingerprint));
    if (!info) {
      const holds = found.keys.map((key) => key.fingerprint).join(', ');
      throw new KubedosError(
        'trust.key-mismatch',
        `import key: the file holds ${holds || 'no key'}, expected ${fingerprint}`,
        {
          hint: 'get the key again, or find out why it changed; never adapt the fingerprint to the file',
        },
      );
    }
    const pinned = await loadKeyring([bytes], [info.fingerprint]);
    await writeDurable(join(this.#imported, `${info.fingerprint}.asc`), pinned.armored(), 0o644);
    return info;
  }

  /** Public keys that were imported, each as a file's bytes. */
  async imported(): Promise<Buffer[]> {
    const names = await readdir(this.#imported).catch(() => []);
    return Promise.all(
      names
        .filter((name) => name.endsWith('.asc'))
        .sort()
        .map((name) => readFile(join(this.#imported, name))),
    );
  }
}

function reference({ gnupg }: ExternalKey): string {
  return `gnupg ${parseFingerprint(gnupg, 'key of GnuPG')}\n`;
}
