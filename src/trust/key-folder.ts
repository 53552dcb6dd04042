/** The keys of a store on disk: its own signing key, and public keys of others that somebody brought in. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { moveDurable, readText, writeDurable } from './durable-file.ts';
import { parseFingerprint } from './fingerprint.ts';
import { loadKeyring } from './keyring.ts';
import type { RootKey } from './root-document.ts';
import { rootKeyOf } from './roots.ts';
import { createSigningKey, type NewSigningKey, unlockSigningKey } from './signing-key.ts';
import type { Fingerprint, PublicKeyInfo, SigningKey } from './types.ts';

const PRIVATE_FILE = 'signing.asc';
const PUBLIC_FILE = 'signing.pub.asc';
const REVOCATION_FILE = 'signing.rev.asc';

export class KeyFolder {
  readonly #own: string;
  readonly #imported: string;

  /** `ownDir`: keys/ of the data folder; `importedDir`: its trust/imported/. */
  constructor(ownDir: string, importedDir: string) {
    this.#own = ownDir;
    this.#imported = importedDir;
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
  async prepare(wanted: NewSigningKey): Promise<RootKey> {
    const known = await readText(this.#next);
    if (known !== undefined) return rootKeyOf(await unlockSigningKey(known, wanted.passphrase));
    const made = await createSigningKey(wanted);
    await writeDurable(join(this.#own, `${REVOCATION_FILE}.next`), made.revocationCertificate, 0o600);
    await writeDurable(this.#next, made.privateArmored, 0o600);
    return { fingerprint: made.info.fingerprint, publicKey: made.publicArmored };
  }

  /** Last step: the prepared key is the one in use; the one before is gone. Killed within, `unlock` finishes it. */
  async promote(next: RootKey): Promise<void> {
    await writeDurable(join(this.#own, PUBLIC_FILE), next.publicKey, 0o644);
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

  /** The store's key at work; `trust.no-key` where it has none, `trust.passphrase` where that is wrong or missing. */
  async unlock(passphrase?: string): Promise<SigningKey> {
    const [inUse, prepared] = [await readText(join(this.#own, PRIVATE_FILE)), await readText(this.#next)];
    if (inUse === undefined) {
      throw new KubedosError('trust.no-key', `sign: ${this.#own} holds no signing key`, {
        hint: 'a store that was made by `init --trust` verifies what others signed; give it a key of its own with `kubedos key create`',
      });
    }
    if (prepared === undefined) return unlockSigningKey(inUse, passphrase);
    const next = await unlockSigningKey(prepared, passphrase);
    if (next.publicArmored() !== (await this.publicArmored())) return unlockSigningKey(inUse, passphrase);
    await this.#finishPromotion();
    return next;
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
