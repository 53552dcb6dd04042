import { readFile } from 'node:fs/promises';
import { groupedFingerprint } from '../../trust/fingerprint.ts';
import type { PublicKeyInfo } from '../../trust/types.ts';
import type { CommandSpec } from '../command.ts';
import { fields, table } from '../render/table.ts';
import { algorithmOf, KEY_OPTIONS, makeKeys, newPassphrase } from './init.ts';

export const KEY_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'key show',
    summary: "the store's public key, as clients and receivers need it",
    examples: ['kubedos key show > store.asc', 'kubedos key show --json'],
    run: async (context) => {
      const signer = await context.house.signer();
      return { data: { ...signer.info, publicKey: signer.publicArmored() }, text: signer.publicArmored().trimEnd() };
    },
  },
  {
    path: 'key create',
    summary: 'make a signing key for a store that has none',
    options: KEY_OPTIONS,
    examples: ['kubedos key create --passphrase'],
    run: async (context, input) => {
      const algorithm = algorithmOf(input.string('algorithm'));
      const passphrase = await newPassphrase(context, input.flag('passphrase'));
      await context.house.store();
      const userId = input.string('user-id') ?? 'kubedos';
      return describe(await makeKeys(context.house, { algorithm, userId, passphrase }));
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
      return describe(await (await context.house.keys()).adopt(text, process.env.KUBEDOS_PASSPHRASE));
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
    arguments: [{ name: 'fingerprint', summary: 'as the sender reads it out; spaces do not matter', variadic: true }],
    examples: ['kubedos key trust 0123 4567 89AB …'],
    run: async (context, input) => {
      await context.house.store();
      const fingerprint = await (await context.house.roots()).pin(input.rest(0).join(''));
      return {
        data: { trusted: fingerprint },
        text: `bundles signed under root key ${groupedFingerprint(fingerprint)} are taken`,
      };
    },
  },
  {
    path: 'key root',
    summary: 'the fingerprint that receivers trust: read it out to them',
    examples: ['kubedos key root'],
    run: async (context) => {
      await context.house.store();
      const fingerprint = await (await context.house.roots()).ownFingerprint();
      return {
        data: { fingerprint: fingerprint ?? null },
        text: fingerprint ? groupedFingerprint(fingerprint) : '(none)',
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
