import { basename } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { FileListChange, FileListReport } from '../../publish/file-list.ts';
import type { RepoReport } from '../../publish/local-repo.ts';
import type { CommandSpec, Context, Input } from '../command.ts';
import { fileContent } from '../input-files.ts';
import { repoDeps } from '../repositories.ts';

const REPO = { name: 'repo', summary: 'name of the repository' };

export const REPO_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'repo create',
    summary: 'a repository of your own packages, signed by this store',
    arguments: [REPO],
    options: [
      { flags: '--type <kind>', summary: 'apt, yum for rpm packages, or files for any other', default: 'apt' },
      {
        flags: '--compression <name>',
        summary: 'of the metadata (yum): gz, or zst for RHEL 8 and later',
        default: 'gz',
      },
      {
        flags: '--sign-packages',
        summary: 'sign each package as it comes in (yum), by rpmsign; clients then demand it',
      },
      { flags: '--suite <name>', summary: 'its only suite (apt)', default: 'stable' },
      { flags: '--component <name...>', summary: 'its components (apt; main)' },
      { flags: '--architecture <name...>', summary: 'its architectures (apt; amd64)' },
    ],
    examples: [
      'kubedos repo create ours',
      'kubedos repo create ours --suite bookworm --architecture amd64 arm64',
      'kubedos repo create ours-el9 --type yum',
      'kubedos repo create ours-el9 --type yum --sign-packages',
      'kubedos repo create vendor-media --type files',
    ],
    run: async (context, input) => {
      const type = input.string('type') ?? 'apt';
      if (type === 'yum') return createYum(context, input);
      if (type === 'files') {
        const { createFileList } = await import('../../publish/file-list.ts');
        return describeFiles(await createFileList(await repoDeps(context.house), input.argument(0)));
      }
      if (type !== 'apt') throw new KubedosError('usage.argument', `--type ${type}: expected apt, yum or files`);
      if (input.flag('sign-packages'))
        throw new KubedosError('usage.argument', '--sign-packages: packages of apt carry no signatures', {
          hint: 'the signed Release vouches for each .deb',
        });
      const { createRepo } = await import('../../publish/local-repo.ts');
      const or = (name: string, fallback: string): string[] => {
        const given = input.strings(name);
        return given.length > 0 ? [...given] : [fallback];
      };
      const wanted = {
        suite: input.string('suite') ?? 'stable',
        components: or('component', 'main'),
        architectures: or('architecture', 'amd64'),
      };
      const report = await createRepo(await repoDeps(context.house), input.argument(0), wanted, context);
      return describe(report, `created, empty; add packages with \`kubedos repo add ${report.mirror} FILE.deb\``);
    },
  },
  {
    path: 'repo add',
    summary: 'add .deb or .rpm files, or any to a list of files; the same name and version with other bytes is refused',
    arguments: [
      REPO,
      { name: 'file', summary: '.deb files, or .rpm files; any files for a list of files', variadic: true },
    ],
    options: [
      { flags: '--component <name>', summary: 'into this component (apt)' },
      { flags: '--force', summary: 'replace packages of the same name and version' },
    ],
    examples: [
      'kubedos repo add ours build/*.deb',
      'kubedos repo add ours-el9 RPMS/*/*.rpm',
      'kubedos repo add vendor-media debian-12.11.0-amd64-netinst.iso',
    ],
    run: async (context, input) => {
      const { changeRepository } = await import('../../publish/repositories.ts');
      const files = await fileList(context, input);
      if (files !== undefined)
        return files({
          add: input.rest(1).map((file) => ({ path: basename(file), source: fileContent(file) })),
          force: input.flag('force'),
        });
      const component = input.string('component');
      const add = input.rest(1).map((file) => ({ origin: file, source: fileContent(file), component }));
      const change = { add, force: input.flag('force') };
      return describe(await changeRepository(await repoDeps(context.house), input.argument(0), change, context));
    },
  },
  {
    path: 'repo remove',
    summary: 'take packages (or files) out of the newest state; snapshots keep them',
    arguments: [REPO, { name: 'package', summary: 'NAME, or NAME=VERSION (of rpm: 1.2 or 1.2-3)', variadic: true }],
    options: [{ flags: '--architecture <name>', summary: 'of this architecture only' }],
    examples: ['kubedos repo remove ours agent=1.2-1'],
    run: async (context, input) => {
      const { changeRepository } = await import('../../publish/repositories.ts');
      const files = await fileList(context, input);
      if (files !== undefined) return files({ remove: input.rest(1) });
      const architecture = input.string('architecture');
      const remove = input.rest(1).map((text) => {
        const [name = '', version] = text.split('=');
        return { name, version, architecture };
      });
      return describe(await changeRepository(await repoDeps(context.house), input.argument(0), { remove }, context));
    },
  },
];

async function createYum(context: Context, input: Input) {
  const { createRpmRepo } = await import('../../publish/yum/local-repo.ts');
  const compression = input.string('compression') ?? 'gz';
  if (compression !== 'gz' && compression !== 'zst')
    throw new KubedosError('usage.argument', `--compression ${compression}: expected gz or zst`);
  const deps = await repoDeps(context.house);
  const report = await createRpmRepo(
    { ...deps, publish: deps.publishRpm },
    input.argument(0),
    { compression, signPackages: input.flag('sign-packages') },
    context,
  );
  return describe(report, `created, empty; add packages with \`kubedos repo add ${report.mirror} FILE.rpm\``);
}

/** Changes it, where the repository that is named is a list of files. */
async function fileList(context: Context, input: Input) {
  const { changeFileList, isFileList } = await import('../../publish/file-list.ts');
  const name = input.argument(0);
  if (!isFileList(await (await context.house.store()).heads.read(name))) return undefined;
  return async (change: FileListChange) =>
    describeFiles(await changeFileList(await repoDeps(context.house), name, change, context));
}

function describeFiles(report: FileListReport) {
  const line = (verb: string) => (one: FileListReport['added'][number]) => `${verb} ${one.path} ${one.sha256}`;
  const lines = [
    ...report.added.map(line('added')),
    ...report.removed.map(line('removed')),
    ...report.unchanged.map(line('there already:')),
  ];
  const nothing = `${report.mirror}: holds ${report.manifest.files} files; add some with \`kubedos repo add ${report.mirror} FILE\``;
  return { data: report, text: lines.length === 0 ? nothing : lines.join('\n') };
}

function describe(report: RepoReport, nothing = 'nothing to change') {
  const line = (verb: string) => (one: RepoReport['added'][number]) =>
    `${verb} ${one.name} ${one.version} ${one.architecture}`;
  const lines = [
    ...report.added.map(line('added')),
    ...report.removed.map(line('removed')),
    ...report.unchanged.map(line('there already:')),
  ];
  return { data: report, text: lines.length === 0 ? `${report.mirror}: ${nothing}` : lines.join('\n') };
}
