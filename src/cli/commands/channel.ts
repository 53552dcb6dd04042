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
      const { id } = await store.snapshots.resolve(input.argument(1));
      const expect = input.string('expect');
      const expected = expect === undefined ? {} : { expected: (await store.snapshots.resolve(expect)).id };
      const channel = await store.channels.move(input.argument(0), id, { now: context.house.now(), ...expected });
      return { data: channel, text: `${channel.name} names ${channel.snapshot}` };
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
