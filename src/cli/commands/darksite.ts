import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { serveHouse } from '../serving.ts';
import { clientSources } from './client-config.ts';

export const darksiteCheckCommand: CommandSpec = {
  path: 'darksite check',
  summary: 'would these hosts resolve against a snapshot? asked of the real apt',
  description:
    'Each file is one host: `dpkg -l`, `dpkg-query -W`, or names, one a line, with =VERSION where that version must be there. Exit status 8 if a host would not resolve.',
  arguments: [{ name: 'file', summary: 'package lists, a file a host', variadic: true }],
  options: [
    { flags: '--snapshot <snapshot>', summary: 'id, tag or channel', default: 'stable' },
    { flags: '--mirror <name...>', summary: 'these mirrors only' },
    { flags: '--architecture <name>', summary: 'of hosts whose list does not tell', default: 'amd64' },
  ],
  examples: [
    'dpkg -l > bridge.txt && kubedos darksite check bridge.txt',
    'kubedos darksite check hosts/*.txt --snapshot lab',
  ],
  run: async (context, input) => {
    const { house } = context;
    const [{ checkHosts }, { reportText }, { parsePackageList }, { runApt }] = await Promise.all([
      import('../../darksite/check-hosts.ts'),
      import('../../darksite/render-report.ts'),
      import('../../formats/apt/package-list.ts'),
      import('../../exec/apt.ts'),
    ]);
    const snapshot = await (await house.store()).snapshots.resolve(input.string('snapshot') ?? 'stable');
    const hosts = await Promise.all(
      input.rest(0).map(async (file) => ({
        name: basename(file),
        packages: parsePackageList(await readFile(file, 'utf8'), file),
      })),
    );
    const wanted = input.strings('mirror');
    const mirrors = snapshot.document.mirrors.filter(
      ({ name, kind }) => kind === 'apt' && (wanted.length === 0 || wanted.includes(name)),
    );
    if (mirrors.length === 0)
      throw new KubedosError('store.not-found', `check hosts: ${snapshot.id} holds no such apt mirror`);
    const server = await serveHouse(house, { port: 0 });
    const dir = await mkdtemp(join(tmpdir(), 'kubedos-check-'));
    try {
      const root = `${server.url.replace(/\/$/, '')}/s/${snapshot.id}`;
      const texts = await Promise.all(
        mirrors.map(({ name }) =>
          clientSources(house, { reference: snapshot.id, mirror: name, url: `${root}/${name}/` }),
        ),
      );
      const architecture = input.string('architecture') ?? 'amd64';
      const report = await checkHosts(runApt, { hosts, sources: texts.join('\n'), architecture, dir }, context);
      return { data: report, text: reportText(report).trimEnd(), exit: report.resolves ? 0 : 8 };
    } finally {
      await server.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
};
