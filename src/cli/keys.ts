/** The store's own keys as `init`, `start` and the `key` commands make them. */
import { KubedosError } from '../errors.ts';
import type { WantedKey } from '../trust/rotate.ts';
import type { KeyAlgorithm } from '../trust/signing-key.ts';
import type { PublicKeyInfo } from '../trust/types.ts';
import type { House } from '../wiring.ts';
import type { Context, Input } from './command.ts';

export const KEY_OPTIONS = [
  { flags: '--algorithm <name>', summary: 'ed25519, or rsa4096 for clients older than apt 1.4', default: 'ed25519' },
  { flags: '--user-id <text>', summary: 'name in the key', default: 'kubedos' },
  {
    flags: '--passphrase',
    summary:
      'encrypt the private keys: asks for the passphrase, or takes KUBEDOS_PASSPHRASE or KUBEDOS_PASSPHRASE_FILE',
  },
  {
    flags: '--gpg-key <fingerprint>',
    summary: 'sign by this key of your GnuPG, on a smartcard perhaps: its private half stays there',
  },
] as const;

export function wantedKey(input: Input): WantedKey {
  const gnupg = input.string('gpg-key');
  if (gnupg !== undefined) return { gnupg };
  return { algorithm: algorithmOf(input.string('algorithm')), userId: input.string('user-id') ?? 'kubedos' };
}

function algorithmOf(text: string | undefined): KeyAlgorithm {
  if (text === undefined || text === 'ed25519') return 'ed25519';
  if (text === 'rsa4096') return 'rsa4096';
  throw new KubedosError('usage.argument', `--algorithm ${text}: expected ed25519 or rsa4096`);
}

/** Of the environment, or asked for. */
export async function newPassphrase({ house, askSecret }: Context, wanted: boolean): Promise<string | undefined> {
  if (!wanted) return undefined;
  const passphrase = (await house.passphrase()) ?? (await askSecret('Passphrase of the new key: '));
  if (passphrase) return passphrase;
  throw new KubedosError('trust.passphrase', 'make a signing key: --passphrase was given, and no passphrase', {
    hint: 'run it on a terminal, or set KUBEDOS_PASSPHRASE or KUBEDOS_PASSPHRASE_FILE',
  });
}

/** The store's signing key and the first root of its chain; what is there already stays. */
export async function makeKeys(house: House, wanted: WantedKey, passphrase?: string): Promise<PublicKeyInfo> {
  const keys = await house.keys();
  const external = 'gnupg' in wanted;
  const info = await (external
    ? keys.adoptExternal(wanted)
    : keys.create({ ...wanted, passphrase, date: house.now() }));
  await firstRoot(house, passphrase);
  return info;
}

/** Names the signing key in a root, under a new root key. */
export async function firstRoot(house: House, passphrase: string | undefined): Promise<void> {
  const keys = await house.keys();
  const { fingerprint = '' } = (await keys.publicInfo()) ?? {};
  const signingKey = { fingerprint, publicKey: (await keys.publicArmored()) ?? '' };
  const { identity } = await house.store();
  await (await house.roots()).create(identity.id, signingKey, { now: house.now(), passphrase });
}
