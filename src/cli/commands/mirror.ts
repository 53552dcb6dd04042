import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { MirrorHead } from '../../store/types.ts';
import type { SyncReport } from '../../sync/types.ts';
import { type CommandSpec, confirm, YES } from '../command.ts';
import { fields, table } from '../render/table.ts';
import { formatBytes, formatCount, formatNumber } from '../render/units.ts';
import { findSpec, ownSpecs, specNames } from '../specs.ts';
import { syncSpec } from '../sync.ts';

export const MIRROR_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'mirror add',
    summary: 'take a spec into the store, so that `mirror sync` without names syncs it',
    arguments: [{ name: 'spec', summary: 'name of a ready spec, or a YAML file' }],
    examples: ['kubedos mirror add debian-12', 'kubedos mirror add ./ours.yaml'],
    run: async (context, input) => {
      const { dir } = await context.house.store();
      const found = await findSpec(dir, input.argument(0));
      await mkdir(ownSpecs(dir), { recursive: true });
      const file = join(ownSpecs(dir), `${found.spec.name}.yaml`);
      if (found.file !== file) await copyFile(found.file, file);
      return { data: { mirror: found.spec.name, file }, text: `${found.spec.name} added; edit it in ${file}` };
    },
  },
  {
    path: 'mirror sync',
    summary: 'bring mirrors to the state of their upstreams',
    description:
      'Killed or failed, it leaves the state before and goes on when run again. Nothing is visible before all of it is verified.',
    arguments: [
      { name: 'mirror', summary: 'names or spec files; all added mirrors without', variadic: true, optional: true },
    ],
    options: [
      { flags: '-n, --dry-run', summary: 'say what would be fetched and how large it is; fetch indexes only' },
      { flags: '--allow <what...>', summary: 'pass over a refusal once: rollback, expired' },
      { flags: '--rate <size>', summary: 'at most so much a second, such as 10MB' },
      { flags: '--netrc <file>', summary: 'credentials in netrc form (NETRC)' },
    ],
    examples: [
      'kubedos mirror sync debian-12',
      'kubedos mirror sync --dry-run docker',
      'kubedos mirror sync --rate 10MB',
    ],
    run: async (context, input) => {
      const allow = input.strings('allow').map((what) => {
        if (what === 'rollback' || what === 'expired') return what;
        throw new KubedosError('usage.argument', `--allow ${what}: expected rollback or expired`);
      });
      const { dir } = await context.house.store();
      const named = input.rest(0);
      const references = named.length > 0 ? named : await specNames(ownSpecs(dir));
      if (references.length === 0) {
        throw new KubedosError('usage.argument', 'mirror sync: no mirror is named and none was added', {
          hint: 'name one (`kubedos spec list` shows the ready ones) or add it first with `kubedos mirror add`',
        });
      }
      const reports: SyncReport[] = [];
      for (const reference of references) {
        reports.push(
          await syncSpec(context, await findSpec(dir, reference), {
            dryRun: input.flag('dry-run'),
            allow,
            net: { rateBytesPerSecond: input.bytes('rate', '10MB'), netrcFile: input.string('netrc') },
          }),
        );
      }
      return { data: reports, text: reports.map(describeSync).join('\n') };
    },
  },
  {
    path: 'mirror list',
    summary: 'mirrors of this store, with their newest state',
    examples: ['kubedos mirror list'],
    run: async (context) => {
      const store = await context.house.store();
      const heads = await store.heads.list();
      return {
        data: heads,
        text: table(
          ['NAME', 'KIND', 'FORM', 'FILES', 'SIZE', 'SYNCED'],
          heads.map((head) => [
            head.name,
            head.kind,
            head.form,
            formatNumber(head.manifest.files),
            formatBytes(head.manifest.bytes),
            head.time,
          ]),
        ),
      };
    },
  },
  {
    path: 'mirror show',
    summary: 'one mirror: sizes, and the evidence that vouches for it',
    arguments: [{ name: 'mirror', summary: 'its name' }],
    examples: ['kubedos mirror show debian-12'],
    run: async (context, input) => {
      const head = await headOf(await context.house.store(), input.argument(0));
      return { data: head, text: describeHead(head) };
    },
  },
  {
    path: 'mirror why',
    summary: 'which rule and which chain of dependencies brought a package into a curated mirror',
    arguments: [
      { name: 'package', summary: 'name of the package' },
      { name: 'mirror', summary: 'the curated mirror; may be left out where there is one alone', optional: true },
    ],
    examples: ['kubedos mirror why libpam0g', 'kubedos mirror why libc6 debian-12-bootable'],
    run: async (context, input) => {
      const store = await context.house.store();
      const head = await curatedHead(store, input.optionalArgument(1));
      const why = typeof head.memory.why === 'string' ? head.memory.why : undefined;
      const content = why === undefined ? undefined : await store.objects.read(why, MAX_WHY_BYTES);
      if (!content)
        throw new KubedosError('store.not-found', `explain ${input.argument(0)}: mirror ${head.name} keeps no reasons`);
      const { explainPackage, renderChain } = await import('../../sync/curate/why.ts');
      const chains = explainPackage(content, input.argument(0));
      if (chains.length === 0)
        throw new KubedosError('store.not-found', `${input.argument(0)} is not in mirror ${head.name}`);
      return { data: chains, text: chains.map(renderChain).join('\n') };
    },
  },
  {
    path: 'mirror remove',
    summary: 'take a mirror out of the store; snapshots that hold it stay',
    arguments: [{ name: 'mirror', summary: 'its name' }],
    options: [YES],
    examples: ['kubedos mirror remove docker --yes'],
    run: async (context, input) => {
      const name = input.argument(0);
      const store = await context.house.store();
      const head = await headOf(store, name);
      confirm(
        input,
        `remove mirror ${name} (${formatCount(head.manifest.files, 'file')}, ${formatBytes(head.manifest.bytes)})`,
      );
      await store.withWriter('mirror remove', async () => {
        await store.heads.remove(name);
        await (await context.house.catalog()).forgetMirror(name);
        await rm(join(ownSpecs(store.dir), `${name}.yaml`), { force: true });
      });
      return { data: { removed: name }, text: `${name} removed; \`kubedos store gc\` frees what no snapshot holds` };
    },
  },
];

/** Reasons of a million packages take less. */
const MAX_WHY_BYTES = 512 * 1024 * 1024;

type Store = Awaited<ReturnType<CommandContext['house']['store']>>;
type CommandContext = Parameters<CommandSpec['run']>[0];

async function headOf(store: Store, name: string): Promise<MirrorHead> {
  const head = await store.heads.read(name);
  if (head) return head;
  const names = (await store.heads.list()).map((one) => one.name);
  throw new KubedosError('store.not-found', `there is no mirror ${name}`, {
    hint: names.length === 0 ? 'sync one first' : `there are: ${names.join(', ')}`,
  });
}

async function curatedHead(store: Store, name: string | undefined): Promise<MirrorHead> {
  if (name !== undefined) return headOf(store, name);
  const curated = (await store.heads.list()).filter((head) => head.form === 'curated');
  const [only] = curated;
  if (only && curated.length === 1) return only;
  throw new KubedosError('usage.argument', `mirror why: name the mirror, there are ${curated.length} curated ones`, {
    hint: curated.map((head) => head.name).join(', ') || undefined,
  });
}

function describeHead(head: MirrorHead): string {
  const evidence = head.evidence.map((one): readonly [string, string] => [
    'vouched for',
    `${one.source}, of ${one.date ?? '?'}${one.validUntil ? `, valid until ${one.validUntil}` : ''}, by ${one.fingerprints.join(', ')}`,
  ]);
  return fields([
    ['name', head.name],
    ['kind', `${head.kind}, ${head.form}`],
    ['files', formatNumber(head.manifest.files)],
    ['size', formatBytes(head.manifest.bytes)],
    ['synced', head.time],
    ['list', head.manifest.root],
    ...evidence,
  ]);
}

function describeSync(report: SyncReport): string {
  const fetched = `${formatCount(report.fetched.files, 'file')}, ${formatBytes(report.fetched.bytes)}`;
  const lines = [...report.notes.map((note) => `note: ${note}`)];
  if (report.missing.length > 0)
    lines.push(`left out, since upstream does not serve them: ${report.missing.join(', ')}`);
  if (!report.changed) lines.push(`${report.mirror}: up to date`);
  else if (report.dryRun)
    lines.push(
      `${report.mirror}: would fetch ${fetched}; ${report.paths.added} paths new or changed, ${report.paths.removed} gone`,
    );
  else
    lines.push(
      `${report.mirror}: fetched ${fetched}; ${report.paths.added} paths new or changed, ${report.paths.removed} gone`,
    );
  return lines.join('\n');
}
