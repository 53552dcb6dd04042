import { KubedosError } from '../../errors.ts';
import type { Snapshot } from '../../store/types.ts';
import { type CommandSpec, type Context, confirm, YES } from '../command.ts';
import { fields, table } from '../render/table.ts';
import { formatBytes, formatNumber } from '../render/units.ts';

const REFERENCE = { name: 'snapshot', summary: 'id, its sequence number, tag, or channel' };

export const SNAPSHOT_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'snapshot create',
    summary: 'freeze the newest state of all mirrors together, signed',
    options: [
      { flags: '--mirror <name...>', summary: 'these mirrors only' },
      { flags: '--note <text>', summary: 'a line to remember it by; part of the signed document' },
      { flags: '--channel <name>', summary: 'move this channel to it' },
    ],
    examples: ['kubedos snapshot create --note "before the refit"', 'kubedos snapshot create --channel stable'],
    run: async (context, input) => {
      const { snapshot, created } = await createSnapshot(context, input.strings('mirror'), input.string('note'));
      const channel = input.string('channel');
      const store = await context.house.store();
      if (channel !== undefined) await store.channels.move(channel, snapshot.id, { now: context.house.now() });
      const moved = channel === undefined ? '' : `; channel ${channel} points at it`;
      return {
        data: { id: snapshot.id, created, ...snapshot.document },
        text: created ? `${snapshot.id} created${moved}` : `${snapshot.id} holds this state already${moved}`,
      };
    },
  },
  {
    path: 'snapshot list',
    summary: 'all snapshots, with what holds them',
    examples: ['kubedos snapshot list'],
    run: async (context) => {
      const store = await context.house.store();
      const { heldSnapshots } = await import('../../store/retention.ts');
      const held = await heldSnapshots(store);
      const rows = [];
      for (const id of await store.snapshots.list()) {
        const snapshot = await store.snapshots.read(id);
        if (snapshot) rows.push({ id, held: held.get(id) ?? [], ...snapshot.document });
      }
      return {
        data: rows,
        text: table(
          ['ID', 'TIME', 'MIRRORS', 'SIZE', 'HELD BY'],
          rows.map((row) => [
            row.id,
            row.time,
            row.mirrors.map((mirror) => mirror.name).join(' '),
            formatBytes(row.mirrors.reduce((sum, mirror) => sum + mirror.manifest.bytes, 0)),
            row.held.join(', '),
          ]),
        ),
      };
    },
  },
  {
    path: 'snapshot show',
    summary: 'one snapshot and what vouches for it',
    arguments: [REFERENCE],
    examples: ['kubedos snapshot show stable', 'kubedos snapshot show 12'],
    run: async (context, input) => {
      const snapshot = await resolve(context, input.argument(0));
      const { document } = snapshot;
      const mirrors = document.mirrors.map((mirror): readonly [string, string] => [
        `mirror ${mirror.name}`,
        `${mirror.kind}, ${mirror.form}, ${formatNumber(mirror.manifest.files)} files, ${formatBytes(mirror.manifest.bytes)}, list ${mirror.manifest.root.slice(0, 16)}`,
      ]);
      return {
        data: { id: snapshot.id, ...document, signature: snapshot.signature },
        text: fields([
          ['id', snapshot.id],
          ['store', document.store],
          ['time', document.time],
          ['parent', document.parent ?? '(none)'],
          ...(document.note === null ? [] : [['note', document.note] as const]),
          ...mirrors,
        ]),
      };
    },
  },
  {
    path: 'snapshot diff',
    summary: 'what changed between two snapshots, by package',
    arguments: [REFERENCE, { name: 'other', summary: 'the later one' }],
    options: [{ flags: '--markdown', summary: 'as Markdown, for a change record' }],
    examples: ['kubedos snapshot diff 11 12', 'kubedos snapshot diff 11 stable --markdown'],
    run: async (context, input) => {
      const [{ diffSnapshots }, { packageLookup }, render] = await Promise.all([
        import('../../inspect/snapshot-diff.ts'),
        import('../../inspect/package-lookup.ts'),
        import('../../inspect/render-diff.ts'),
      ]);
      const store = await context.house.store();
      const catalog = await context.house.catalog();
      const lookup = packageLookup(store.objects, (hashes) => catalog.packagesByObject(hashes));
      const range = { before: input.argument(0), after: input.argument(1), signal: context.signal };
      const diff = await diffSnapshots(store, lookup, range);
      return {
        data: diff,
        text: (input.flag('markdown') ? render.diffMarkdown(diff) : render.diffText(diff)).trimEnd(),
      };
    },
  },
  {
    path: 'snapshot tag',
    summary: 'give a snapshot a name that stays',
    arguments: [REFERENCE, { name: 'tag', summary: 'the name' }],
    examples: ['kubedos snapshot tag stable sea-trial'],
    run: async (context, input) => {
      const { id } = await resolve(context, input.argument(0));
      const tag = input.argument(1);
      if (!/^[a-z][a-z0-9._-]{0,99}$/.test(tag))
        throw new KubedosError(
          'usage.argument',
          `tag ${tag}: expected a letter, then letters, digits, dots or hyphens`,
        );
      await (await context.house.store()).labels.update((labels) => ({
        ...labels,
        tags: { ...labels.tags, [tag]: id },
      }));
      return { data: { tag, snapshot: id }, text: `${tag} names ${id}` };
    },
  },
  {
    path: 'snapshot untag',
    summary: 'take a tag away',
    arguments: [{ name: 'tag', summary: 'the name' }],
    examples: ['kubedos snapshot untag sea-trial'],
    run: async (context, input) => {
      const tag = input.argument(0);
      await (await context.house.store()).labels.update((labels) => {
        if (!(tag in labels.tags)) throw new KubedosError('store.not-found', `there is no tag ${tag}`);
        return { ...labels, tags: Object.fromEntries(Object.entries(labels.tags).filter(([name]) => name !== tag)) };
      });
      return { data: { untagged: tag }, text: `tag ${tag} taken away` };
    },
  },
  protection('protect', true),
  protection('unprotect', false),
  {
    path: 'snapshot delete',
    summary: 'delete a snapshot; `store gc` then frees what nothing else names',
    arguments: [REFERENCE],
    options: [YES],
    examples: ['kubedos snapshot delete 12 --yes'],
    run: async (context, input) => {
      const { id } = await resolve(context, input.argument(0));
      confirm(input, `delete snapshot ${id}`);
      const store = await context.house.store();
      await store.withWriter('snapshot delete', () => store.snapshots.delete(id));
      return { data: { deleted: id }, text: `${id} deleted` };
    },
  },
  {
    path: 'snapshot prune',
    summary: 'delete what a retention rule does not keep; shows first',
    description: 'Protected, tagged and acknowledged snapshots and those of channels always stay.',
    options: [
      {
        flags: '--keep <rule>',
        summary: 'such as "last 10, monthly 12" (last, daily, weekly, monthly, yearly)',
        required: true,
      },
      YES,
    ],
    examples: ['kubedos snapshot prune --keep "last 10, monthly 12"', 'kubedos snapshot prune --keep "last 3" --yes'],
    run: async (context, input) => {
      const { applyRetention, parseRetention } = await import('../../store/retention.ts');
      const dryRun = !input.flag('yes');
      const plan = await applyRetention(await context.house.store(), parseRetention(input.required('keep')), {
        dryRun,
      });
      const rows = [
        ...plan.keep.map(({ id, reasons }) => [id, 'keep', reasons.join(', ')]),
        ...plan.remove.map((id) => [id, dryRun ? 'would delete' : 'deleted', '']),
      ];
      const hint = dryRun && plan.remove.length > 0 ? '\nadd --yes to delete them' : '';
      return { data: { dryRun, ...plan }, text: table(['ID', '', 'WHY'], rows) + hint };
    },
  },
];

function protection(verb: 'protect' | 'unprotect', on: boolean): CommandSpec {
  return {
    path: `snapshot ${verb}`,
    summary: on ? 'keep a snapshot from being deleted' : 'allow it to be deleted again',
    arguments: [REFERENCE],
    examples: [`kubedos snapshot ${verb} 12`],
    run: async (context, input) => {
      const { id } = await resolve(context, input.argument(0));
      await (await context.house.store()).labels.update((labels) => {
        const others = labels.protected.filter((one) => one !== id);
        return { ...labels, protected: on ? [...others, id].sort() : others };
      });
      return { data: { snapshot: id, protected: on }, text: `${id} is ${on ? '' : 'no longer '}protected` };
    },
  };
}

async function resolve(context: Context, reference: string): Promise<Snapshot> {
  return (await context.house.store()).snapshots.resolve(reference);
}

/** All mirrors, or those named. */
export async function createSnapshot(
  context: Context,
  names: readonly string[] = [],
  note?: string,
): Promise<{ readonly snapshot: Snapshot; readonly created: boolean }> {
  const store = await context.house.store();
  const signer = await context.house.signer();
  return store.withWriter('snapshot create', async () => {
    const heads = await store.heads.list();
    const unknown = names.find((name) => !heads.some((head) => head.name === name));
    if (unknown !== undefined) throw new KubedosError('store.not-found', `snapshot: there is no mirror ${unknown}`);
    const chosen = names.length === 0 ? heads : heads.filter((head) => names.includes(head.name));
    if (chosen.length === 0)
      throw new KubedosError('store.not-found', 'snapshot: there is no mirror yet', { hint: 'sync one first' });
    const now = context.house.now();
    return store.snapshots.create({ heads: chosen, now, sign: (bytes) => signer.detached(bytes, now), note });
  });
}
