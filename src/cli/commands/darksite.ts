import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { DarksiteReport } from '../../darksite/types.ts';
import { KubedosError } from '../../errors.ts';
import type { RepositoryKind, Snapshot } from '../../store/types.ts';
import type { CommandSpec, Context, Input } from '../command.ts';
import { fileText } from '../input-files.ts';
import { serveHouse } from '../serving.ts';
import { clientSources } from './client-config.ts';

type Kind = Extract<RepositoryKind, 'apt' | 'yum'>;

interface Check {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Client configuration of the mirrors. */
  readonly sources: string;
  readonly architecture: string | undefined;
  readonly platform: string | undefined;
  readonly dir: string;
}

export const darksiteCheckCommand: CommandSpec = {
  path: 'darksite check',
  summary: 'would these hosts resolve against a snapshot? asked of the real apt or dnf',
  description:
    'Each file is one host. Of apt: `dpkg -l`, `dpkg-query -W`, or names, one a line, with =VERSION where that version must be there. Of dnf: `rpm -qa`, `dnf list --installed`, or names, with = before a line whose version must be there. Exit status 8 if a host would not resolve.',
  arguments: [{ name: 'file', summary: 'package lists, a file a host', variadic: true }],
  options: [
    { flags: '--snapshot <snapshot>', summary: 'id, tag or channel', default: 'stable' },
    { flags: '--mirror <name...>', summary: 'these mirrors only' },
    { flags: '--type <kind>', summary: 'apt or yum; default: as the lists look' },
    { flags: '--architecture <name>', summary: 'of hosts whose list does not tell; default: amd64, x86_64' },
    { flags: '--platform <id>', summary: 'what modules of rpm hosts ask for: platform:el9' },
  ],
  examples: [
    'dpkg -l > bridge.txt && kubedos darksite check bridge.txt',
    'rpm -qa > bridge.txt && kubedos darksite check bridge.txt --platform platform:el9',
    'kubedos darksite check hosts/*.txt --snapshot lab',
  ],
  run: async (context, input) => {
    const { house } = context;
    const { reportText } = await import('../../darksite/render-report.ts');
    const snapshot = await (await house.store()).snapshots.resolve(input.string('snapshot') ?? 'stable');
    const files = await Promise.all(
      input.rest(0).map(async (file) => ({ name: basename(file), text: await fileText(file) })),
    );
    const kind = kindOf(input, files, snapshot);
    const wanted = input.strings('mirror');
    const mirrors = snapshot.document.mirrors.filter(
      (mirror) => mirror.kind === kind && (wanted.length === 0 || wanted.includes(mirror.name)),
    );
    if (mirrors.length === 0)
      throw new KubedosError('store.not-found', `check hosts: ${snapshot.id} holds no such ${kind} mirror`);
    const server = await serveHouse(house, { port: 0 });
    const dir = await mkdtemp(join(tmpdir(), 'kubedos-check-'));
    try {
      const root = `${server.url.replace(/\/$/, '')}/s/${snapshot.id}`;
      const texts = await Promise.all(
        mirrors.map(({ name }) =>
          clientSources(house, { reference: snapshot.id, mirror: name, url: `${root}/${name}/` }),
        ),
      );
      const { architecture, platform } = {
        architecture: input.string('architecture'),
        platform: input.string('platform'),
      };
      const check = { files, sources: texts.join('\n'), architecture, platform, dir };
      const report = await (kind === 'apt' ? checkApt : checkYum)(context, check);
      return { data: report, text: reportText(report).trimEnd(), exit: report.resolves ? 0 : 8 };
    } finally {
      await server.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** Names of rpm packages end in their architecture in what rpm and dnf list. */
const RPM_LINE = /^\S+\.(?:noarch|x86_64|i[3-6]86|aarch64|ppc64le|s390x)(?:\s|$)/m;

function kindOf(input: Input, files: Check['files'], { document }: Snapshot): Kind {
  const given = input.string('type');
  if (given === 'apt' || given === 'yum') return given;
  if (given !== undefined) throw new KubedosError('usage.argument', `--type ${given}: expected apt or yum`);
  if (files.some(({ text }) => RPM_LINE.test(text))) return 'yum';
  return document.mirrors.every(({ kind }) => kind === 'yum') ? 'yum' : 'apt';
}

async function checkApt(context: Context, check: Check): Promise<DarksiteReport> {
  const [{ checkHosts }, { parsePackageList }, { runApt }] = await Promise.all([
    import('../../darksite/apt/check-hosts.ts'),
    import('../../formats/apt/package-list.ts'),
    import('../../exec/apt.ts'),
  ]);
  const { files, architecture = 'amd64', ...rest } = check;
  const hosts = files.map(({ name, text }) => ({ name, packages: parsePackageList(text, name) }));
  return checkHosts(runApt, { ...rest, hosts, architecture }, context);
}

async function checkYum(context: Context, check: Check): Promise<DarksiteReport> {
  const [{ checkRpmHosts }, { parseRpmList }, { runDnf }] = await Promise.all([
    import('../../darksite/yum/check-hosts.ts'),
    import('../../formats/rpm/package-list.ts'),
    import('../../exec/dnf.ts'),
  ]);
  const { files, architecture = 'x86_64', ...rest } = check;
  const hosts = files.map(({ name, text }) => ({ name, packages: parseRpmList(text, name) }));
  return checkRpmHosts(runDnf, { ...rest, hosts, architecture }, context);
}
