import { KubedosError } from '../../errors.ts';
import { groupedFingerprint, parseFingerprint } from '../../trust/fingerprint.ts';
import { type CommandSpec, confirm, YES } from '../command.ts';

/** What else the root key is there for. */
export const KEY_ROOT_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'key revoke',
    summary: 'take an old signing key of this store out for ever: snapshots that it signed no longer verify',
    description:
      'For one that proves stolen after its rotation; the one in use is replaced by `key rotate --revoke-old`.',
    arguments: [{ name: 'fingerprint', summary: 'as `key rotate` showed it' }],
    options: [YES],
    examples: ['kubedos key revoke "0123 4567 …" --yes'],
    run: async ({ house }, input) => {
      const store = await house.store();
      const fingerprint = parseFingerprint(input.argument(0), 'key to revoke');
      const { loadKeyring } = await import('../../trust/keyring.ts');
      const { keys } = await loadKeyring([Buffer.from(await house.publicKeys())], 'all');
      if (!keys.some((key) => key.fingerprint === fingerprint))
        throw new KubedosError('trust.no-key', `revoke ${fingerprint}: it is no valid signing key of this store`, {
          hint: `there are: ${keys.map((key) => key.fingerprint).join(', ')}`,
        });
      confirm(input, `revoke signing key ${fingerprint}`);
      const roots = await house.roots();
      const [now, passphrase] = [house.now(), await house.passphrase()];
      await store.withWriter('key revoke', () => roots.revoke([fingerprint], { now, passphrase }));
      return {
        data: { revoked: fingerprint },
        text: `${groupedFingerprint(fingerprint)} is revoked; receivers learn of it by the next bundle`,
      };
    },
  },
  {
    path: 'key rotate-root',
    summary: 'replace the root key; what receivers pinned stays as it is',
    description:
      'The old root key signs for the new one, so it must be in keys/root.asc, where the new one is then. `key root` prints what it did before: receivers follow the chain from the first root key on.',
    options: [YES],
    examples: ['kubedos key rotate-root --yes'],
    run: async ({ house }, input) => {
      const store = await house.store();
      confirm(input, 'replace the root key');
      const roots = await house.roots();
      const [now, passphrase] = [house.now(), await house.passphrase()];
      const rootKey = await store.withWriter('key rotate-root', () => roots.rotateRootKey({ now, passphrase }));
      return {
        data: { rootKey, pinned: (await roots.ownFingerprint()) ?? null },
        text: `root key ${groupedFingerprint(rootKey)} is in keys/root.asc: take it offline; receivers follow it by the next bundle`,
      };
    },
  },
];
