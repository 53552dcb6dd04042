import { clientTls } from '../client-tls.ts';
import { type CommandSpec, YES } from '../command.ts';
import { fields, table } from '../render/table.ts';
import { formatBytes, formatCount, formatNumber } from '../render/units.ts';
import { type FoundSpec, findSpec } from '../specs.ts';

const HOUR_MS = 3_600_000;

export const STORE_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'store check',
    summary: 'is every path that a list names there, with its size? are all documents sound and signed?',
    description: 'Exit status 8 if anything is found. Reads lists, not packages: `store scrub` reads those.',
    examples: ['kubedos store check'],
    run: async (context) => {
      const { checkStore } = await import('../../store/check.ts');
      const verify = (bytes: Uint8Array, signature: string, id: string) =>
        context.house.verifySnapshot(bytes, signature, `snapshot ${id}`);
      const report = await checkStore(await context.house.store(), { verify }, context);
      const summary = `${formatCount(report.snapshots, 'snapshot')}, ${formatCount(report.lists, 'list')}, ${formatCount(report.objects, 'object')}: ${report.clean ? 'all there' : formatCount(report.findings.length, 'finding')}`;
      const lines = report.findings.map((finding) => `${finding.kind}: ${finding.message}`);
      return { data: report, text: [...lines, summary].join('\n'), exit: report.clean ? 0 : 8 };
    },
  },
  {
    path: 'store scrub',
    summary: 'read every object again and hold it against its name',
    description:
      'Stopped, it goes on where it was. Damaged objects are no longer served. Exit status 8 if any is found.',
    options: [
      { flags: '--rate <size>', summary: 'read at most so much a second, such as 50MB' },
      { flags: '--restart', summary: 'begin anew' },
    ],
    examples: ['kubedos store scrub --rate 50MB'],
    run: async (context, input) => {
      const rate = input.bytes('rate', '50MB');
      const { scrubStore } = await import('../../store/scrub.ts');
      const report = await scrubStore(
        await context.house.store(),
        { bytesPerSecond: rate, restart: input.flag('restart') },
        context,
      );
      const lines = report.bad.flatMap((bad) => [
        `damaged: ${bad.sha256} (${bad.reason})`,
        ...bad.uses.map((use) => `  ${use.path ?? use.role} of ${use.mirror} in ${use.kind} ${use.holder}`),
      ]);
      const summary = `${formatCount(report.objects, 'object')}, ${formatBytes(report.bytes)} read: ${report.bad.length === 0 ? 'all sound' : `${report.bad.length} damaged`}`;
      return { data: report, text: [...lines, summary].join('\n'), exit: report.bad.length === 0 ? 0 : 8 };
    },
  },
  {
    path: 'store gc',
    summary: 'remove what no list names any more; shows first',
    options: [{ flags: '--grace <hours>', summary: 'leave what is younger', default: '24' }, YES],
    examples: ['kubedos store gc', 'kubedos store gc --yes'],
    run: async (context, input) => {
      const { planGc, runGc } = await import('../../store/gc.ts');
      const act = input.flag('yes');
      const options = { now: context.house.now(), graceMs: (input.integer('grace') ?? 24) * HOUR_MS };
      const store = await context.house.store();
      const report = act ? await runGc(store, options, context) : await planGc(store, options, context);
      const hint = act || report.objects === 0 ? '' : '\nadd --yes to remove them';
      return {
        data: { removed: act, ...report },
        text: `${fields([
          [act ? 'removed' : 'would remove', `${formatCount(report.objects, 'object')}, ${formatBytes(report.bytes)}`],
          ['kept by grace', `${formatCount(report.graceObjects, 'object')}, ${formatBytes(report.graceBytes)}`],
          ['kept', `${formatCount(report.keptObjects, 'object')}, ${formatBytes(report.keptBytes)}`],
          ['stale files', formatCount(report.files.length, 'file')],
        ])}${hint}`,
      };
    },
  },
  {
    path: 'store stats',
    summary: 'how much there is, what is shared, and what deleting a snapshot would free',
    examples: ['kubedos store stats'],
    run: async (context) => {
      const { storeStats } = await import('../../store/stats.ts');
      const stats = await storeStats(await context.house.store(), context);
      const totals = fields([
        ['logical', `${formatCount(stats.logical.files, 'file')}, ${formatBytes(stats.logical.bytes)}`],
        ['on disk', `${formatCount(stats.physical.objects, 'object')}, ${formatBytes(stats.physical.bytes)}`],
        ['shared', `${formatCount(stats.shared.objects, 'object')}, ${formatBytes(stats.shared.bytes)}`],
        ['unnamed', `${formatCount(stats.unnamed.objects, 'object')}, ${formatBytes(stats.unnamed.bytes)}`],
      ]);
      const rows = stats.holders.map((one) => [
        one.kind,
        one.holder,
        formatNumber(one.files),
        formatBytes(one.bytes),
        formatBytes(one.frees.bytes),
      ]);
      return { data: stats, text: `${totals}\n\n${table(['', 'NAME', 'FILES', 'SIZE', 'DELETING IT FREES'], rows)}` };
    },
  },
  {
    path: 'store repair',
    summary: 'fetch damaged and missing objects from upstream again',
    description:
      'Inside the gap, and for what upstream serves no more, `kubedos bundle import` of a bundle that carries them brings them back: one that was taken before, or one that this store made itself.',
    examples: ['kubedos store repair'],
    run: async (context) => {
      const { repairStore } = await import('../../sync/repair.ts');
      const store = await context.house.store();
      const found = new Map<string, FoundSpec>();
      for (const name of await store.heads.names()) {
        const spec = await findSpec(store.dir, name).catch(() => undefined);
        if (spec) found.set(name, spec);
      }
      const tls = (await Promise.all([...found.values()].map(clientTls))).flat();
      const fetcher = await context.house.fetcher({ tls });
      const report = await repairStore({ store, fetcher, findSpec: async (name) => found.get(name)?.spec }, context);
      const lines = [
        ...report.repaired.map((one) => `repaired: ${one.sha256} ${one.uses.join(', ')}`),
        ...report.failed.map((one) => `still damaged: ${one.sha256} ${one.uses.join(', ')}: ${one.reason ?? ''}`),
      ];
      if (report.failed.length > 0)
        lines.push('`kubedos bundle import` of a bundle that carries them brings them back, also one of this store');
      if (lines.length === 0) lines.push('nothing is known to be damaged; `store scrub` looks');
      return { data: report, text: lines.join('\n'), exit: report.failed.length === 0 ? 0 : 8 };
    },
  },
  {
    path: 'store rebuild',
    summary: 'make the catalog again from objects, manifests and snapshots alone',
    examples: ['kubedos store rebuild'],
    run: async (context) => {
      const { rebuildCatalog } = await import('../../publish/rebuild-catalog.ts');
      const store = await context.house.store();
      const report = await rebuildCatalog({ store, catalog: await context.house.catalog() }, context);
      return {
        data: report,
        text: table(
          ['MIRROR', 'ADDED', 'REMOVED'],
          report.mirrors.map((one) => [one.mirror, String(one.added), String(one.removed)]),
        ),
      };
    },
  },
];
