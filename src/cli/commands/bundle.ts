import { readFile } from 'node:fs/promises';
import type { Allowance } from '../../bundle/admit.ts';
import type { ExportDeps, ExportReport } from '../../bundle/export.ts';
import type { ExportBase } from '../../bundle/export-base.ts';
import { KubedosError } from '../../errors.ts';
import { shortForm } from '../../trust/short-form.ts';
import type { House } from '../../wiring.ts';
import type { CommandSpec, Input } from '../command.ts';
import { formatBytes, formatCount } from '../render/units.ts';

export const BUNDLE_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'bundle export',
    summary: 'write snapshots as signed volumes for removable media',
    description:
      'Stopped, or the disk full, the same command goes on. Without --base the bundle is complete; with the receipt of the receiver it holds what that store lacks.',
    options: [
      { flags: '--to <dir>', summary: 'where the volume folders are made', required: true },
      { flags: '--channel <name...>', summary: 'channels, with the snapshots they name' },
      { flags: '--snapshot <snapshot...>', summary: 'snapshots without a channel' },
      { flags: '--base <what>', summary: 'a receipt file, or a snapshot that the receiver holds' },
      { flags: '--volume-size <size>', summary: 'largest volume: 4GiB, 25GB, 8TB; one volume without' },
      { flags: '--parity <percent>', summary: 'recovery data by par2, such as 5%' },
      { flags: '--audience <store>', summary: 'id of the only store that may take it' },
      { flags: '-n, --dry-run', summary: 'say what would be written' },
    ],
    examples: [
      'kubedos bundle export --channel stable --to /media/usb',
      'kubedos bundle export --channel stable --base receipt.asc --volume-size 25GB --parity 5% --to /srv/out',
    ],
    run: async (context, input) => {
      const { exportBundle, planExport } = await import('../../bundle/export.ts');
      const deps = await exportDeps(context.house);
      const options = {
        to: input.required('to'),
        channels: input.strings('channel'),
        snapshots: input.strings('snapshot'),
        base: await baseOf(input),
        volumeSizeBytes: input.bytes('volume-size', '25GB'),
        parityPercent: percentOf(input),
        audience: input.string('audience'),
      };
      if (options.channels.length + options.snapshots.length === 0) {
        throw new KubedosError('usage.argument', 'bundle export: name a --channel or a --snapshot');
      }
      if (input.flag('dry-run')) {
        const plan = await planExport(deps, options, context);
        return { data: plan, text: JSON.stringify(plan, null, 2) };
      }
      return describeExport(
        await exportBundle(deps, options, context),
        await (await context.house.roots()).ownFingerprint(),
      );
    },
  },
  {
    path: 'bundle reburn',
    summary: 'make lost volumes again, byte for byte',
    arguments: [{ name: 'bundle', summary: 'its id, as the folder names begin' }],
    options: [
      { flags: '--volume <number...>', summary: 'which', required: true },
      { flags: '--to <dir>', summary: 'where', required: true },
    ],
    examples: ['kubedos bundle reburn b12-0123456789abcdef --volume 3 --to /media/usb'],
    run: async (context, input) => {
      const { reburn } = await import('../../bundle/reburn.ts');
      const volumes = input.strings('volume').map(Number);
      const { par2 } = await import('../../exec/par2.ts');
      const deps = { store: await context.house.store(), parityTool: par2 };
      return describeExport(
        await reburn(deps, { bundle: input.argument(0), volumes, to: input.required('to') }, context),
        undefined,
      );
    },
  },
  {
    path: 'bundle verify',
    summary: 'read volumes and name all that is damaged or missing',
    description: 'Exit status 8 if anything is. Where the store trusts the sender, signatures are checked too.',
    arguments: [{ name: 'dir', summary: 'folders that hold volumes', variadic: true }],
    options: [{ flags: '--unsigned', summary: 'do not look at signatures: no store is needed' }],
    examples: ['kubedos bundle verify /media/usb', 'kubedos bundle verify --unsigned /srv/out'],
    run: async (context, input) => {
      const { verifyBundle } = await import('../../bundle/verify.ts');
      const roots = input.flag('unsigned') ? undefined : await context.house.roots();
      const followRoots =
        roots && ((sender: string, chain: Parameters<typeof roots.follow>[1]) => roots.follow(sender, chain));
      const report = await verifyBundle(input.rest(0), { followRoots }, context);
      const lines = [
        ...report.damage.map((one) => `damaged: ${JSON.stringify(one)}`),
        ...report.missingVolumes.map((volume) => `missing: volume ${volume}`),
        `${report.bundle.id}: ${report.complete ? 'complete and sound' : 'not complete'}, signature ${report.signature}`,
      ];
      return { data: report, text: lines.join('\n'), exit: report.complete ? 0 : 8 };
    },
  },
  {
    path: 'bundle import',
    summary: 'take a bundle in: verify all of it, then make it visible in one step',
    description: 'Stopped or with volumes missing, the same command goes on. Repeated, it changes nothing.',
    arguments: [{ name: 'dir', summary: 'folders that hold volumes, of one or several media', variadic: true }],
    options: [
      { flags: '--bundle <id>', summary: 'this one, where several lie there' },
      { flags: '--allow <what...>', summary: 'pass over a refusal once: rollback, expired, jump' },
    ],
    examples: ['kubedos bundle import /media/usb', 'kubedos bundle import /media/disc1 /media/disc2'],
    run: async (context, input) => {
      const { house } = context;
      const [{ importBundle }, { verifyEvidence }, { par2 }] = await Promise.all([
        import('../../bundle/import.ts'),
        import('../../bundle/upstream-evidence.ts'),
        import('../../exec/par2.ts'),
      ]);
      const roots = await house.roots();
      const store = await house.store();
      const deps = {
        store,
        followRoots: (sender: string, chain: Parameters<typeof roots.follow>[1]) => roots.follow(sender, chain),
        now: () => house.now(),
        verifyEvidence,
        parityTool: par2,
      };
      const report = await importBundle(
        deps,
        { from: input.rest(0), bundle: input.string('bundle'), allow: input.strings('allow').map(allowance) },
        context,
      );
      // Also after a repeat: an import that was killed may not have come to it.
      const { refreshCatalog } = await import('../../publish/rebuild-catalog.ts');
      await refreshCatalog({ store, catalog: await house.catalog() }, context);
      const lines = [
        ...report.warnings.map((text) => `warning: ${text}`),
        report.imported
          ? `${report.bundle.id} imported: ${report.snapshots.join(', ')}; ${formatBytes(report.newBytes)} were new`
          : `${report.bundle.id} was imported before`,
      ];
      return { data: report, text: lines.join('\n') };
    },
  },
  {
    path: 'receipt',
    summary: 'a signed list of what this store holds, for the sender to cut the next bundle by',
    examples: ['kubedos receipt > receipt.asc'],
    run: async (context) => {
      const { createReceipt } = await import('../../bundle/receipt.ts');
      const { house } = context;
      const made = await createReceipt({
        store: await house.store(),
        signer: await house.signer(),
        now: () => house.now(),
      });
      return { data: made.receipt, text: made.text.trimEnd() };
    },
  },
  {
    path: 'bundle acknowledge',
    summary: "file a receiver's receipt: what it holds is kept here as the base of what follows",
    arguments: [{ name: 'file', summary: 'what `kubedos receipt` printed there' }],
    examples: ['kubedos bundle acknowledge receipt.asc'],
    run: async (context, input) => {
      const { applyReceipt, readReceipt } = await import('../../bundle/receipt.ts');
      const { receipt } = await readReceipt(await readFile(input.argument(0)), undefined);
      const snapshot = await applyReceipt(await context.house.store(), receipt);
      return {
        data: { receiver: receipt.store, acknowledged: snapshot?.id ?? null },
        text: snapshot
          ? `store ${receipt.store} holds ${snapshot.id}`
          : `store ${receipt.store} holds nothing of this store`,
      };
    },
  },
];

async function exportDeps(house: House): Promise<ExportDeps> {
  const { par2 } = await import('../../exec/par2.ts');
  const roots = await house.roots();
  const own = await roots.own();
  if (own.length === 0) {
    throw new KubedosError('trust.no-key', 'bundle export: this store has no root of its own', {
      hint: 'make one with `kubedos key create`',
    });
  }
  return {
    store: await house.store(),
    signer: await house.signer(),
    roots: own,
    senderKeys: (await roots.keyring()).binary(),
    now: () => house.now(),
    parityTool: par2,
  };
}

async function baseOf(input: Input): Promise<ExportBase | undefined> {
  const base = input.string('base');
  if (base === undefined) return undefined;
  const bytes = await readFile(base).catch(() => undefined);
  if (bytes === undefined) return { snapshot: base };
  const { readReceipt } = await import('../../bundle/receipt.ts');
  return { receipt: (await readReceipt(bytes, undefined)).receipt };
}

function percentOf(input: Input): number | undefined {
  const text = input.string('parity');
  if (text === undefined) return undefined;
  const percent = Number(text.replace(/%$/, ''));
  if (Number.isInteger(percent) && percent >= 0 && percent <= 100) return percent;
  throw new KubedosError('usage.argument', `--parity ${text}: expected whole per cent, such as 5%`);
}

function allowance(text: string): Allowance {
  if (text === 'rollback' || text === 'expired' || text === 'jump') return text;
  throw new KubedosError('usage.argument', `--allow ${text}: expected rollback, expired or jump`);
}

function describeExport(report: ExportReport, root: string | undefined) {
  const lines = [
    `${report.bundle.id}: ${formatCount(report.objects, 'object')}, ${formatBytes(report.bytes)}, ${report.base === null ? 'complete' : `on top of ${report.base}`}`,
    ...report.folders,
  ];
  if (report.foreign.length > 0)
    lines.push(`left alone, since they are of other bundles: ${report.foreign.join(', ')}`);
  if (root !== undefined) lines.push(`the receiver trusts it by: kubedos init --trust "${shortForm(root)}"`);
  return { data: report, text: lines.join('\n') };
}
