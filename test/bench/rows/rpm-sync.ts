import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startFakeApt } from '../../support/fake-apt.ts';
import type { FakeFiles } from '../../support/fake-archive.ts';
import { type FakeRpm, fakeYum } from '../../support/fake-yum.ts';
import { type Command, compare, timed } from '../measure.ts';
import { Kubedos } from '../tools.ts';
import { type Bench, type Figure, figure, type Row } from '../types.ts';

/** What a distribution has. */
const PACKAGES = 50_000;
const FILES_EACH = 40;

export const rpmSync: Row = {
  name: 'rpm-sync',
  about: `sync of ${PACKAGES} rpm packages without changes and after one`,
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const kubedos = await Kubedos.make(join(folder, 'kubedos'));
    say('writing metadata');
    const state = (changed: number, timestamp: number) => {
      const packages = Array.from({ length: PACKAGES }, (_, n) => packageOf(n, n < changed ? '2' : '1'));
      return fakeYum({ key: kubedos.key, repositories: { '': { packages, timestamp } } });
    };
    const states = [await state(0, 1_714_608_000), await state(1, 1_714_694_400)] as const;
    const upstream = await startFakeApt(states[0]);
    try {
      const spec = join(folder, 'fake.yaml');
      await writeFile(
        spec,
        `name: fake\ntype: yum\nform: verbatim\nupstreams:\n  - url: ${upstream.url}\n    verify: [metadata]\n    keys:\n      - { fingerprint: ${kubedos.key.fingerprint} }\n`,
      );
      say('first sync of both');
      const dnf = await reposync(join(folder, 'reposync'), upstream.url, states[0]);
      await kubedos.run('mirror', 'sync', spec);
      const noop = await compare(5, kubedos.command('mirror', 'sync', spec), dnf);
      let turn = 0;
      const after = await compare(
        4,
        {
          ...kubedos.command('mirror', 'sync', spec, '--allow', 'rollback'),
          before: async () => {
            turn += 1;
            upstream.serve(states[turn % 2] as FakeFiles);
          },
        },
        dnf,
      );
      return [
        figure(`sync of ${PACKAGES} rpm packages without changes`, 'dnf reposync', noop, 10),
        figure(`sync of ${PACKAGES} rpm packages after one change`, 'dnf reposync', after, 10),
      ];
    } finally {
      await upstream.close();
    }
  },
};

/** With as much metadata as a package of a distribution has on average, and next to nothing inside. */
function packageOf(n: number, version: string): FakeRpm {
  const name = `name-${n}`;
  return {
    name,
    version,
    provides: Array.from({ length: 6 }, (_, i) => `lib${n % 999}-${i}.so.1()(64bit)`),
    requires: Array.from({ length: 14 }, (_, i) => `libdep${(n * 7 + i) % 2999}.so.${i}(GLIBC_2.${i})(64bit)`),
    files: [`/usr/bin/${name}`, `/etc/${name}.conf`],
    otherFiles: Array.from({ length: FILES_EACH }, (_, i) => `/usr/share/${name}/doc/part-${i % 8}/file-${i}.html`),
  };
}

/** The packages lie there already, as a first run leaves them: dnf takes what fits its checksum. */
async function reposync(folder: string, url: string, files: FakeFiles): Promise<Command> {
  for (const [path, bytes] of files) {
    if (!path.endsWith('.rpm')) continue;
    const file = join(folder, 'out', 'fake', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  await mkdir(join(folder, 'repos'), { recursive: true });
  await writeFile(join(folder, 'repos', 'fake.repo'), `[fake]\nname=fake\nbaseurl=${url}\nenabled=1\ngpgcheck=0\n`);
  const conf = join(folder, 'dnf.conf');
  await writeFile(
    conf,
    `[main]\nreposdir=${folder}/repos\ncachedir=${folder}/cache\npersistdir=${folder}/persist\nlogdir=${folder}/log\n`,
  );
  const dnf = [
    'dnf',
    '-q',
    '-c',
    conf,
    '--releasever',
    '9',
    'reposync',
    '--refresh',
    '--download-metadata',
    '--delete',
  ];
  const command = { argv: [...dnf, '-p', join(folder, 'out')] };
  await timed(command);
  return command;
}
