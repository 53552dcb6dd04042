import { KubedosError } from '../../errors.ts';
import { type CommandSpec, confirm, YES } from '../command.ts';
import { table } from '../render/table.ts';

export const CHANNEL_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'channel list',
    summary: 'channels and the snapshots they name',
    examples: ['kubedos channel list'],
    run: async (context) => {
      const channels = await (await context.house.store()).channels.list();
      return {
        data: channels,
        text: table(
          ['CHANNEL', 'SNAPSHOT', 'MOVES', 'SINCE'],
          channels.map((channel) => [channel.name, channel.snapshot, String(channel.version), channel.time]),
        ),
      };
    },
  },
  {
    path: 'channel set',
    summary: 'move a channel to a snapshot, in one step; makes it if need be',
    arguments: [
      { name: 'channel', summary: 'its name' },
      { name: 'snapshot', summary: 'id, sequence number, tag, or another channel' },
    ],
    options: [{ flags: '--expect <snapshot>', summary: 'only if it names this one now' }],
    examples: ['kubedos channel set stable 12', 'kubedos channel set stable lab --expect 11'],
    run: async (context, input) => {
      const store = await context.house.store();
      const name = input.argument(0);
      const { id, document } = await store.snapshots.resolve(input.argument(1));
      const before = await store.channels.read(name);
      const served = before && (await store.snapshots.resolve(before.snapshot).catch(() => undefined))?.document;
      const expect = input.string('expect');
      const expected = expect === undefined ? {} : { expected: (await store.snapshots.resolve(expect)).id };
      const channel = await store.channels.move(name, id, { now: context.house.now(), ...expected });
      const lines = [`${channel.name} names ${channel.snapshot}`];
      if (served && served.store === document.store && served.sequence > document.sequence) {
        lines.push(
          `it is older than ${before.snapshot}: clients that have seen that one keep its lists in silence; \`kubedos channel rollback ${name} --to ${id}\` signs the older ones anew`,
        );
      }
      return { data: channel, text: lines.join('\n') };
    },
  },
  {
    path: 'channel rollback',
    summary: 'bring a channel back to what it named before, in a form that clients accept',
    description:
      'apt ignores a Release that is older than the one it has. So the lists of curated mirrors and local repositories are signed anew with the date of those that are served now, as a new snapshot. What upstream signed cannot be: for verbatim mirrors the command prints how clients are pointed at the URL of the snapshot instead.',
    arguments: [{ name: 'channel', summary: 'its name' }],
    options: [{ flags: '--to <snapshot>', summary: 'to this one instead of the one before' }],
    examples: ['kubedos channel rollback stable', 'kubedos channel rollback stable --to 12'],
    run: async (context, input) => {
      const { house } = context;
      const { rollBack } = await import('../../publish/rollback.ts');
      const deps = { store: await house.store(), signer: await house.signer(), now: () => house.now() };
      const { channel, verbatim } = await rollBack(deps, input.argument(0), input.string('to'));
      const lines = [`${channel.name} names ${channel.snapshot}`];
      for (const mirror of verbatim) {
        lines.push(
          `upstream signs ${mirror}: apt keeps the newer lists that it has; give clients \`kubedos client-config ${mirror} --snapshot ${channel.snapshot}\``,
        );
      }
      return { data: { ...channel, verbatim }, text: lines.join('\n') };
    },
  },
  {
    path: 'channel remove',
    summary: 'take a channel away; its snapshot stays',
    arguments: [{ name: 'channel', summary: 'its name' }],
    options: [YES],
    examples: ['kubedos channel remove lab --yes'],
    run: async (context, input) => {
      const name = input.argument(0);
      const store = await context.house.store();
      if (!(await store.channels.read(name))) throw new KubedosError('store.not-found', `there is no channel ${name}`);
      confirm(input, `remove channel ${name}, which clients may use`);
      await store.channels.remove(name);
      return { data: { removed: name }, text: `channel ${name} removed` };
    },
  },
];
