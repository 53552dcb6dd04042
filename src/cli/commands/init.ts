import { KubedosError } from '../../errors.ts';
import { groupedFingerprint } from '../../trust/fingerprint.ts';
import type { KeyAlgorithm } from '../../trust/signing-key.ts';
import type { PublicKeyInfo } from '../../trust/types.ts';
import type { House } from '../../wiring.ts';
import type { CommandSpec, Context } from '../command.ts';
import { fields } from '../render/table.ts';

export const KEY_OPTIONS = [
  { flags: '--algorithm <name>', summary: 'ed25519, or rsa4096 for clients older than apt 1.4', default: 'ed25519' },
  { flags: '--user-id <text>', summary: 'name in the key', default: 'kubedos' },
  { flags: '--passphrase', summary: 'encrypt the private key: asks for the passphrase, or takes KUBEDOS_PASSPHRASE' },
] as const;

export function algorithmOf(text: string | undefined): 'ed25519' | 'rsa4096' {
  if (text === undefined || text === 'ed25519') return 'ed25519';
  if (text === 'rsa4096') return 'rsa4096';
  throw new KubedosError('usage.argument', `--algorithm ${text}: expected ed25519 or rsa4096`);
}

export async function newPassphrase(context: Context, wanted: boolean): Promise<string | undefined> {
  if (!wanted) return undefined;
  const passphrase = process.env.KUBEDOS_PASSPHRASE ?? (await context.askSecret('Passphrase of the new key: '));
  if (passphrase) return passphrase;
  throw new KubedosError('trust.passphrase', 'make a signing key: --passphrase was given, and no passphrase', {
    hint: 'run it on a terminal, or set KUBEDOS_PASSPHRASE',
  });
}

/** The store's signing key and the first root of its chain; what is there already stays. */
export async function makeKeys(
  house: House,
  wanted: { readonly algorithm: KeyAlgorithm; readonly userId: string; readonly passphrase?: string | undefined },
): Promise<PublicKeyInfo> {
  const keys = await house.keys();
  const now = house.now();
  const info = await keys.create({ ...wanted, date: now });
  const publicKey = (await keys.publicArmored()) ?? '';
  const { identity } = await house.store();
  const { fingerprint } = info;
  await (await house.roots()).create(identity.id, { fingerprint, publicKey }, { now, passphrase: wanted.passphrase });
  return info;
}

export const INIT_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'init',
    summary: 'make a store in the data folder, with a signing key of its own',
    description:
      'The private key is a file of mode 0600 in keys/ of the data folder, encrypted with --passphrase. Keep a copy of keys/ apart from the store.',
    options: [
      ...KEY_OPTIONS,
      {
        flags: '--trust <fingerprint...>',
        summary: 'take bundles of the store whose root key this is (as its `init` or `key show` prints it)',
      },
      { flags: '--no-key', summary: 'make no signing key now (`key create` or `key adopt` later)' },
    ],
    examples: ['kubedos init', 'kubedos init --algorithm rsa4096 --passphrase', 'kubedos init --trust "0123 4567 …"'],
    run: async (context, input) => {
      const algorithm = algorithmOf(input.string('algorithm'));
      const withKey = !input.isFalse('key');
      const passphrase = await newPassphrase(context, withKey && input.flag('passphrase'));
      const store = await context.house.initStore();
      const userId = input.string('user-id') ?? 'kubedos';
      const key = withKey ? await makeKeys(context.house, { algorithm, userId, passphrase }) : undefined;
      const roots = await context.house.roots();
      const trusted = [];
      for (const fingerprint of input.strings('trust')) trusted.push(await roots.pin(fingerprint));
      const root = await roots.ownFingerprint();
      return {
        data: { store: store.identity, key: key ?? null, rootFingerprint: root ?? null, trusted },
        text: fields([
          ['store', store.identity.id],
          ['folder', store.dir],
          ['signing key', key ? key.fingerprint : '(none)'],
          ['root key', root ? groupedFingerprint(root) : '(none)'],
          ...trusted.map((one) => ['trusts', groupedFingerprint(one)] as const),
        ]),
      };
    },
  },
];
