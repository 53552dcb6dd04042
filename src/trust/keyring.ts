import { armor, enums, type Key } from 'openpgp';
import { KubedosError } from '../errors.ts';
import { parseClearsigned } from './clearsigned.ts';
import { parseFingerprint } from './fingerprint.ts';
import { readPublicKeys } from './key-file.ts';
import { fingerprintOf, publicKeyInfo } from './key-info.ts';
import { POLICY } from './policy.ts';
import { type TrustedKey, verifySignatures } from './signatures.ts';
import type { Fingerprint, Keyring } from './types.ts';

/**
 * Reads key files and keeps the pinned keys. A pin names a primary key (all its subkeys may sign) or one subkey (that
 * one alone may). `all` trusts whatever the files hold: for keyrings that were narrowed before.
 * A pin without its key: `trust.no-key`. `now` decides only whether a signature that carries an expiry is past it;
 * `origin` says in errors where the files are from.
 */
export async function loadKeyring(
  keyFiles: readonly Uint8Array[],
  pinned: readonly Fingerprint[] | 'all',
  options: { readonly now?: () => Date; readonly origin?: string } = {},
): Promise<Keyring> {
  const keys = new Map<Fingerprint, Key>();
  const { origin } = options;
  const from = origin === undefined ? '' : ` of ${origin}`;
  for (const [index, file] of keyFiles.entries()) {
    for (const key of await readPublicKeys(file, `${index + 1} of ${keyFiles.length}${from}`)) {
      const known = keys.get(fingerprintOf(key));
      // The same key twice, perhaps with a later expiry or a revocation: both count.
      keys.set(fingerprintOf(key), known === undefined ? key : await known.update(key));
    }
  }
  const trusted = pinned === 'all' ? [...keys.values()].map(whole) : narrow([...keys.values()], pinned, from);
  const infos = await Promise.all(trusted.map(({ key }) => publicKeyInfo(key)));
  const now = options.now ?? (() => new Date());
  const packets = Buffer.concat(trusted.map(({ key }) => key.write()));

  return {
    keys: infos,
    binary: () => Uint8Array.from(packets),
    armored: () => armored(packets),
    async verifyClearsigned(bytes, origin) {
      const { content, hashed, signature } = parseClearsigned(bytes, origin);
      const check = { content: hashed, signature, origin, now: now(), textOnly: true };
      return { ...(await verifySignatures(trusted, check)), content };
    },
    verifyDetached: (content, signature, origin) =>
      verifySignatures(trusted, { content, signature, origin, now: now(), textOnly: false }),
  };
}

/** With the checksum that RFC 9580 made optional: GnuPG 2.2, and apt with it, misread armour that ends without `=`. */
function armored(packets: Uint8Array): string {
  return armor(enums.armor.publicKey, packets, undefined, undefined, undefined, true, POLICY).replaceAll('\r\n', '\n');
}

function whole(key: Key): TrustedKey {
  return { key, signers: [key, ...key.subkeys] };
}

function narrow(keys: readonly Key[], pinned: readonly Fingerprint[], from: string): TrustedKey[] {
  const pins = new Set(pinned.map((pin) => parseFingerprint(pin, 'pinned key')));
  const missing = [...pins].filter(
    (pin) => !keys.some((key) => whole(key).signers.some((k) => fingerprintOf(k) === pin)),
  );
  if (missing.length > 0) {
    throw new KubedosError('trust.no-key', `load keys${from}: no public key for the pinned ${missing.join(', ')}`, {
      hint: 'import the key file: `kubedos key import FILE --fingerprint FINGERPRINT`',
      details: { missing },
    });
  }
  return keys.flatMap((key) => {
    if (pins.has(fingerprintOf(key))) return [whole(key)];
    const signers = key.subkeys.filter((subkey) => pins.has(fingerprintOf(subkey)));
    return signers.length > 0 ? [{ key, signers }] : [];
  });
}
