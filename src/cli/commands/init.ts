import { parseShortForm, shortForm } from '../../trust/short-form.ts';
import type { Fingerprint } from '../../trust/types.ts';
import type { CommandSpec } from '../command.ts';
import { KEY_OPTIONS, makeKeys, newPassphrase, wantedKey } from '../keys.ts';
import { fields } from '../render/table.ts';

export const INIT_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'init',
    summary: 'make a store in the data folder, with a signing key of its own',
    description:
      'The private key is a file of mode 0600 in keys/ of the data folder, encrypted with --passphrase; or it stays in your GnuPG, with --gpg-key. Keep a copy of keys/ apart from the store.',
    options: [
      ...KEY_OPTIONS,
      {
        flags: '--trust <fingerprint...>',
        summary: 'take bundles of the store whose root key this is (as its `init` or `key root` prints it)',
      },
      { flags: '--no-key', summary: 'make no signing key now (`key create` or `key adopt` later)' },
    ],
    examples: [
      'kubedos init',
      'kubedos init --algorithm rsa4096 --passphrase',
      'kubedos init --gpg-key "0123 4567 …"',
      'kubedos init --trust "0123 4567 … dabor"',
    ],
    run: async (context, input) => {
      // Before anything is made: who mistyped it says the same again.
      const wantsTrust = trustedKeys(input.strings('trust'));
      const withKey = !input.isFalse('key');
      const wanted = wantedKey(input);
      const passphrase = await newPassphrase(context, withKey && input.flag('passphrase'));
      if (withKey && 'gnupg' in wanted) await (await context.house.keys()).tryExternal(wanted);
      const store = await context.house.initStore();
      const key = withKey ? await makeKeys(context.house, wanted, passphrase) : undefined;
      const roots = await context.house.roots();
      const trusted = [];
      for (const fingerprint of wantsTrust) trusted.push(await roots.pin(fingerprint));
      const root = await roots.ownFingerprint();
      return {
        data: { store: store.identity, key: key ?? null, rootFingerprint: root ?? null, trusted },
        text: fields([
          ['store', store.identity.id],
          ['folder', store.dir],
          ['signing key', key ? key.fingerprint : '(none)'],
          ['root key', root ? shortForm(root) : '(none)'],
          ...trusted.map((one) => ['trusts', shortForm(one)] as const),
        ]),
      };
    },
  },
];

/** Each value is one; or all together are one, whose groups came without quotes. */
function trustedKeys(values: readonly string[]): Fingerprint[] {
  const texts = values.length > 1 && values.every((value) => value.length < 40) ? [values.join(' ')] : values;
  return texts.map((text) => parseShortForm(text, 'root key to trust'));
}
