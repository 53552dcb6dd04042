import { readFile } from 'node:fs/promises';
import { KubedosError } from '../../errors.ts';
import { shortForm } from '../../trust/short-form.ts';
import type { PublicKeyInfo } from '../../trust/types.ts';
import type { CommandSpec } from '../command.ts';
import { firstRoot, KEY_OPTIONS, makeKeys, newPassphrase, wantedKey } from '../keys.ts';
import { fields, table } from '../render/table.ts';

export const KEY_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'key show',
    summary: 'the public key that signs for the store now; `client-config` prints those of before as well',
    examples: ['kubedos key show > store.asc', 'kubedos key show --json'],
    run: async (context) => {
      await context.house.store();
      const keys = await context.house.keys();
      const publicKey = await keys.publicArmored();
      if (publicKey === undefined)
        throw new KubedosError('trust.no-key', 'show the signing key: this store has none', {
          hint: 'make one with `kubedos key create`',
        });
      return { data: { ...(await keys.publicInfo()), publicKey }, text: publicKey.trimEnd() };
    },
  },
  {
    path: 'key create',
    summary: 'make a signing key for a store that has none, or use one of your GnuPG',
    options: KEY_OPTIONS,
    examples: ['kubedos key create --passphrase', 'kubedos key create --gpg-key "0123 4567 …"'],
    run: async (context, input) => {
      const passphrase = await newPassphrase(context, input.flag('passphrase'));
      await context.house.store();
      return describe(await makeKeys(context.house, wantedKey(input), passphrase));
    },
  },
  {
    path: 'key adopt',
    summary: "take a private key that was made elsewhere as the store's own",
    arguments: [{ name: 'file', summary: 'what `gpg --export-secret-keys --armor` wrote' }],
    examples: ['kubedos key adopt secret.asc'],
    run: async (context, input) => {
      await context.house.store();
      const text = await readFile(input.argument(0), 'utf8');
      const passphrase = await context.house.passphrase();
      const info = await (await context.house.keys()).adopt(text, passphrase);
      await firstRoot(context.house, passphrase);
      return describe(info);
    },
  },
  {
    path: 'key import',
    summary: 'bring in a public key that a spec pins without a file; refused if it is another',
    arguments: [{ name: 'file', summary: 'armoured or binary OpenPGP' }],
    options: [{ flags: '--fingerprint <hex>', summary: 'the full fingerprint that it must have', required: true }],
    examples: ['kubedos key import vendor.asc --fingerprint 9DC858229FC7DD38854AE2D88D81803C0EBFCD88'],
    run: async (context, input) => {
      await context.house.store();
      const keys = await context.house.keys();
      return describe(await keys.importPublic(await readFile(input.argument(0)), input.required('fingerprint')));
    },
  },
  {
    path: 'key trust',
    summary: 'take bundles of the store whose root key this is',
    arguments: [
      { name: 'fingerprint', summary: 'as the sender reads it out, with or without its last word', variadic: true },
    ],
    examples: ['kubedos key trust 0123 4567 89AB … dabor'],
    run: async (context, input) => {
      await context.house.store();
      const fingerprint = await (await context.house.roots()).pin(input.rest(0).join(' '));
      return {
        data: { trusted: fingerprint },
        text: `bundles signed under root key ${shortForm(fingerprint)} are taken`,
      };
    },
  },
  {
    path: 'key root',
    summary: 'the fingerprint that receivers trust: read it out to them',
    description: 'The word at the end is made from the digits: who types it along is told of a slip.',
    examples: ['kubedos key root'],
    run: async (context) => {
      await context.house.store();
      const fingerprint = await (await context.house.roots()).ownFingerprint();
      return {
        data: { fingerprint: fingerprint ?? null, shortForm: fingerprint ? shortForm(fingerprint) : null },
        text: fingerprint ? shortForm(fingerprint) : '(none)',
      };
    },
  },
  {
    path: 'key list',
    summary: 'public keys that were imported',
    examples: ['kubedos key list'],
    run: async (context) => {
      await context.house.store();
      const { loadKeyring } = await import('../../trust/keyring.ts');
      const { keys } = await loadKeyring(await (await context.house.keys()).imported(), 'all');
      return {
        data: keys,
        text: table(
          ['FINGERPRINT', 'ALGORITHM', 'USER ID'],
          keys.map((key) => [key.fingerprint, key.algorithm, key.userIds[0] ?? '']),
        ),
      };
    },
  },
];

function describe(key: PublicKeyInfo) {
  return {
    data: key,
    text: fields([
      ['fingerprint', key.fingerprint],
      ['algorithm', key.algorithm],
      ['user id', key.userIds.join(', ')],
    ]),
  };
}
