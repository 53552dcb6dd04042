import { KubedosError } from '../../errors.ts';
import { type CommandSpec, YES } from '../command.ts';
import { KEY_OPTIONS, newPassphrase, wantedKey } from '../keys.ts';
import { fields } from '../render/table.ts';
import { repoDeps } from '../repositories.ts';

export const keyRotateCommand: CommandSpec = {
  path: 'key rotate',
  summary: 'give the store a new signing key, under its root key; shows first',
  description:
    'Needs the root key in keys/root.asc for as long as this takes. Receivers learn of the new key by the chain of roots in the next bundle. Stopped, the same command goes on. docs/keys.md says what clients need.',
  options: [
    ...KEY_OPTIONS,
    { flags: '--revoke-old', summary: 'the key before was stolen or lost: nothing that it signed counts any more' },
    YES,
  ],
  examples: [
    'kubedos key rotate',
    'kubedos key rotate --yes',
    'kubedos key rotate --revoke-old --yes',
    'kubedos key rotate --gpg-key "0123 4567 …"',
  ],
  run: async (context, input) => {
    const { house } = context;
    const store = await house.store();
    const [keys, roots] = [await house.keys(), await house.roots()];
    const [{ loadKeyring }, { headsSignedBy, resignHeads }] = await Promise.all([
      import('../../trust/keyring.ts'),
      import('../../publish/resign-heads.ts'),
    ]);
    const publicKey = await keys.publicArmored();
    if (publicKey === undefined) throw new KubedosError('trust.no-key', 'rotate the signing key: this store has none');
    const before = await loadKeyring([Buffer.from(publicKey)], 'all');
    const plan = {
      before: before.keys[0]?.fingerprint ?? '',
      root: (await roots.own()).length + 1,
      signedAnew: (await headsSignedBy(store, before)).map(({ name }) => name),
      revokeOld: input.flag('revoke-old'),
    };
    if (!input.flag('yes')) return describe({ ...plan, dryRun: true, after: null });

    // One for both private halves: what unlocks the root key encrypts the new key.
    const passphrase = (await house.passphrase()) ?? (await newPassphrase(context, input.flag('passphrase')));
    const { rotateSigningKey } = await import('../../trust/rotate.ts');
    const { recordChange } = await repoDeps(house);
    // Held to the end: nobody signs with the key before while its place is taken.
    const after = await store.withWriter('key rotate', () =>
      rotateSigningKey(
        { keys, roots },
        {
          wanted: wantedKey(input),
          passphrase,
          now: house.now(),
          revokeOld: plan.revokeOld,
          beforeUse: async (signer) => {
            await resignHeads({ store, signer, listKeys: () => house.listKeys(), before, recordChange });
          },
        },
      ),
    );
    return describe({ ...plan, dryRun: false, after });
  },
};

interface Plan {
  readonly dryRun: boolean;
  readonly before: string;
  readonly after: string | null;
  readonly root: number;
  readonly signedAnew: readonly string[];
  readonly revokeOld: boolean;
}

function describe(plan: Plan) {
  const { dryRun, before, after, root, signedAnew, revokeOld } = plan;
  const old = revokeOld
    ? 'is revoked: snapshots that it signed do not verify any more'
    : 'stays good for what it has signed';
  const lines = fields([
    ['signing key', after ?? '(a new one)'],
    ['the one before', `${before} ${old}`],
    ['root', `version ${root}, signed by the root key; receivers follow it at the next import`],
    ['signed anew', signedAnew.length === 0 ? '(no mirror)' : signedAnew.join(', ')],
  ]);
  const next = dryRun
    ? '\nthis is what --yes will do'
    : '\nnow: hand out `kubedos client-config` again, then `kubedos snapshot create --channel CHANNEL`';
  return { data: plan, text: lines + next };
}
